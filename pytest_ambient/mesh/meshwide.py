"""What is decided for all namespaces of a mesh, this run's own included: trust domain, root namespace, policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Forbidden, NotFound
from pytest_ambient.manifest import REVISION
from pytest_ambient.mesh.dataplane import ISTIOD, ZTUNNEL, workloads

SECURITY = "security.istio.io/v1"
DEFAULT = "default"
POLICIES = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")


@dataclass(frozen=True)
class MeshWide:
    """The mesh's own configuration."""

    root: str
    """The namespace whose policies hold everywhere."""
    trust_domain: str
    revision: str = ""
    """The istiod that looks only after what names it; empty where one looks after everything else too."""


def read(kube: Kube) -> MeshWide:
    """As istiod's own configuration has it; Istio's defaults where this user may not read that."""
    found = [item["metadata"] for item in workloads(kube, *ISTIOD)]
    meta = _chosen(kube, found) if found else {"namespace": "istio-system"}
    config = _configuration(kube, meta)
    return MeshWide(
        str(config.get("rootNamespace") or meta["namespace"]),
        str(config.get("trustDomain") or "cluster.local"),
        "" if any(_revision(one) == DEFAULT for one in found) or _default_tag(kube) else _revision(meta),
    )


def _chosen(kube: Kube, found: list[Object]) -> Object:
    """Of several istiods the one that the ztunnels belong to; else the default one."""
    ztunnels = {_revision(item["metadata"]) for item in workloads(kube, *ZTUNNEL.parts["ztunnel"])}
    return next((one for one in found if _revision(one) in ztunnels), found[0])


def _revision(meta: Object) -> str:
    return str((meta.get("labels") or {}).get(REVISION) or DEFAULT)


def _default_tag(kube: Kube) -> bool:
    """Whether a revision is the default one by a tag: a webhook's, or since Istio 1.28 a Service's."""
    kinds = ("admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", "v1/Service")
    try:
        return any(kube.list(kind, labels=f"istio.io/tag={DEFAULT}") for kind in kinds)
    except Forbidden:
        return True


def providers(kube: Kube) -> Mapping[str, Mapping[str, Any]]:
    """The extension providers of the mesh by name."""
    found = [item["metadata"] for item in workloads(kube, *ISTIOD)]
    config = _configuration(kube, _chosen(kube, found)) if found else {}
    listed = config.get("extensionProviders") or []
    return {str(each.get("name", "")): each for each in listed if isinstance(each, dict)}


def policies(kube: Kube, root: str) -> tuple[str, ...]:
    """`KIND NAME` of the policies in the root namespace; what this user may not list is left out."""
    return tuple(f"{kind} {item['metadata']['name']}" for kind in POLICIES for item in _listed(kube, kind, root))


def plaintext_refused(kube: Kube) -> str | None:
    """The policy that demands mutual TLS everywhere, so that nobody without it can be answered; None without one."""
    root = read(kube).root
    for item in _listed(kube, "PeerAuthentication", root):
        spec = item.get("spec") or {}
        if not spec.get("selector") and (spec.get("mtls") or {}).get("mode") == "STRICT":
            return f"PeerAuthentication {root}/{item['metadata']['name']} is STRICT for the whole mesh"
    return None


def _listed(kube: Kube, kind: str, namespace: str) -> list[Object]:
    try:
        return kube.list(f"{SECURITY}/{kind}", namespace)
    except (NotFound, Forbidden):
        return []


def _configuration(kube: Kube, istiod: Object) -> Mapping[str, Any]:
    """A revision's configuration lies in a ConfigMap of its own."""
    import yaml

    revision = _revision(istiod)
    name = "istio" if revision == DEFAULT else f"istio-{revision}"
    try:
        found = kube.get("v1/ConfigMap", name, istiod["namespace"]) or {}
        config = yaml.safe_load((found.get("data") or {}).get("mesh", ""))
    except (Forbidden, yaml.YAMLError):
        return {}
    return config if isinstance(config, dict) else {}
