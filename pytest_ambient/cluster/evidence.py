"""What is kept of a bring-up that failed before it is undone: events, nodes, pods that are not ready, their logs."""

import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_ambient._halt import Halt, current, under
from pytest_ambient.cluster.namespaces import RUN_LABEL
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.errors import AmbientError, Forbidden
from pytest_ambient.redact import redacted, shown

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube

Object: TypeAlias = dict[str, Any]

MESH = ("app=istiod", "app=ztunnel", "k8s-app=istio-cni-node", "app=kmesh")
"""The labels of the mesh's own pods."""
WITHIN = 60.0
"""Seconds that the look at the cluster may take, and as many for the provider's logs."""
DEAF = 5.0
"""Seconds after which whoever does not end when asked to is left behind."""
PODS = 40
"""Pods that are told of at most."""
LINES = 2000
"""Lines of each container's log."""
BYTES = 1 << 20
"""Bytes of each file; the end of a log and of the events is what counts."""


def collect(folder: Path, save_logs: Callable[[], None], cluster: Cluster | None) -> str:
    """Write all that can be had into `folder`, within two minutes; what could not be had, empty when nothing.

    `save_logs` is the provider's; without a cluster nobody is asked.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        return f"{error.strerror}"
    complaints = [_bounded("logs of the provider", lambda: swept(folder, save_logs))]
    if cluster is not None:
        complaints.append(_bounded("the cluster's objects", lambda: _look(cluster, folder)))
    return "; ".join(filter(None, complaints))


def swept(folder: Path, save: Callable[[], None]) -> None:
    """Let logs be saved into a folder, and take out of them what must not be in it."""
    try:
        save()
    finally:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                _sweep(path)


def _sweep(path: Path) -> None:
    data = path.read_bytes()
    text = data.decode(errors="surrogateescape")
    clean = text if "\0" in text else redacted(text)
    if clean != text:
        path.write_bytes(clean.encode(errors="surrogateescape"))


def _bounded(what: str, act: Callable[[], None]) -> str:
    """Why something could not be done in time; empty when it was."""
    halt, complaints = Halt(), list[str]()

    def work() -> None:
        try:
            with under(halt):
                act()
        except (AmbientError, OSError) as error:
            complaints.append(f"{what}: {error}")
        except Exception as error:  # evidence of one failure must not become another
            complaints.append(f"{what}: {error!r}")
        except KeyboardInterrupt:
            complaints.append(f"{what}: not within {WITHIN:g} s")

    thread = threading.Thread(target=work, name=what, daemon=True)
    thread.start()
    try:
        thread.join(WITHIN)
    finally:
        halt.set()
    thread.join(DEAF)
    return complaints[0] if complaints else f"{what}: not within {WITHIN:g} s" if thread.is_alive() else ""


def _look(cluster: Cluster, folder: Path) -> None:
    from pytest_ambient._kube import Kube

    kube = Kube(cluster.kubeconfig, cluster.context)
    look(kube, folder, None if cluster.owned else _concerned(kube))


def _concerned(kube: "Kube") -> frozenset[str]:
    """The namespaces of runs and of the mesh: what else is in a cluster of others is none of our business."""
    runs = {item["metadata"]["name"] for item in kube.list("v1/Namespace", labels=RUN_LABEL)}
    return frozenset(
        runs | {pod["metadata"]["namespace"] for label in MESH for pod in kube.list("v1/Pod", labels=label)}
    )


def look(kube: "Kube", folder: Path, only: Collection[str] | None = None) -> None:
    """Write events, nodes, a list of all pods and, of each pod that is not ready, object and logs.

    `only` names the namespaces that may be looked into, None means all. What this user may not list is left out.
    """

    def found(kind: str) -> list[Object]:
        try:
            items = kube.list(kind)
        except Forbidden:
            return []
        return [one for one in items if only is None or one["metadata"].get("namespace", "") in ("", *only)]

    _write(folder / "events.txt", "".join(f"{line}\n" for line in sorted(map(_event, found("v1/Event")))))
    _write(folder / "nodes.yaml", _yaml(found("v1/Node")))
    pods = found("v1/Pod")
    _write(folder / "pods.txt", "".join(f"{line}\n" for line in map(_pod, pods)))
    for pod in [pod for pod in pods if not _ready(pod)][:PODS]:
        current().check()
        name = f"{pod['metadata']['namespace']}_{pod['metadata']['name']}"
        _write(folder / f"{name}.yaml", _yaml([pod]))
        for container, previous in _containers(pod):
            _log(kube, pod, container, previous, folder / f"{name}_{container}{'.previous' * previous}.log")


def _log(kube: "Kube", pod: Object, container: str, previous: bool, path: Path) -> None:
    meta = pod["metadata"]
    try:
        text = kube.logs(meta["namespace"], meta["name"], container, tail=LINES, previous=previous)
    except AmbientError as error:  # it may have no log yet, and that is told in its place
        text = f"no log: {error}\n"
    _write(path, text)


def _containers(pod: Object) -> Iterator[tuple[str, bool]]:
    """The containers that have begun, by name; each with its life before when there was one."""
    status = pod.get("status") or {}
    for one in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        if one.get("restartCount") or (one.get("lastState") or {}).get("terminated"):
            yield one["name"], True
        if "waiting" not in (one.get("state") or {}):
            yield one["name"], False


def _ready(pod: Object) -> bool:
    status = pod.get("status") or {}
    conditions = {one.get("type"): one.get("status") for one in status.get("conditions") or ()}
    return status.get("phase") == "Succeeded" or conditions.get("Ready") == "True"


def _event(one: Object) -> str:
    about, count = one.get("involvedObject") or {}, one.get("count") or 1
    when = one.get("lastTimestamp") or one.get("eventTime") or one["metadata"].get("creationTimestamp") or ""
    where = "/".join(filter(None, (about.get("namespace"), about.get("name"))))
    message = " ".join(str(one.get("message") or "").split())
    return (
        f"{when}  {one.get('type', '')}  {one.get('reason', '')}  {about.get('kind', '')} {where}  x{count}  {message}"
    )


def _pod(pod: Object) -> str:
    meta, status = pod["metadata"], pod.get("status") or {}
    restarts = sum(one.get("restartCount", 0) for one in status.get("containerStatuses") or ())
    ready = "ready" if _ready(pod) else "not ready"
    node = (pod.get("spec") or {}).get("nodeName") or "no node"
    return f"{meta['namespace']}/{meta['name']}  {status.get('phase', '')}, {ready}, {restarts} restarts, {node}"


def _yaml(objects: list[Object]) -> str:
    import yaml

    for one in objects:
        one.get("metadata", {}).pop("managedFields", None)
    return str(yaml.safe_dump_all([shown(one) for one in objects], sort_keys=False, allow_unicode=True))


def _write(path: Path, text: str) -> None:
    data = redacted(text).encode(errors="replace")
    path.write_bytes(data if len(data) <= BYTES else b"...\n" + data[-BYTES:])
