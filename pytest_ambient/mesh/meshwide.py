"""What is decided for all namespaces of a mesh, this run's own included: trust domain, root namespace, policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Forbidden, NotFound
from pytest_ambient.mesh.dataplane import DEFAULT, ISTIOD, revision, workloads
from pytest_ambient.mesh.revisions import chosen

SECURITY = "security.istio.io/v1"
POLICIES = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")
NOWHERE: Object = {"metadata": {"namespace": "istio-system"}}
"""An istiod where none is found."""
FILE, STDOUT = "envoyFileAccessLog", "/dev/stdout"
SERVER = "istio-envoy"
"""What proxies of the mesh say in the header `server`."""


@dataclass(frozen=True)
class MeshWide:
    """The mesh's own configuration."""

    root: str
    """The namespace whose policies hold everywhere."""
    trust_domain: str
    revision: str = ""
    """The istiod that looks only after what names it; empty where one looks after everything else too."""
    discovery: tuple[Object, ...] = field(default=(), hash=False)
    """The label selectors of the namespaces that istiod looks at; none where it looks at all."""


def read(kube: Kube) -> MeshWide:
    """As istiod's own configuration has it; Istio's defaults where this user may not read that."""
    one = chosen(kube, workloads(kube, *ISTIOD) or [NOWHERE])
    config = _configuration(kube, one.istiod)
    return MeshWide(
        str(config.get("rootNamespace") or one.istiod["metadata"]["namespace"]),
        str(config.get("trustDomain") or "cluster.local"),
        one.label,
        tuple(one for one in config.get("discoverySelectors") or () if isinstance(one, dict)),
    )


def providers(kube: Kube) -> Mapping[str, Mapping[str, Any]]:
    """The extension providers of the mesh by name."""
    config = _own(kube)
    listed = config.get("extensionProviders") or []
    return {str(each.get("name", "")): each for each in listed if isinstance(each, dict)}


def own_log_format(kube: Kube) -> str | None:
    """Why the lines of the provider `envoy` are not those that Istio has by itself; None when they are."""
    own = providers(kube).get("envoy")
    if own is not None:
        file = own.get(FILE) or {}
        if file.get("logFormat") or file.get("omitEmptyValues") or file.get("path", STDOUT) != STDOUT:
            return "the mesh configuration has an extensionProvider envoy that logs in its own way"
    written = _own(kube).get("accessLogFormat")
    return "the mesh configuration has an accessLogFormat of its own" if written else None


def own_retries(kube: Kube) -> str | None:
    """Why a request without a word about retries is not tried again as Istio does by itself; None when it is."""
    written = "defaultHttpRetryPolicy" in _own(kube)
    return "the mesh configuration has a defaultHttpRetryPolicy of its own" if written else None


def hidden_headers(kube: Kube) -> str:
    """Why waypoints' answers can't be told from applications' by their headers; empty where they can."""
    try:
        told = (_own(kube).get("defaultConfig") or {}).get("proxyHeaders") or {}
    except Forbidden:
        return ""
    server, debug = (told.get(name) or {} for name in ("server", "envoyDebugHeaders"))
    changed = server.get("disabled") or server.get("value", SERVER) != SERVER or debug.get("disabled")
    return "the mesh configuration hides waypoints' own headers (defaultConfig.proxyHeaders)" if changed else ""


def _own(kube: Kube) -> Mapping[str, Any]:
    found = workloads(kube, *ISTIOD)
    return _configuration(kube, chosen(kube, found).istiod) if found else {}


def peer_authentication(kube: Kube) -> str | None:
    """The policy for the whole mesh beside which none named `default` would count: the oldest does; None without."""
    root = read(kube).root
    for item in _listed(kube, "PeerAuthentication", root):
        name = item["metadata"]["name"]
        if name != DEFAULT and not (item.get("spec") or {}).get("selector"):
            return f"PeerAuthentication {root}/{name} is there already, and of several the oldest counts"
    return None


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

    named = revision(istiod)
    name = "istio" if named == DEFAULT else f"istio-{named}"
    try:
        found = kube.get("v1/ConfigMap", name, istiod["metadata"]["namespace"]) or {}
        config = yaml.safe_load((found.get("data") or {}).get("mesh", ""))
    except (Forbidden, yaml.YAMLError):
        return {}
    return config if isinstance(config, dict) else {}
