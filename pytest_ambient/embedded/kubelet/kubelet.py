"""The kubelet of every node at once: runs the pods that are bound to a node and answers for them."""

import asyncio
import math
from collections.abc import Mapping, Sequence

from ..api.errors import ApiError
from ..api.store import Change, find
from ..objects import Object, name_of, namespace_of
from . import reach
from .log import ContainerLog
from .machine import Machine
from .pod import Pod
from .programmed import runs_proxy
from .protocol import ExecProcess, ExecRefused, PodUnreachable

_POD = find("Pod")
_SHUTDOWN = 2.0
"""Seconds that commands have to end in when the whole cluster ends."""


class LocalKubelet:
    """Runs pods in this process."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._pods: dict[str, Pod] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}
        machine.sandboxes.follow(self.sockets)
        self._unsubscribe = machine.store.subscribe(self._seen)
        for each in machine.store.list(_POD):
            self._wanted(each)

    async def stop(self) -> None:
        """End every pod; the API's objects stay as they are."""
        self._unsubscribe()
        for uid in tuple(self._pods):
            self._end(uid, within=_SHUTDOWN)
        await asyncio.gather(*self._ending.values(), return_exceptions=True)
        self._machine.close()

    async def exec(self, pod: Object, container: str, command: Sequence[str], *, stdin: bool, tty: bool) -> ExecProcess:
        """Start a command in a running container; raise ExecRefused when it can't be started."""
        found = self._pods.get(str(pod["metadata"]["uid"]))
        if found is None:
            raise ExecRefused(f'container not found ("{container}")')
        try:
            return await found.find(container).execute(command, stdin=stdin, tty=tty)
        except LookupError as error:
            raise ExecRefused(str(error.args[0])) from error

    async def attach(self, pod: Object, container: str, *, stdin: bool, tty: bool) -> ExecProcess:
        """Come to a container's own program; raise ExecRefused when there is none."""
        found = self._pods.get(str(pod["metadata"]["uid"]))
        try:
            if found is not None:
                return found.find(container).attach(stdin=stdin, tty=tty)
        except LookupError as error:
            raise ExecRefused(str(error.args[0])) from error
        raise ExecRefused(f'container not found ("{container}")')

    def log(self, pod: Object, container: str, *, previous: bool = False) -> ContainerLog:
        """Return a container's log; raise LookupError with the kubelet's words when there is none."""
        found = self._pods.get(str(pod["metadata"]["uid"]))
        if found is None:
            raise LookupError(f'container "{container}" in pod "{name_of(pod)}" is waiting to start: ContainerCreating')
        source = found.find(container)
        if previous:
            if source.previous_log is None:
                raise LookupError(f'previous terminated container "{container}" in pod "{name_of(pod)}" not found')
            return source.previous_log
        waiting = source.state.state.get("waiting")
        if waiting and not source.log.lines and source.previous_log is None:
            why = waiting["reason"]
            if why == "ImagePullBackOff":
                why = "trying and failing to pull image"
            raise LookupError(f'container "{container}" in pod "{name_of(pod)}" is waiting to start: {why}')
        if waiting and source.previous_log is not None:
            return source.previous_log
        return source.log

    async def fetch(
        self,
        pod: Object,
        port: int,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        local: bool = False,
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask a port of the pod over HTTP as the node would, or as the pod itself, whose `local` ones no other reaches.

        PodUnreachable when nothing listens there.
        """
        found = self._found(pod)
        through = found.address if found.ports.socket(port) is None and runs_proxy(pod) else ""
        if port not in found.ports.public and not through and not local:
            raise PodUnreachable(f"dial tcp {found.address}:{port}: connect: connection refused")
        return await reach.fetch(found.ports, port, path, method, headers, body, through=through)

    async def dial(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a port of the pod, localhost ones included; raise PodUnreachable when nothing listens there."""
        found = self._found(pod)
        return await reach.dial(found.ports, port, through=found.address if runs_proxy(pod) else "")

    def sockets(self, uid: str) -> Mapping[int, str]:
        """The Unix sockets of a pod's ports, none for a pod that does not run."""
        found = self._pods.get(uid)
        return found.ports.public if found else {}

    def append_log(self, namespace: str, pod: str, container: str, line: str) -> None:
        """Add a line to a container's log; a line for a pod that has gone is dropped."""
        known = self._machine.store.get(_POD, pod, namespace)
        found = self._pods.get(str(known["metadata"]["uid"])) if known else None
        if found:
            found.find(container).log.append(line)

    def _found(self, pod: Object) -> Pod:
        found = self._pods.get(str(pod["metadata"]["uid"]))
        if found is None:
            raise PodUnreachable(f"pod {name_of(pod)} does not run")
        return found

    def _seen(self, change: Change) -> None:
        if change.resource.key == _POD.key:
            if change.type == "DELETED":
                self._end(str(change.object["metadata"]["uid"]), within=0)
            else:
                self._wanted(change.object)

    def _wanted(self, pod: Object) -> None:
        """Bring a pod to what the API says of it."""
        uid, meta = str(pod["metadata"]["uid"]), pod["metadata"]
        running = self._pods.get(uid)
        if running:
            running.update(pod)
        if "deletionTimestamp" in meta:
            self._end(uid, pod)
        elif (
            running is None
            and pod["spec"].get("nodeName") in self._machine.hosts
            and uid not in self._ending
            and not _over(pod)
        ):
            self._pods[uid] = Pod(self._machine, pod)

    def _end(self, uid: str, deleted: Object | None = None, within: float = math.inf) -> None:
        """Stop a pod in its own time or sooner; then let the API forget it, when it is being deleted."""
        found = self._pods.get(uid)
        if found:
            found.hurry(within)
        if uid in self._ending or (found is None and deleted is None):
            return

        async def end() -> None:
            try:
                if found:
                    await found.stop()
                if found and deleted:
                    found.conclude()
                if deleted:
                    self._forget(deleted)
            finally:
                self._pods.pop(uid, None)
                self._ending.pop(uid, None)

        self._ending[uid] = asyncio.create_task(end())

    def _forget(self, pod: Object) -> None:
        left = self._machine.store.get(_POD, name_of(pod), namespace_of(pod))
        if left and left["metadata"]["uid"] == pod["metadata"]["uid"]:
            try:
                self._machine.store.delete(_POD, name_of(pod), namespace_of(pod), grace=0)
            except ApiError as error:
                self._machine.emit(pod, "Warning", "FailedKillPod", error.message)


def _over(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
