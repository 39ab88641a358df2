"""The data plane as the rest of the embedded cluster sees it: give it a mesh, and traffic follows."""

import asyncio
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

from ..faults import Fault
from ..istiod.model import Identity, Mesh, WaypointRef, Workload
from ..objects import Object
from ..process import Processes
from . import refusals
from .ca import Authority
from .checks import AGAIN, QUIET
from .connections import Connection, Directory, connection
from .dump import config_dump
from .envoy import Envoy, EnvoyFailed, Node
from .gateway import GatewayConfiguration
from .lines import Line
from .metrics import Metrics
from .request_labels import at_gateway, at_waypoint
from .requests import Requests
from .resources import Resources
from .untold import Waited, Waiting, untold, waiting_place
from .waypoint import WaypointConfiguration
from .waypoint import written as waypoint_line
from .xds import HBONE_PORT
from .ztunnel import ZtunnelConfiguration
from .ztunnel_log import stamp, written

Log = Callable[[str, str, str], None]
"""Takes a pod's namespace, its name, and a line that it logs."""

_STATS = "/stats/prometheus"
_ZTUNNEL_DRAIN = 1
"""Seconds for which connections stay open that went through something which is gone now."""
_WAYPOINT_DRAIN = 5
"""Likewise at a waypoint, where a policy replaces the listener (recorded: about six seconds, then end-of-file)."""


@dataclass
class _WaypointPod:
    waypoint: WaypointRef
    envoy: Envoy
    configuration: WaypointConfiguration
    requests: Requests
    told: bool
    """Whether an istiod has told it anything."""


@dataclass
class _GatewayPod:
    key: str
    """`NAMESPACE/NAME` of its Gateway."""
    envoy: Envoy
    configuration: GatewayConfiguration
    requests: Requests
    told: bool
    """Whether an istiod has told it anything."""


