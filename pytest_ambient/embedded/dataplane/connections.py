"""Connections as ztunnel sees them, made from what its Envoy says of each (errors in the words of Istio 1.30)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..entries import is_address
from ..istiod.model import ROOT_NAMESPACE, Identity, Mesh, Place, Service, Workload
from ..ports import announced, bound
from .lines import Line
from .places import behind, looked_up
from .policy import NONE_ALLOWED, denied_by
from .xds import HBONE_PORT

Direction = Literal["inbound", "outbound"]

_REJECTED = "connection closed due to policy rejection: "
_MATCHED = "rbac_access_denied_matched_policy["
_NOTHING_THERE = "connection failed: Connection refused (os error 111)"
_NOBODY_THERE = "connection failed: No route to host (os error 113)"
_TIMED_OUT = "connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: deadline has elapsed"
_STATUSES = {"400": "Bad Request", "401": "Unauthorized", "503": "Service Unavailable"}


@dataclass(frozen=True)
class Connection:
    """One connection as a ztunnel saw it."""

    direction: Direction
    source_address: str
    source: Workload | None
    destination_address: str
    destination: Workload | None
    hbone_address: str | None
    service: Service | None
    sent: int
    received: int
    milliseconds: int
    error: str | None
    known: bool = True
    """False when it failed before ztunnel knew where to go; such a line says little."""

    @property
    def mutual_tls(self) -> bool:
        """Whether it travelled by HBONE."""
        return self.hbone_address is not None

    @property
    def node(self) -> str:
        """The node whose ztunnel writes the line."""
        there = self.source if self.direction == "outbound" else self.destination
        return there.node if there else ""


@dataclass(frozen=True)
class Directory:
    """Who is at which address."""

    mesh: Mesh
    workloads: Mapping[str, Workload] = field(init=False)
    hostnames: Mapping[str, Service] = field(init=False)
    sockets: Mapping[str, tuple[Workload, int]] = field(init=False)
    services: Mapping[str, Service] = field(init=False)
    """By a pod's `IP:PORT`: the Service that leads there; ztunnel guesses too when several do."""
    ztunnels: Sequence[Workload] = field(init=False)
    """The pods that stand for ztunnel, one a node."""

    def __post_init__(self) -> None:
        """Index the mesh once, for the many lines to come."""
        pods = self.mesh.workloads.values()
        object.__setattr__(self, "workloads", {each.address: each for each in pods})
        object.__setattr__(self, "hostnames", {each.hostname: each for each in self.mesh.services.values()})
        sockets = {announced(path): (each, port) for each in pods for port, path in each.sockets.items()}
        served = {f"{each.address}:{bound(port)}": (each, port) for each in pods for port in each.gateway_ports}
        object.__setattr__(self, "sockets", sockets | served)
        object.__setattr__(self, "services", dict(self._leads()))
        there = (self.mesh.now or self.mesh).workloads.values()
        ztunnels = [each for each in there if (each.namespace, each.controller) == (ROOT_NAMESPACE, "ztunnel")]
        object.__setattr__(self, "ztunnels", ztunnels)

    def at(self, address: str) -> Workload | None:
        """The workload at `IP:PORT`."""
        return self.workloads.get(address.rpartition(":")[0])

    def _leads(self) -> Iterator[tuple[str, Service]]:
        for service in sorted(self.mesh.services.values(), key=_nearness, reverse=True):
            for endpoint in service.endpoints:
                if pod := self.mesh.workloads.get(endpoint.workload):
                    yield from ((f"{pod.address}:{port}", service) for port in endpoint.ports.values())


def _nearness(service: Service) -> tuple[bool, int, str]:
    return bool(service.host), len(service.name), service.name


def connection(line: Line, directory: Directory) -> Connection:
    """What a line of Envoy's says."""
    match line.kind:
        case "tunnelled":
            return _tunnelled(line, directory)
        case "direct":
            return _direct(line, directory)
        case "passed":
            return _passed(line, directory)
        case "hbone":
            return _hbone(line, directory)
    return _plaintext(line, directory)


def _tunnelled(line: Line, directory: Directory) -> Connection:
    host, service, why = line.first, line.second, line.third
    address = host if host != "-" else _assumed(line.destination)
    error = _tunnel_error(line.flags, why)
    return Connection(
        "outbound",
        line.source,
        directory.at(line.source),
        address,
        directory.at(address),
        line.destination,
        directory.mesh.services.get(service),
        0 if error else line.received,
        0 if error else line.sent,
        line.milliseconds,
        error,
    )


def _assumed(destination: str) -> str:
    return f"{destination.rpartition(':')[0]}:{HBONE_PORT}"


def _tunnel_error(flags: str, why: str) -> str | None:
    if "UF" not in flags.split(","):
        return None
    answered, _, status = why.partition(":")
    if "Connection_refused" in why or status == "404":  # the pod has gone; its tunnels stay open for a moment
        return _NOBODY_THERE
    if answered == "tunnel_response":
        return f"http status: {status} {_STATUSES.get(status, '')}".rstrip()
    return _TIMED_OUT if "timeout" in why else f"connection failed: {why}"


