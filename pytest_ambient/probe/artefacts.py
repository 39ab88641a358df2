"""The scene of a broken promise, gathered while its manifests are still in effect: objects, pods, logs, policies."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pytest_ambient._kube import Kube
from pytest_ambient.errors import KubeError
from pytest_ambient.manifest import Document, Places
from pytest_ambient.probe.logs import Logs, Proxy
from pytest_ambient.probe.ready import is_ready
from pytest_ambient.redact import redacted, shown

LINES = 300
"""The last lines of each log that are kept."""
WAYPOINT_LABEL = "gateway.networking.k8s.io/gateway-name"


def gather(kube: Kube, logs: Logs, places: Places, documents: Sequence[Document]) -> dict[str, str]:
    """Texts by file name; for what can't be had a text that says why, never an error."""
    proxies = _proxies(kube, logs, places)
    made: dict[str, Callable[[], str]] = {
        "objects.yaml": partial(_objects, kube, documents),
        "pods.txt": partial(_pods, kube, places),
        **{f"{proxy.name}.log": partial(_log, kube, proxy) for proxy in proxies},
        **{f"{proxy.name}-policies.json": partial(_policies, logs, proxy) for proxy in proxies if proxy.node},
    }
    return {name: _guarded(make) for name, make in made.items()}


def _guarded(make: Callable[[], str]) -> str:
    try:
        return redacted(make())
    except KubeError as error:
        return f"not to be had: {error}\n"


def _proxies(kube: Kube, logs: Logs, places: Places) -> list[Proxy]:
    """The ztunnels near to this run's pods, and the waypoints of its namespaces."""
    try:
        pods = [pod for namespace in places.ours for pod in kube.list("v1/Pod", namespace, labels=WAYPOINT_LABEL)]
        return [*logs.near(), *(Proxy(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods)]
    except KubeError:
        return []


def _objects(kube: Kube, documents: Sequence[Document]) -> str:
    import yaml

    found = [kube.get(item.kind, item.name, item.namespace) for item in documents]
    for item in found:
        if item is not None:
            item["metadata"].pop("managedFields", None)
    return str(yaml.safe_dump_all([shown(item) for item in found if item is not None], sort_keys=False))


def _pods(kube: Kube, places: Places) -> str:
    return "".join(f"{line}\n" for namespace in places.ours for line in _pod_lines(kube, namespace))


def _pod_lines(kube: Kube, namespace: str) -> Iterator[str]:
    for pod in kube.list("v1/Pod", namespace):
        meta, status = pod["metadata"], pod.get("status") or {}
        ready = "Ready" if is_ready(pod) else str(status.get("phase", "unknown"))
        state = f"{ready} {status.get('podIP', '-')} {pod['spec'].get('nodeName', '-')}"
        account = pod["spec"].get("serviceAccountName", "-")
        annotations = meta.get("annotations") or {}
        redirection = next((value for key, value in annotations.items() if key.endswith("/redirection")), "none")
        yield f"{namespace}/{meta['name']} {state} {account} redirection={redirection}"


def _log(kube: Kube, proxy: Proxy) -> str:
    return kube.logs(proxy.namespace, proxy.name, proxy.container, tail=LINES)


def _policies(logs: Logs, proxy: Proxy) -> str:
    return json.dumps(logs.dump(proxy, fresh=True).get("policies"), indent=1) + "\n"
