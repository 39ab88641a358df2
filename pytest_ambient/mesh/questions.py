"""Questions put to the cluster about one feature each: None when it is there, else why it is not."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import KubeError, NotFound
from pytest_ambient.mesh import meshwide
from pytest_ambient.mesh.dataplane import ISTIOD, running, workloads
from pytest_ambient.mesh.meshwide import providers
from pytest_ambient.mesh.tracing import PROVIDER

GATEWAY_API = "gateway.networking.k8s.io"
ALPHA = "PILOT_ENABLE_ALPHA_GATEWAY_API"
ALLOCATION, SELECTION = "PILOT_ENABLE_IP_AUTOALLOCATE", "PILOT_ENABLE_SERVICEENTRY_SELECT_PODS"
EXT_AUTHZ = "pytest-ambient-ext-authz"
"""The extension provider that stands for Istio's sample authorizer."""
TRACERS = ("opentelemetry", "zipkin")
"""The kinds of the extension provider that leads to Jaeger."""


def has_kind(kind: str, kube: Kube) -> str | None:
    """Whether the cluster serves `GROUP/VERSION/Kind`."""
    try:
        kube.kind(kind)
    except NotFound:
        return f"the cluster has no kind {kind}"
    return None


def route_filter(field: str, kube: Kube) -> str | None:
    """Whether HTTPRoutes may have that filter: the standard channel gets them one by one."""
    definition = kube.get("apiextensions.k8s.io/v1/CustomResourceDefinition", f"httproutes.{GATEWAY_API}")
    for version in definition["spec"]["versions"] if definition else ():
        shape: Object = version["schema"]["openAPIV3Schema"]
        for name in ("spec", "rules", "filters"):
            inner = shape["properties"].get(name, {})
            shape = inner.get("items", inner)
        if version["name"] == "v1" and field in shape.get("properties", {}):
            return None
    return f"HTTPRoutes have no filter {field}"


def tcp_route(kube: Kube) -> str | None:
    """Istio reads the alpha kinds of the Gateway API only where its istiod is told to."""
    missing = has_kind(f"{GATEWAY_API}/v1alpha2/TCPRoute", kube)
    if missing:
        return missing
    told = any(each.get(ALPHA, "").lower() == "true" for each in _environments(kube, *ISTIOD))
    return None if told else f"istiod runs without {ALPHA}=true"


def entries(kube: Kube) -> str | None:
    """Istiod gives their hosts addresses and has them select pods, unless it is told not to."""
    missing = has_kind("networking.istio.io/v1/ServiceEntry", kube)
    if missing:
        return missing
    for told in _environments(kube, *ISTIOD):
        for name in (ALLOCATION, SELECTION):
            if told.get(name, "").lower() in ("false", "0"):
                return f"istiod runs with {name}={told[name]}"
    return None


def gateway_class(name: str, kube: Kube) -> str | None:
    """Whether somebody has accepted the GatewayClass."""
    missing = has_kind(f"{GATEWAY_API}/v1/Gateway", kube)
    if missing:
        return missing
    found = kube.get(f"{GATEWAY_API}/v1/GatewayClass", name)
    if found is None:
        return f"no GatewayClass {name}"
    conditions = (found.get("status") or {}).get("conditions") or []
    accepted = any(c["type"] == "Accepted" and c["status"] == "True" for c in conditions)
    return None if accepted else f"GatewayClass {name} is not accepted"


def nodes(kube: Kube) -> str | None:
    """Whether pods can go to more than one node."""
    ready = [node for node in kube.list("v1/Node") if _schedulable(node)]
    return None if len(ready) > 1 else f"{len(ready)} node that takes pods, 2 are needed"


