"""The scene of a broken promise, gathered while its manifests are still in effect: objects, pods, logs, policies."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import KubeError
from pytest_ambient.manifest import Document
from pytest_ambient.places import Places
from pytest_ambient.probe.gateways import GATEWAY_NAME
from pytest_ambient.probe.logs import Logs, Proxy
from pytest_ambient.probe.ready import is_ready
from pytest_ambient.redact import redacted, shown

SIDECAR_LABEL = "security.istio.io/tlsMode=istio"
"""What the injector gives pods with a sidecar."""
AGENTS = "k8s-app=istio-cni-node"
LARGEST = 2 << 20
"""Characters of each text; of a log its end is what counts, of all else the beginning."""
CUT = "... cut here ...\n"
PODS = "pods.txt"


def gather(kube: Kube, logs: Logs, places: Places, documents: Sequence[Document], since: float = 0.0) -> dict[str, str]:
    """Texts by file name; for what can't be had a text that says why, never an error.

    `since` is the moment, by our clock, from which on logs are kept.
    """
    proxies = _proxies(kube, logs, places)
    made: dict[str, Callable[[], str]] = {
        "objects.yaml": partial(_objects, kube, documents),
        PODS: partial(_pods, kube, places),
        "pods.yaml": partial(_whole_pods, kube, places),
        "events.txt": partial(_events, kube, places),
        **{f"{proxy.name}.log": partial(logs.since, proxy, since) for proxy in (*proxies, *_agents(kube, proxies))},
        **{f"{proxy.name}-policies.json": partial(_policies, logs, proxy) for proxy in proxies if proxy.node},
        **{f"{proxy.name}-config.json": partial(_config, logs, proxy) for proxy in proxies},
    }
    return {name: _capped(name, _guarded(make)) for name, make in made.items()}


def pods(kube: Kube, places: Places) -> str:
    """The pods of this run, a line each, or why they can't be had."""
    return _guarded(partial(_pods, kube, places))


def _guarded(make: Callable[[], str]) -> str:
    try:
        return redacted(make())
    except KubeError as error:
        return f"not to be had: {error}\n"


def _capped(name: str, text: str) -> str:
    if len(text) <= LARGEST:
        return text
    return f"{CUT}{text[-LARGEST:]}" if name.endswith(".log") else f"{text[:LARGEST]}\n{CUT}"


def _proxies(kube: Kube, logs: Logs, places: Places) -> list[Proxy]:
    """The ztunnels near to this run's pods, and the waypoints and sidecars of its namespaces."""
    try:
        labels = (GATEWAY_NAME, SIDECAR_LABEL)
        pods = [pod for label in labels for namespace in places.ours for pod in kube.list("v1/Pod", namespace, label)]
        return [*logs.near(), *(Proxy(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods)]
    except KubeError:
        return []


def _agents(kube: Kube, proxies: Sequence[Proxy]) -> list[Proxy]:
    """The CNI agents of the nodes where those proxies are."""
    nodes = {proxy.node for proxy in proxies}
    try:
        pods = kube.list("v1/Pod", labels=AGENTS)
    except KubeError:
        return []
    near = [pod for pod in pods if pod["spec"].get("nodeName") in nodes]
    return [
        Proxy(pod["metadata"]["namespace"], pod["metadata"]["name"], pod["spec"]["containers"][0]["name"])
        for pod in near
    ]


def _objects(kube: Kube, documents: Sequence[Document]) -> str:
    found = [kube.get(item.kind, item.name, item.namespace) for item in documents]
    there = [item for item in found if item is not None]
    for item in there:
        item["metadata"].pop("managedFields", None)
    return _yaml(there)


def _yaml(found: Sequence[Object]) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the one in C is ten times as fast, and not everywhere
    return str(yaml.dump_all([shown(item) for item in found], Dumper=dumper, sort_keys=False))


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
        yield from (f"  container {line}" for line in _containers(status))
        for one in status.get("conditions") or ():
            if one.get("status") != "True":
                told = " ".join(filter(None, (one.get("reason"), one.get("message"))))
                yield f"  condition {one.get('type')}={one.get('status')} {told}".rstrip()


def _containers(status: Object) -> Iterator[str]:
    """What became of each container, those that only help and those that begin included."""
    kinds = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
    for one in (one for kind in kinds for one in status.get(kind) or ()):
        states: Object = one.get("state") or {"unknown": {}}
        state, told = next(iter(states.items()))
        why = ": ".join(str(told[name]) for name in ("reason", "message") if told.get(name))
        code = f", exit code {told['exitCode']}" if "exitCode" in told else ""
        restarts = f", {one['restartCount']} restarts" if one.get("restartCount") else ""
        yield f"{one.get('name')} {one.get('image', '')} {state}{code}{restarts}{f' ({why})' if why else ''}"


def _whole_pods(kube: Kube, places: Places) -> str:
    found = [pod for namespace in places.ours for pod in kube.list("v1/Pod", namespace)]
    for pod in found:
        pod["metadata"].pop("managedFields", None)
    return _yaml(found)


def _events(kube: Kube, places: Places) -> str:
    found = [event for namespace in places.ours for event in kube.list("v1/Event", namespace)]
    return "".join(f"{line}\n" for line in sorted(map(_event, found)))


def _event(event: Object) -> str:
    about = event.get("involvedObject") or {}
    when = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
    message = " ".join(str(event.get("message") or "").split())
    name = f"{about.get('namespace', '')}/{about.get('name', '')}"
    return f"{when}  {event.get('type', '')}  {event.get('reason', '')}  {about.get('kind', '')} {name}  {message}"


def _policies(logs: Logs, proxy: Proxy) -> str:
    return json.dumps(logs.dump(proxy, fresh=True).get("policies"), indent=1) + "\n"


def _config(logs: Logs, proxy: Proxy) -> str:
    return json.dumps(logs.dump(proxy), indent=1) + "\n"
