"""A cluster without API server and Envoy: store, controllers, kubelet, and plain forwarders for a data plane."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from socket import inet_aton
from typing import Any

from pytest_ambient.embedded import seed
from pytest_ambient.embedded.addresses import Addresses
from pytest_ambient.embedded.api.store import Resource, Store, find
from pytest_ambient.embedded.controllers.controllers import Controllers
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.model import Identity
from pytest_ambient.embedded.kubelet.kubelet import LocalKubelet
from pytest_ambient.embedded.kubelet.machine import Machine
from pytest_ambient.embedded.kubelet.programmed import HBONE, captured
from pytest_ambient.embedded.objects import Object, name_of, namespace_of
from pytest_ambient.embedded.ports import announced, bound
from pytest_ambient.embedded.process import Processes

POD, SERVICE, DEPLOYMENT = find("Pod"), find("Service"), find("Deployment", "apps")
ENDPOINTS = find("Endpoints")
SPACE = "bookinfo"


class Plane:
    """Forwards what reaches a Service or a pod to the pod's socket, and remembers who called."""

    def __init__(self) -> None:
        self.ready = True
        self.calls: list[tuple[str, str, int]] = []
        self.waypoints: list[tuple[str, str, Identity]] = []
        self.late: set[str] = set()
        self.waiting: set[str] = set()
        """Addresses of pods that it does not serve yet."""
        self.gateways: list[tuple[str, str, Identity]] = []
        self.store: Store
        self.kubelet: LocalKubelet
        self._servers: dict[tuple[str, int], asyncio.Server] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, store: Store, kubelet: LocalKubelet) -> None:
        """Begin to follow the store."""
        self.store, self.kubelet = store, kubelet
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Forward nothing more."""
        if self._task:
            self._task.cancel()
        for each in self._servers.values():
            each.close()

    def serves(self, address: str) -> bool:
        """All but those who are late."""
        return address not in self.late

    def waits(self, address: str) -> bool:
        """Those who are told to."""
        return address in self.waiting

    def no_upstream(self, source: str, destination: str, size: int) -> None:
        """Nobody asks."""

    async def start_waypoint(self, name: str, namespace: str, address: str, identity: Identity) -> None:
        """Remember that it was asked for."""
        self.waypoints.append((namespace, name, identity))

    async def stop_waypoint(self, name: str, namespace: str) -> None:
        """Remember that it has gone."""
        self.waypoints = [each for each in self.waypoints if each[:2] != (namespace, name)]

    async def start_gateway(self, name: str, namespace: str, address: str, identity: Identity, gateway: str) -> None:
        """Remember that it was asked for."""
        self.gateways.append((gateway, name, identity))

    async def stop_gateway(self, name: str, namespace: str) -> None:
        """Remember that it has gone."""
        self.gateways = [each for each in self.gateways if each[1] != name]

    def ztunnel_metrics(self, node: str) -> str:
        """No counter."""
        return f"# {node}\n"

    def ztunnel_config_dump(self, node: str) -> Object:
        """Nothing but the node."""
        return {"node": node}

    def proxy_serves(self, name: str, namespace: str) -> bool:
        """All do."""
        return True

    async def waypoint_admin(
        self, name: str, namespace: str, path: str, method: str = "GET"
    ) -> tuple[int, dict[str, str], bytes]:
        """What was asked."""
        return 200, {"content-type": "text/plain"}, f"{method} {path}".encode()

    async def _follow(self) -> None:
        while True:
            for pod in self.store.list(POD):
                address = pod.get("status", {}).get("podIP")
                if address:
                    for port in self.kubelet.sockets(pod["metadata"]["uid"]):
                        await self._serve(address, port)
                    if captured(pod):
                        await self._serve(address, HBONE)
            for service in self.store.list(SERVICE):
                for each in service["spec"].get("ports") or ():
                    if service["spec"]["clusterIP"] != "None":
                        await self._serve(service["spec"]["clusterIP"], each["port"])
            await asyncio.sleep(0.003)

    async def _serve(self, address: str, port: int) -> None:
        if (address, port) in self._servers:
            return

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.calls.append((writer.get_extra_info("peername")[0], address, port))
            socket = self._target(address, port)
            if socket is None:
                writer.close()
                return
            there, back = await asyncio.open_unix_connection(announced(socket))
            back.write(announcement(*writer.get_extra_info("peername")))
            await asyncio.gather(_copy(reader, back), _copy(there, writer))

        self._servers[address, port] = await asyncio.start_server(forward, address, bound(port))

    def _target(self, address: str, port: int) -> str | None:
        for service in self.store.list(SERVICE):
            if service["spec"].get("clusterIP") == address:
                endpoints = self.store.get(ENDPOINTS, name_of(service), namespace_of(service)) or {}
                wanted = next(each for each in service["spec"]["ports"] if each["port"] == port)
                for subset in endpoints.get("subsets") or ():
                    for each in subset.get("addresses") or ():
                        return self._target(each["ip"], int(wanted["targetPort"]))
                return None
        pods = [each for each in self.store.list(POD) if each.get("status", {}).get("podIP") == address]
        return self.kubelet.sockets(pods[0]["metadata"]["uid"]).get(port) if pods else None


def announcement(address: str, port: int) -> bytes:
    """The beginning of a connection from there, as the PROXY protocol's second version has it."""
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + inet_aton(address) + bytes(4) + port.to_bytes(2) + bytes(2)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError), contextlib.closing(writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


class Bench:
    """A running cluster; `space` is its enrolled namespace."""

    space = SPACE

    def __init__(self, state: Path, nodes: int, faults: frozenset[Fault]) -> None:
        self.state = state
        self.store = Store()
        self.plane = Plane()
        self.processes = Processes()
        self.addresses = Addresses.claim()
        certificates = {"kube-root-ca.crt": {"ca.crt": "PEM"}}
        self.controllers = Controllers(
            self.store, self.addresses, certificates=certificates, proxy_image=seed.PROXY, faults=faults
        )
        hosts = {name: self.addresses.node(number) for number, name in enumerate(seed.node_names(nodes))}
        seed.cluster(self.store, list(hosts.items()), faults)
        self.kubelet = LocalKubelet(
            Machine.of(
                self.store, state, self.processes, self.addresses, self.plane, hosts=hosts,
                emit=self.controllers.emit, capture=self.controllers.capture, faults=faults,
            )
        )  # fmt: skip
        self.plane.start(self.store, self.kubelet)

    async def namespace(self, name: str, **labels: str) -> None:
        """Make a namespace, complete with its default ServiceAccount."""
        meta = {
            "name": name,
            "labels": {key.replace("__", "/").replace("_", "."): value for key, value in labels.items()},
        }
        self.store.create(find("Namespace"), {"metadata": meta})
        await self.until(lambda: self.store.get(find("ServiceAccount"), "default", name))

    async def until(self, check: Callable[[], Any], seconds: float = 5.0) -> Any:
        """Wait until the check gives something and return that."""
        async with asyncio.timeout(seconds):
            while not (found := check()):
                await asyncio.sleep(0.003)
        return found

    def pods(self, name: str = "", namespace: str | None = None) -> list[Object]:
        """The pods whose names begin so."""
        return [each for each in self.store.list(POD, namespace or self.space) if name_of(each).startswith(name)]

    async def count(self, name: str, wanted: int) -> None:
        """Wait until there are so many pods whose names begin so."""
        await self.until(lambda: len(self.pods(name)) == wanted)

    async def gone(self, resource: Resource, name: str) -> None:
        """Wait until the namespace has no such object."""
        await self.until(lambda: self.store.get(resource, name, self.space) is None)

    async def ready_pod(self, name: str, namespace: str | None = None) -> Object:
        """The first Ready pod whose name begins so."""
        found: Object = await self.until(
            lambda: next((each for each in self.pods(name, namespace) if is_ready(each)), None)
        )
        return found

    async def run(
        self, pod: Object, *argv: str, stdin: bytes | None = None, container: str = ""
    ) -> tuple[int, str, str]:
        """Run a command in the pod's first or the named container: exit code, output, errors."""
        container = container or pod["spec"]["containers"][0]["name"]
        process = await self.kubelet.exec(pod, container, argv, stdin=stdin is not None, tty=False)
        if stdin is not None:
            await process.write(stdin)
            await process.close_input()
        streams = {"stdout": b"", "stderr": b""}
        while piece := await process.read():
            streams[piece[0]] += piece[1]
        return await process.wait(), streams["stdout"].decode(), streams["stderr"].decode()

    async def stop(self) -> None:
        """End everything."""
        await self.kubelet.stop()
        self.controllers.stop()
        await self.plane.stop()
        await self.processes.stop()
        self.addresses.close()


def play(
    state: Path,
    scenario: Callable[[Bench], Awaitable[None]],
    *,
    nodes: int = 1,
    faults: frozenset[Fault] = frozenset(),
    enrolled: bool = True,
) -> None:
    """Play a scenario on a fresh cluster."""

    async def whole() -> None:
        bench = Bench(state, nodes, faults)
        try:
            await bench.namespace(bench.space, **({"istio_io__dataplane-mode": "ambient"} if enrolled else {}))
            await scenario(bench)
        finally:
            await bench.stop()

    asyncio.run(asyncio.wait_for(whole(), 20))


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition holds."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