class DataPlane:
    """One Envoy for the ztunnels of all nodes and one for each waypoint pod and gateway pod."""

    def __init__(self, state: Path, processes: Processes, log: Log, faults: frozenset[Fault] = frozenset()) -> None:
        self._folder = state
        self._processes = processes
        self._log = log
        self._faults = faults
        self._authority = Authority(state / "ca")
        folder = state / "ztunnel"
        self._configuration = ZtunnelConfiguration(self._authority, folder, faults)
        self._ztunnel = Envoy("ztunnel", folder, processes, self._seen, _ZTUNNEL_DRAIN)
        self._waiting = Waiting(waiting_place(folder), self._waited)
        self._waypoints: dict[str, _WaypointPod] = {}
        self._gateways: dict[str, _GatewayPod] = {}
        self._mesh = Mesh()
        self._served: frozenset[str] = frozenset()
        self._directory = Directory(self._mesh)
        self._metrics = Metrics(miscounts=Fault.TELEMETRY_MISCOUNTS in faults)
        self._pushing = asyncio.Lock()

    @property
    def ready(self) -> bool:
        """Whether ztunnel runs."""
        return self._ztunnel.running

    @property
    def root_certificate(self) -> str:
        """The certificate, in PEM, to which all of the mesh's chain."""
        return self._authority.root_file.read_text()

    def serves(self, address: str) -> bool:
        """Whether ztunnel takes what leaves that captured pod, and what comes to it."""
        return address in self._served

    def waits(self, address: str) -> bool:
        """Whether ztunnel waits to be told of that captured pod: what it calls and what calls it is in vain."""
        return self._waiting.holds(address)

    async def start(self) -> None:
        """Start ztunnel; EnvoyMissing or EnvoyFailed when that can't be."""
        await self._waiting.start()
        await self._ztunnel.start(self._configuration.resources(self._mesh))

    async def stop(self) -> None:
        """End all Envoys."""
        await asyncio.gather(self._waiting.stop(), *(each.stop() for each in self._envoys().values()))

    async def push(self, mesh: Mesh) -> None:
        """Let traffic follow that mesh; returns when it does."""
        async with self._pushing:
            before, self._mesh = self._mesh, mesh
            self._directory = Directory(mesh)
            self._waiting.follow(untold(mesh))
            # ztunnel first: a waypoint that reconnects because of a policy must meet that policy
            await self._ztunnel.apply(self._configuration.resources(mesh))
            there = (mesh.now or mesh).workloads.values()
            self._served = frozenset(each.address for each in there if each.captured)
            applied = (self._apply(key, each) for key, each in self._proxies().items())
            failed = [each for each in await asyncio.gather(*applied, return_exceptions=True) if each is not None]
        if failed:  # said only now: what goes wrong at one keeps no other from following
            raise failed[0]
        self._tell_policies(before)

    async def start_waypoint(self, name: str, namespace: str, address: str, identity: Identity) -> None:
        """Start the proxy of a waypoint pod; returns when it serves."""
        folder = self._folder / f"waypoint-{address}"
        key = f"{namespace}/{name}"

        requests = Requests(at_waypoint, miscounts=Fault.TELEMETRY_MISCOUNTS in self._faults)
        line = partial(self._proxy_says, namespace, name, requests)
        node = Node.of("waypoint", address, name, namespace, identity.account)
        pod = _WaypointPod(
            WaypointRef(identity.namespace, identity.account),
            Envoy(key, folder, self._processes, line, _WAYPOINT_DRAIN, node=node),
            WaypointConfiguration(address, identity, self._authority, self._faults),
            requests,
            told=self._mesh.now is None,
        )
        async with self._pushing:
            with refusals.told(partial(self._log, namespace, name)):
                await pod.envoy.start(self._resources(pod))
            self._waypoints[key] = pod

    async def stop_waypoint(self, name: str, namespace: str) -> None:
        """End the proxy of a waypoint pod; nothing happens when there is none."""
        if pod := self._waypoints.pop(f"{namespace}/{name}", None):
            await pod.envoy.stop()

    async def start_gateway(self, name: str, namespace: str, address: str, identity: Identity, gateway: str) -> None:
        """Start the proxy of a pod of that ingress Gateway, `NAMESPACE/NAME`; returns when it serves."""
        key = f"{namespace}/{name}"
        folder = self._folder / f"gateway-{address}"
        requests = Requests(partial(at_gateway, address), miscounts=Fault.TELEMETRY_MISCOUNTS in self._faults)
        line = partial(self._proxy_says, namespace, name, requests)
        envoy = Envoy(key, folder, self._processes, line, _WAYPOINT_DRAIN)
        made = GatewayConfiguration(address, identity, self._authority, self._faults)
        pod = _GatewayPod(gateway, envoy, made, requests, told=self._mesh.now is None)
        async with self._pushing:
            with refusals.told(partial(self._log, namespace, name)):
                await envoy.start(self._resources(pod))
            self._gateways[key] = pod

    async def stop_gateway(self, name: str, namespace: str) -> None:
        """End the proxy of a gateway pod; nothing happens when there is none."""
        if pod := self._gateways.pop(f"{namespace}/{name}", None):
            await pod.envoy.stop()

    def proxy_serves(self, name: str, namespace: str) -> bool:
        """Whether the Envoy of a waypoint or gateway has ever taken a configuration of an istiod's."""
        pod = self._proxies().get(f"{namespace}/{name}")
        return pod is not None and pod.told and pod.envoy.served

    async def waypoint_admin(
        self, name: str, namespace: str, path: str, method: str = "GET"
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of what a waypoint's or gateway's Envoy answers; OSError when it is not there."""
        key = f"{namespace}/{name}"
        pod = self._proxies().get(key)
        if pod is None:
            raise OSError(f"{key} runs no waypoint and no gateway")
        status, headers, body = await pod.envoy.ask(path, method)
        if path.partition("?")[0] == _STATS and status == HTTPStatus.OK:
            body += pod.requests.text().encode()
        return status, headers, body

    def ztunnel_metrics(self, node: str) -> str:
        """The metrics of that node's ztunnel in Prometheus's text format."""
        there = (self._mesh.now or self._mesh).workloads.values()
        proxies = sum(each.node == node and each.captured for each in there)
        return self._metrics.text(node, proxies)

    def ztunnel_config_dump(self, node: str) -> Object:
        """What that node's ztunnel knows, in the shape of its config_dump."""
        certified = Fault.PLAINTEXT_NOT_HBONE not in self._faults
        return config_dump(self._mesh, node, self._authority, certified=certified)

    def processes(self) -> dict[str, int]:
        """The process id of each Envoy, by what it plays."""
        return {name: each.pid for name, each in self._envoys().items() if each.running}

    def _envoys(self) -> dict[str, Envoy]:
        return {"ztunnel": self._ztunnel, **{key: each.envoy for key, each in self._proxies().items()}}

    def _proxies(self) -> dict[str, _WaypointPod | _GatewayPod]:
        return {**self._waypoints, **self._gateways}

    async def _apply(self, key: str, pod: _WaypointPod | _GatewayPod) -> None:
        namespace, _, name = key.partition("/")
        try:
            with refusals.told(partial(self._log, namespace, name)):
                await pod.envoy.apply(self._resources(pod))
        except (EnvoyFailed, OSError):
            # else it was stopped meanwhile, and nobody misses it
            if self._proxies().get(key) is pod:
                raise
        pod.told = pod.told or self._mesh.now is None

    def _resources(self, pod: _WaypointPod | _GatewayPod) -> Resources:
        if isinstance(pod, _GatewayPod):
            return pod.configuration.resources(self._mesh, self._mesh.ingresses.get(pod.key))
        return pod.configuration.resources(self._mesh, self._mesh.waypoints.get(pod.waypoint.key))

    def _proxy_says(self, namespace: str, name: str, requests: Requests, text: str) -> None:
        counted, told = text.removeprefix(QUIET), text.removeprefix(AGAIN)
        if told == text:
            requests.count(counted, self._directory)
        if counted == text:
            self._log(namespace, name, waypoint_line(told))

    def no_upstream(self, source: str, destination: str, size: int) -> None:
        """Takes in that a captured pod called a port (`ADDRESS:PORT`) that its Service lacks, with so many bytes.

        A waypoint takes connections to any port, and closes them.
        """
        address, _, port = destination.rpartition(":")
        service = next((each for each in self._mesh.services.values() if each.listens == address), None)
        if service is None:
            return
        asked, told = f"{service.vip}:{port}", int(datetime.datetime.now(datetime.UTC).timestamp() * 1e6)
        if service.waypoint is None:
            self._told(Line("direct", source, asked, told, 0, 0, 0, "UH", "-", service.key, "-"))
        elif pod := self._pod_of(service.waypoint):
            way = f"{pod.address}:{HBONE_PORT}"
            self._told(Line("tunnelled", source, asked, told, size, 0, 0, "-", way, service.key, "-"))

    def _pod_of(self, waypoint: WaypointRef) -> Workload | None:
        found = self._mesh.waypoints.get(waypoint.key)
        return next((self._mesh.workloads[uid] for uid in found.pods), None) if found else None

    def _seen(self, text: str) -> None:
        if (line := Line.parse(text)) and not line.repeats:
            self._told(line)

    def _told(self, line: Line) -> None:
        self._say(connection(line, self._directory), line.ended)

    def _waited(self, waited: Waited) -> None:
        for each in waited.seen(self._directory):
            self._say(each, datetime.datetime.now(datetime.UTC))

    def _say(self, seen: Connection, ended: datetime.datetime) -> None:
        self._metrics.count(seen)
        nameless = Fault.IDENTITY_MISSING_IN_LOG in self._faults
        self._ztunnel_says(written(seen, ended, nameless=nameless), seen.node)

    def _ztunnel_says(self, line: str, node: str | None = None) -> None:
        for each in self._directory.ztunnels:
            if node in (None, each.node):
                self._log(each.namespace, each.name, line)

    def _tell_policies(self, before: Mesh) -> None:
        old, new = before.l4_policies, self._mesh.l4_policies
        told = [f"handling RBAC update {each.name}" for key, each in new.items() if old.get(key) != each]
        told += [f"handling RBAC delete {key}" for key in old if key not in new]
        now = datetime.datetime.now(datetime.UTC)
        for each in told:
            self._ztunnel_says(f"{stamp(now)}\tinfo\txds:xds{{id=1}}\t{each}\t")