def _schedulable(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    taints = node["spec"].get("taints") or []
    blocked = node["spec"].get("unschedulable") or any(taint["effect"] != "PreferNoSchedule" for taint in taints)
    return not blocked and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def runs(label: str, kube: Kube) -> str | None:
    """Whether a pod with that label runs anywhere."""
    pods = kube.list("v1/Pod", labels=label, fields="status.phase=Running")
    return None if pods else f"no running pod with label {label}"


def dns(kube: Kube) -> str | None:
    """Whether the data plane answers the names that pods look up."""
    plane = running(kube)
    part, variable = plane.dns
    told = any(each.get(variable, "").lower() == "true" for each in _environments(kube, *plane.parts[part]))
    return None if told else f"{part} runs without {variable}=true"


def _environments(kube: Kube, kind: str, label: str) -> Iterator[Mapping[str, str]]:
    """The environments of the containers that workloads with that label start, one after another."""
    for item in workloads(kube, kind, label):
        spec = ((item.get("spec") or {}).get("template") or {}).get("spec") or {}
        for container in spec.get("containers") or []:
            yield _variables(kube, container, item["metadata"]["namespace"])


def _variables(kube: Kube, container: Object, namespace: str) -> Mapping[str, str]:
    """A container's environment: Istio's chart gives the CNI agent a ConfigMap whole."""
    found = dict[str, str]()
    for entry in container.get("envFrom") or []:
        name = (entry.get("configMapRef") or {}).get("name")
        found |= ((kube.get("v1/ConfigMap", name, namespace) or {}).get("data") or {}) if name else {}
    return found | {entry["name"]: entry.get("value", "") for entry in container.get("env") or []}


def hbone(kube: Kube) -> str | None:
    """Whether the data plane tunnels."""
    plane = running(kube)
    return None if plane.hbone else f"{plane.name} does not tunnel"


def identity(kube: Kube) -> str | None:
    """Whether certificates prove who calls."""
    plane = running(kube)
    return None if plane.identity else f"{plane.name} tells callers by their address, no certificate proves them"


def ext_authz(kube: Kube) -> str | None:
    """An authorizer can't be brought along: the mesh's own configuration must name it."""
    provider = providers(kube).get(EXT_AUTHZ)
    if provider is None:
        return f"the mesh configuration has no extensionProvider {EXT_AUTHZ} that leads to Istio's sample ext-authz"
    asked = provider.get("envoyExtAuthzHttp") or provider.get("envoyExtAuthzGrpc") or {}
    return _leads(kube, EXT_AUTHZ, asked)


def _leads(kube: Kube, provider: str, asked: Mapping[str, Any]) -> str | None:
    name, _, rest = str(asked.get("service", "")).rpartition("/")[2].partition(".")
    namespace = rest.partition(".")[0]
    there = kube.get("v1/Service", name, namespace) if name and namespace else None
    return None if there else f"extensionProvider {provider} leads to no Service: {asked.get('service', 'none')!r}"


def ephemeral_containers(kube: Kube) -> str | None:
    """Whether this user may look into pods by containers of our own."""
    allowed = kube.can("create", "pods/ephemeralcontainers") or kube.can("patch", "pods/ephemeralcontainers")
    return None if allowed else "this user may not add ephemeral containers"


def kiali(kube: Kube) -> str | None:
    """Whether pods can ask Kiali: it serves beside istiod, as in Istio's samples, and nobody needs to sign in."""
    namespace = meshwide.read(kube).root
    pods = kube.list("v1/Pod", namespace, labels="app=kiali", fields="status.phase=Running")
    if not pods:
        return f"no running pod with label app=kiali in {namespace}"
    try:
        told = json.loads(kube.pod_http(namespace, pods[0]["metadata"]["name"], 20001, "/kiali/api/auth/info"))
        strategy = told.get("strategy")
    except (KubeError, ValueError, AttributeError) as error:
        return f"Kiali in {namespace} does not say who may ask it: {error}"
    return None if strategy == "anonymous" else f"Kiali in {namespace} wants people to sign in (strategy {strategy})"


def tracing(kube: Kube) -> str | None:
    """Whether proxies can be told to send spans to a Jaeger that we can ask: the mesh's configuration must name it."""
    provider = providers(kube).get(PROVIDER, {})
    asked = next((provider[kind] for kind in TRACERS if provider.get(kind)), None)
    if asked is None:
        return f"the mesh configuration has no extensionProvider {PROVIDER} of kind {' or '.join(TRACERS)}"
    nowhere = _leads(kube, PROVIDER, asked)
    if nowhere:
        return nowhere
    root = meshwide.read(kube).root
    pods = kube.list("v1/Pod", root, labels="app=jaeger", fields="status.phase=Running")
    if not pods:
        return f"no running pod with label app=jaeger in {root}"
    try:
        json.loads(kube.pod_http(root, pods[0]["metadata"]["name"], 16686, "/jaeger/api/services"))
    except (KubeError, ValueError) as error:
        return f"Jaeger in {root} does not answer: {error}"
    return None
