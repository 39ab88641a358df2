"""A little mesh for these tests: pods that are Unix sockets, a real data plane, real curl bound to pod addresses."""

import asyncio
import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pytest_ambient.embedded.addresses import Addresses
from pytest_ambient.embedded.dataplane import DataPlane
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.model import (
    Endpoint,
    Identity,
    Mesh,
    Service,
    ServicePort,
    Waypoint,
    WaypointRef,
    Workload,
)
from pytest_ambient.embedded.kubelet.announced import Announced
from pytest_ambient.embedded.ports import announced
from pytest_ambient.embedded.process import Processes

Answer = TypeVar("Answer")
NODE = "node-1"


@dataclass(frozen=True)
class Reply:
    """What curl saw."""

    exit: int
    status: int
    headers: dict[str, str]
    names: tuple[str, ...]
    """The header names as they came."""
    body: str
    port: int
    """curl's own port."""
    connected: bool

    @property
    def pod(self) -> str:
        """The pod that answered, empty when none did."""
        return self._told("pod")

    @property
    def caller(self) -> str:
        """The address from which that pod was called, empty when none answered."""
        return self._told("caller")

    def _told(self, what: str) -> str:
        return str(json.loads(self.body).get(what, "")) if self.body.startswith("{") else ""


@dataclass
class World:
    """The mesh, the applications and the data plane, run by a loop in a thread of its own."""

    folder: Path
    faults: frozenset[Fault] = frozenset()
    logs: dict[str, list[str]] = field(default_factory=dict)
    mesh: Mesh = field(default_factory=Mesh)
    asked: list[str] = field(default_factory=list)
    """Each request that reached an application: `POD PATH`."""

    def __post_init__(self) -> None:
        """Claim addresses and start everything."""
        self.addresses = Addresses.claim()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._servers: list[asyncio.AbstractServer] = []
        self.run(self._start())

    def run(self, work: Coroutine[Any, Any, Answer], within: float = 20) -> Answer:
        """Wait for a coroutine that runs in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(within)

    async def _start(self) -> None:
        self.processes = Processes()
        self.plane = DataPlane(self.folder / "d", self.processes, self._log, self.faults)
        await self.plane.start()

    def close(self) -> None:
        """End everything."""
        self.run(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        self.addresses.close()

    async def _stop(self) -> None:
        await self.plane.stop()
        await self.processes.stop()
        for each in self._servers:
            each.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _log(self, namespace: str, pod: str, line: str) -> None:
        self.logs.setdefault(f"{namespace}/{pod}", []).append(line)

    def pod(
        self,
        name: str,
        *ports: int,
        namespace: str = "bookinfo",
        account: str = "",
        captured: bool = True,
        waypoint: WaypointRef | None = None,
        dead: bool = False,
    ) -> Workload:
        """A pod with an application on each port."""
        address = self.addresses.pods.take()
        sockets = {port: str(self.folder / f"{address}-{port}") for port in ports}
        for path in () if dead else sockets.values():
            self.run(self._serve(name, path))
        app, _, version = name.partition("-")
        labels = {"app": app, "version": version or "latest"}
        identity = Identity(namespace, account or app)
        made = Workload(
            f"{name}-abc", namespace, address, identity, NODE, labels, name, "deployment", True, captured, sockets,
            waypoint,
        )  # fmt: skip
        self.mesh = replace(self.mesh, workloads={**self.mesh.workloads, made.uid: made})
        return made

    def service(
        self, name: str, *pods: Workload, port: int = 9080, target: int = 0, protocol: Any = "HTTP", **more: Any
    ) -> Service:
        """A Service with these pods behind it."""
        endpoints = tuple(Endpoint(each.uid, {port: target or port}) for each in pods)
        ports = (ServicePort(port, "http", protocol),)
        namespace = more.pop("namespace", "bookinfo")
        made = Service(name, namespace, self.addresses.services.take(), ports, endpoints, **more)
        self.mesh = replace(self.mesh, services={**self.mesh.services, made.key: made})
        return made

    def waypoint(self, name: str, namespace: str = "bookinfo", **more: Any) -> Waypoint:
        """A waypoint with one running pod."""
        address = self.addresses.pods.take()
        identity = Identity(namespace, name)
        pod = Workload(
            f"{name}-abc", namespace, address, identity, NODE, {}, name, "deployment", True, False, {}, is_waypoint=True
        )
        more.setdefault("handles", "service")
        made = Waypoint(name, namespace, address=self.addresses.services.take(), pods=(pod.uid,), **more)
        self.mesh = replace(
            self.mesh,
            workloads={**self.mesh.workloads, pod.uid: pod},
            waypoints={**self.mesh.waypoints, made.key: made},
        )
        self.run(self.plane.start_waypoint(pod.name, namespace, address, identity))
        return made

    def push(self, mesh: Mesh | None = None) -> None:
        """Let the data plane follow that mesh, or the own one."""
        self.run(self.plane.push(mesh or self.mesh))

    @contextmanager
    def having(self, **changes: Any) -> Iterator[Mesh]:
        """The mesh with these fields changed, for a while."""
        changed = replace(self.mesh, **changes)
        self.push(changed)
        try:
            yield changed
        finally:
            self.push(self.mesh)

    def curl(self, source: Workload, url: str, *arguments: str, host: str = "") -> Reply:
        """Call from that pod."""
        named = ("-H", f"Host: {host}") if host else ()
        written = "\n%{http_code} %{local_port} %{time_connect}"
        command = ["curl", "-q", "-sS", "-i", "--max-time", "4", "--interface", source.address, "-w", written]
        ran = subprocess.run([*command, *named, *arguments, url], capture_output=True, timeout=20, check=False)
        text, _, told = ran.stdout.decode().rpartition("\n")
        status, port, connect = told.split()
        head, _, body = text.partition("\r\n\r\n")
        pairs = [line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line]
        headers = {name.lower(): value for name, value in pairs}
        names = tuple(name for name, _ in pairs)
        return Reply(ran.returncode, int(status), headers, names, body, int(port), float(connect) > 0)

    def url(self, service: Service, path: str = "/") -> str:
        """Where the Service is."""
        return f"http://{service.vip}:{service.ports[0].port}{path}"

    def call(self, source: Workload, service: Service, path: str = "/", *arguments: str) -> Reply:
        """Call a Service by its name."""
        host = f"{service.name}.{service.namespace}:{service.ports[0].port}"
        return self.curl(source, self.url(service, path), *arguments, host=host)

    def counted(self, pod: str, *parts: str) -> tuple[int, int]:
        """How many requests with all these labels the counter of a waypoint or gateway has, and how many its histogram.

        It is one of bookinfo.
        """
        _, _, body = self.run(self.plane.waypoint_admin(pod, "bookinfo", "/stats/prometheus"))
        lines = [each for each in body.decode().splitlines() if all(part in each for part in parts)]

        def of(metric: str) -> int:
            return sum(int(each.rpartition(" ")[2]) for each in lines if each.startswith(f"{metric}{{"))

        return of("istio_requests_total"), of("istio_request_duration_milliseconds_count")

    async def _serve(self, name: str, path: str) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while await _answer(name, reader, writer, self.asked):
                    pass
            except (OSError, asyncio.IncompleteReadError):
                writer.transport.abort()
            finally:
                writer.close()

        def serve() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(asyncio.StreamReader(), answer)

        made = asyncio.get_running_loop().create_unix_server(lambda: Announced(serve), announced(path))
        self._servers.append(await made)

    def logged(self, pod: str, *parts: str, within: float = 2.0) -> list[str]:
        """The lines of a pod's log that hold all these parts, waited for."""
        found: list[str] = []

        def there() -> bool:
            found[:] = [each for each in self.logs.get(pod, []) if all(part in each for part in parts)]
            return bool(found)

        eventually(there, within)
        return found


async def _answer(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[str]) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    request, *lines = head.rstrip().split("\r\n")
    method, path, _ = request.split()
    asked.append(f"{name} {path}")
    headers = {key.lower(): value for key, value in (each.split(": ", 1) for each in lines)}
    await reader.readexactly(int(headers.get("content-length", 0)))
    if delay := re.search(r"/delay/([\d.]+)", path):
        await asyncio.sleep(float(delay[1]))
    caller = writer.get_extra_info("peername")[0]
    told = {"pod": name, "method": method, "path": path, "headers": headers, "caller": caller}
    body = json.dumps(told).encode()
    status = "405 Method Not Allowed" if method == "DELETE" else "200 OK"
    closing = headers.get("connection") == "close"
    connection = "Connection: close\r\n" if closing else ""
    head = f"HTTP/1.1 {status}\r\nX-Powered-By: Test/1\r\nContent-Length: {len(body)}\r\n{connection}\r\n"
    writer.write(head.encode() + (b"" if method == "HEAD" else body))
    await writer.drain()
    return not closing


def eventually(holds: Callable[[], bool], within: float = 2.0) -> bool:
    """Whether it came to hold in time."""
    end = time.monotonic() + within
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.005)
    return held