def _direct(line: Line, directory: Directory) -> Connection:
    there, port = directory.sockets.get(line.first, (None, 0))
    service = directory.mesh.services.get(line.second)
    error = _NOTHING_THERE if line.flags != "-" else None
    address = f"{there.address}:{port}" if there else line.destination
    named = _place_of(line, service, there, port, directory) if service else ""
    if service and named:
        address, there = named, _written_down(service, named)
    elif there is None:
        error = _no_way(line.destination, service, directory)
    sizes = (0, 0) if error else (line.received, line.sent)
    return Connection(
        "outbound",
        line.source,
        directory.at(line.source),
        address,
        there,
        None,
        service,
        *sizes,
        line.milliseconds,
        error,
        known=there is not None,
    )


def _passed(line: Line, directory: Directory) -> Connection:
    error = _NOTHING_THERE if line.flags != "-" else None
    sizes = (0, 0) if error else (line.received, line.sent)
    caller = directory.at(line.source)
    return Connection(
        "outbound", line.source, caller, line.destination, None, None, None, *sizes, line.milliseconds, error
    )  # fmt: skip


def _place_of(line: Line, service: Service, there: Workload | None, port: int, directory: Directory) -> str:
    """Which of the endpoints that were written down for the service it is, empty when it is none."""
    if there is None:
        return _unanswered(line, service, directory)
    if any(each.workload == there.uid for each in service.endpoints):
        return ""
    found = (
        f"{address}:{to}"
        for address, place in _ways(service, directory)
        for to in place.ports.values()
        if (there, port) in behind(directory.mesh, address, to)
    )
    return next(found, "")


def _unanswered(line: Line, service: Service, directory: Directory) -> str:
    """Likewise where no pod has that port."""
    if not service.places or line.first == "-":
        return ""
    named = line.first.rpartition("/")[2].partition(" ")[0]
    if named.rpartition(":")[2].isdecimal():
        return named
    asked = int(line.destination.rpartition(":")[2])
    ways = _ways(service, directory)
    return next((f"{address}:{place.ports[asked]}" for address, place in ways if asked in place.ports), "")


def _ways(service: Service, directory: Directory) -> Iterator[tuple[str, Place]]:
    """The addresses of the endpoints that were written down for the service."""
    for place in service.places:
        for address in looked_up(directory.mesh, place.address, ROOT_NAMESPACE):
            yield address, place


def _written_down(service: Service, address: str) -> Workload:
    """What ztunnel takes an endpoint that was written down for."""
    nobody = Identity(service.namespace, "default")
    own = {key: value for key, value in service.labels.items() if not key.startswith("istio.io/")}
    ip = address.rpartition(":")[0]
    name = next((each.slice for each in service.places if each.slice and each.address == ip), service.name)
    return Workload(
        name, service.namespace, ip, nobody, "", own, name, "pod", ready=True, captured=False, sockets={}
    )  # fmt: skip


def _no_way(destination: str, service: Service | None, directory: Directory) -> str:
    pod = directory.at(destination)
    waypoint = service.waypoint if service else pod.waypoint if pod else None
    if waypoint is None and service and any(not is_address(each.address) for each in service.places):
        entry = f"{service.namespace}/{service.name}/{service.places[0].address}"
        return f"no ip addresses were resolved for workload: Kubernetes/networking.istio.io/ServiceEntry/{entry}"
    if waypoint is None:
        return f"no healthy upstream: {destination}"
    hostname = f"{waypoint.name}.{waypoint.namespace}.svc.cluster.local"
    name = f'NamespacedHostname {{ namespace: \\"{waypoint.namespace}\\", hostname: \\"{hostname}\\" }}'
    address = f"waypoint GatewayAddress {{ destination: Hostname({name}), hbone_mtls_port: {HBONE_PORT} }}"
    return f"unknown waypoint: {address} not found"


def _hbone(line: Line, directory: Directory) -> Connection:
    status, details = line.second, line.third
    refused = _refusal(details) or (_NOTHING_THERE if status == "503" else None)
    sizes = (0, 0) if refused else (line.sent, line.received)
    error = refused or _cut(details)
    told = directory.mesh.services.get(line.first.removeprefix("host="))
    mine = directory.at(line.destination)
    named = told if told and mine and any(each.workload == mine.uid for each in told.endpoints) else None
    return Connection(
        "inbound",
        line.source,
        directory.at(line.source),
        _assumed(line.destination),
        mine,
        line.destination,
        named or directory.services.get(line.destination),
        *sizes,
        line.milliseconds,
        error,
    )


def _plaintext(line: Line, directory: Directory) -> Connection:
    told, details = line.second, line.third
    error = f"{_REJECTED}{told}" if told != "-" else _refusal(details)
    if error is None and "UF" in line.flags.split(","):
        error = _NOTHING_THERE
    sizes = (0, 0) if error else (line.sent, line.received)
    return Connection(
        "inbound",
        line.source,
        directory.at(line.source),
        line.destination,
        directory.at(line.destination),
        None,
        directory.services.get(line.destination),
        *sizes,
        line.milliseconds,
        error,
    )


def _cut(details: str) -> str | None:
    if not details.startswith("downstream_local_disconnect"):
        return None
    # a chain is replaced where policies end its connections; a listener goes with its pod
    return f"connection closed due to {'policy change' if 'filter_chain' in details else 'connection drain'}"


def _refusal(details: str) -> str | None:
    if not details.startswith(_MATCHED):
        return None
    policy = details.removeprefix(_MATCHED).removesuffix("]")
    return _REJECTED + (NONE_ALLOWED if policy == "none" else denied_by(policy))
