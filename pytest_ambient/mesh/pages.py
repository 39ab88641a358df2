"""What of a mesh can be looked at with a browser: which Service serves it, and which of its pods does now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_ambient._kube import Kube, Object, Tunnel
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import BrokenEnvironment, Forbidden, KubeError, Misuse
from pytest_ambient.mesh.bookinfo import RUN_LABEL
from pytest_ambient.mesh.dataplane import ISTIOD, workloads

PATIENCE = 15.0
"""Seconds in which a pod that is replaced must be back."""


@dataclass(frozen=True)
class Page:
    """One thing to look at."""

    service: str
    port: int
    """The Service's port."""
    path: str
    remedy: str
    """How to have it where it is missing."""


PAGES: Mapping[str, Page] = {
    "grafana": Page("grafana", 3000, "/", "--ambient-addons=grafana puts it in"),
    "jaeger": Page("tracing", 80, "/jaeger", "--ambient-addons=jaeger puts it in"),
    "kiali": Page("kiali", 20001, "/kiali", "--ambient-addons=kiali,prometheus puts it in"),
    "productpage": Page("productpage", 9080, "/productpage", "pytest-ambient up puts Bookinfo in"),
    "prometheus": Page("prometheus", 9090, "/", "--ambient-addons=prometheus puts it in"),
}


def find(kube: Kube, name: str, namespace: str | None = None) -> Object:
    """The Service that serves a page; BrokenEnvironment, in one line, when it is not installed.

    Without a namespace it is looked for everywhere: beside istiod first, in namespaces of ours first; Misuse lists
    where it is when that leaves several.
    """
    page = PAGES[name]
    services = _services(kube, page, namespace)
    if not services:
        where = f"in namespace {namespace}" if namespace else "in the cluster"
        raise BrokenEnvironment(f"{name} is not installed: no Service {page.service} {where}; {page.remedy}")
    chosen = _preferred(kube, services) if len(services) > 1 else services
    if len(chosen) > 1:
        places = ", ".join(sorted(one["metadata"]["namespace"] for one in chosen))
        raise Misuse(f"{name} is in several namespaces, choose with --ambient-namespace: {places}")
    return chosen[0]


def connect(kube: Kube, service: Object, port: int, within: float = PATIENCE) -> Tunnel:
    """A way to a pod that serves now; NotInTime says why there is none."""
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]

    def tried() -> Tunnel | NotYet:
        pods = _pods(kube, service)
        good = [pod for pod in pods if _serving(pod)]
        if not good:
            return NotYet(f"{len(pods)} pods, none of them Ready")
        try:
            return kube.forward(namespace, good[0]["metadata"]["name"], target(service, port, good[0]))
        except Forbidden:
            raise
        except KubeError as error:
            return NotYet(str(error))

    return until(tried, what=f"a pod of Service {namespace}/{name}", within=within)


def target(service: Object, port: int, pod: Object) -> int:
    """The pod's port behind a Service's port, by number or by the name that a container gives it."""
    entry: Object = next((one for one in service["spec"].get("ports") or [] if one["port"] == port), {})
    wanted = entry.get("targetPort", port)
    if isinstance(wanted, int) or str(wanted).isdigit():
        return int(wanted)
    ports = [one for container in pod["spec"]["containers"] for one in container.get("ports") or []]
    named = [int(one["containerPort"]) for one in ports if one.get("name") == wanted]
    if not named:
        raise BrokenEnvironment(f"pod {pod['metadata']['name']} has no port {wanted}, which its Service names")
    return named[0]


def _services(kube: Kube, page: Page, namespace: str | None) -> list[Object]:
    if namespace is not None:
        found = kube.get("v1/Service", page.service, namespace)
        return [found] if found else []
    listed = kube.list("v1/Service", fields=f"metadata.name={page.service}")
    return [one for one in listed if one["metadata"]["name"] == page.service]


def _preferred(kube: Kube, services: Sequence[Object]) -> Sequence[Object]:
    """Those beside istiod or in namespaces that we made; all when there is none."""
    roots = {item["metadata"]["namespace"] for item in workloads(kube, *ISTIOD)}
    ours = {item["metadata"]["name"] for item in kube.list("v1/Namespace", labels=RUN_LABEL)}
    return [one for one in services if one["metadata"]["namespace"] in roots | ours] or services


def _pods(kube: Kube, service: Object) -> list[Object]:
    labels = service["spec"].get("selector") or {}
    if not labels:
        raise BrokenEnvironment(f"Service {service['metadata']['name']} selects no pods")
    return kube.list(
        "v1/Pod", service["metadata"]["namespace"], ",".join(f"{key}={value}" for key, value in labels.items())
    )


def _serving(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
