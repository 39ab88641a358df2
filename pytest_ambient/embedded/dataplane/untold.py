"""Captured pods that came while no istiod was there: ztunnel waits for word of them, and then closes the connection.

So it does with what they call and with what calls them, for as long as nobody tells it of them (ztunnel's
`wait_for_workload`; recorded on Istio 1.30.3).
"""

import asyncio
import contextlib
import re
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..istiod.model import Mesh, Workload
from ..objects import Object
from ..ports import bound
from .connections import Connection, Directory
from .matching import blocks
from .nearest import Way
from .xds import HBONE_PORT, inner, original_dst, passed_on, pipe, static, tcp_proxy
from .xds import socket as place

WAIT = 5.0
"""Seconds for which ztunnel waits."""

_NAME = "untold"
_PREFACE = 28
"""Bytes of the PROXY protocol's second version that say from where to where a connection goes."""
_READ = 65536
_HOST = re.compile(rb"^host: *[^\s:]+(?::(\d+))?\r$", re.IGNORECASE | re.MULTILINE)


def untold(mesh: Mesh) -> list[Workload]:
    """The captured pods of which the proxies know nothing."""
    told = {(each.uid, each.address) for each in mesh.workloads.values()}
    now = mesh.now.workloads.values() if mesh.now else ()
    captured = (each for each in now if each.address and each.captured and not each.is_waypoint)
    return [each for each in captured if (each.uid, each.address) not in told]


def waiting_place(folder: Path) -> str:
    """The Unix socket at which connections wait."""
    return str(folder / "untold.sock")


class Untold:
    """What the Envoy of all ztunnels is given to do with those pods."""

    def __init__(self, mesh: Mesh, path: str) -> None:
        """`path` is where connections wait."""
        self._pods = untold(mesh)
        self._addresses = {each.address for each in self._pods}
        self._path = path

    def __contains__(self, pod: Workload) -> bool:
        return pod.address in self._addresses

    @property
    def ways(self) -> list[Way]:
        """What a listener does with connections that come from them."""
        return [(_NAME, blocks(sorted(self._addresses)), [tcp_proxy(_NAME)])] if self._pods else []

    def endpoint(self, pod: Workload, port: int) -> Object:
        """A port of such a pod as an endpoint."""
        address = f"{pod.address}:{port}"
        return inner(_NAME, address, local=address)

    def listeners(self) -> Iterator[Object]:
        """Those at their own addresses; where tunnels would end, all other ports are led to, too."""
        filters = [tcp_proxy(_NAME)]
        if self._pods:
            yield {
                "name": _NAME,
                "internal_listener": {},
                "listener_filters": [original_dst()],
                "filter_chains": [{"name": _NAME, "filters": filters}],
            }
        chains = [{"name": _NAME, "filters": filters}]
        for pod in self._pods:
            for port in sorted(pod.sockets):
                at = place(pod.address, bound(port))
                yield {"name": f"pod~{pod.address}:{port}", "address": at, "filter_chains": chains}
            at = place(pod.address, HBONE_PORT)
            yield {"name": f"hbone~{pod.address}", "address": at, "filter_chains": chains}

    def clusters(self) -> Iterator[Object]:
        """Where their connections go."""
        if self._pods:
            yield static(_NAME, passed_on(pipe(self._path)))


@dataclass(frozen=True)
class Waited:
    """A connection that waited in vain."""

    lost: Workload
    """The pod of which nobody had told."""
    source: str
    destination: str
    size: int
    milliseconds: int
    called: bool
    """Whether it is that pod which was called."""

    def seen(self, directory: Directory) -> Iterator[Connection]:
        """What the ztunnels say of it."""
        caller, pod = directory.at(self.source), self.lost
        who = f"{pod.identity.account}.{pod.namespace} ({pod.name})"
        why = f"failed to fetch information about local workload: {who}"
        ends = (None, None, 0, 0, self.milliseconds)
        if not self.called:
            yield Connection("outbound", self.source, pod, self.destination, None, *ends, why, known=False)
            return
        if caller and caller.captured:
            sizes = (self.size, 0, self.milliseconds)
            yield Connection("outbound", self.source, caller, self.destination, None, None, None, *sizes, None)
        yield Connection("inbound", self.source, None, self.destination, pod, *ends, why, known=False)


class Waiting:
    """Takes connections from and to such pods, and closes them after a while."""

    def __init__(self, path: str, tell: Callable[[Waited], None]) -> None:
        """`tell` hears of each that is over."""
        self._path, self._tell = path, tell
        self._pods: Mapping[str, Workload] = {}
        self._server: asyncio.Server | None = None
        self._taken: set[asyncio.Task[None]] = set()

    def follow(self, pods: Iterable[Workload]) -> None:
        """Know from now on which pods those are."""
        self._pods = {each.address: each for each in pods}

    def holds(self, address: str) -> bool:
        """Whether it is the address of one."""
        return address in self._pods

    async def start(self) -> None:
        """Listen."""
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._take, self._path)

    async def stop(self) -> None:
        """Listen no more, and close what waits."""
        if self._server:
            self._server.close()
        for each in self._taken:
            each.cancel()
        await asyncio.gather(*self._taken, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self._taken.add(task)
            task.add_done_callback(self._taken.discard)
        began = time.monotonic()
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            (source, port), (destination, asked) = _ends(await reader.readexactly(_PREFACE))
            called = source not in self._pods
            lost = self._pods.get(destination if called else source)
            size, first = await _heard(reader)
            if asked == HBONE_PORT and (named := _HOST.search(first)):
                asked = int(named[1] or b"80")
            if lost:
                spent = round((time.monotonic() - began) * 1000)
                self._tell(Waited(lost, f"{source}:{port}", f"{destination}:{asked}", size, spent, called))


async def _heard(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """How much the caller says before it goes or its time is over, and how that begins."""
    size, first = 0, b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WAIT):
            while more := await reader.read(_READ):
                size, first = size + len(more), first or more
    return size, first


def _ends(preface: bytes) -> tuple[tuple[str, int], tuple[str, int]]:
    source, destination, port, asked = struct.unpack("!4s4sHH", preface[-12:])
    return (socket.inet_ntoa(source), port), (socket.inet_ntoa(destination), asked)
