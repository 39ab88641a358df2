"""What the Envoy of all ztunnels is given to do, made from the mesh: listeners, clusters, endpoints and routes.

A caller is known by its source address. A captured caller's connection passes the internal listener `originate`, which
opens the tunnel from that address and with its certificate; the destination's port 15008 ends it. Everybody else's
connection passes the internal listener `inbound~ADDRESS` of the captured pod.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..faults import Fault
from ..istiod.model import Mesh, Service, ServicePort, Waypoint, Workload
from ..objects import Object
from ..ports import bound
from .ca import Authority
from .inbound import application, hbone_listener, hbone_routes, inbound, plaintext_listener
from .lines import SERVICE, TUNNELLED, direct
from .policy import policies_of
from .xds import (
    HBONE_PORT,
    LOCAL_IP,
    REMOTE_IP,
    access_log,
    assignment,
    flagged,
    inner,
    listed,
    mutual_tls,
    original_dst,
    outer,
    pipe,
    remember,
    socket,
    sources,
    state,
    static,
    tcp_proxy,
    tunnels,
)

_CALLER = state(REMOTE_IP, "%DOWNSTREAM_REMOTE_ADDRESS%")
_FAILED = flagged("UH", "UF", "NC")


@dataclass
class Resources:
    """An Envoy's configuration; endpoints and routes are read from a file each, listeners and clusters from one."""

    listeners: list[Object] = field(default_factory=list)
    clusters: list[Object] = field(default_factory=list)
    endpoints: dict[str, Object] = field(default_factory=dict)
    routes: dict[str, Object] = field(default_factory=dict)


class ZtunnelConfiguration:
    """Makes the configuration; its files are named in `folder`."""

    def __init__(self, authority: Authority, folder: Path, faults: frozenset[Fault]) -> None:
        self._authority = authority
        self._folder = folder
        self._plaintext = Fault.PLAINTEXT_NOT_HBONE in faults
        self._unavailable = Fault.UNAVAILABLE_NOT_DENIED in faults

    def resources(self, mesh: Mesh) -> Resources:
        """The configuration for that mesh."""
        made = Resources()
        made.listeners.append(_originate())
        made.clusters.append(static("originate", inner("originate", "pod")))
        made.clusters.append(static("nothing", outer(pipe(str(self._folder / "nothing.sock")))))
        callers = () if self._plaintext else tuple(sorted(each.address for each in _captured(mesh)))
        for waypoint in mesh.waypoints.values():
            self._list(made, f"waypoint~{waypoint.key}", _waypoint_endpoints(mesh, waypoint, None))
        for service in mesh.services.values():
            for port in service.ports if service.vip not in ("", "None") else ():
                self._service(made, mesh, callers, service, port)
        for workload in mesh.workloads.values():
            if workload.address:
                self._pod(made, mesh, callers, workload)
        for workload in _captured(mesh):
            self._inbound(made, mesh, workload)
        return made

    def _list(self, made: Resources, name: str, endpoints: list[Object]) -> None:
        made.clusters.append(listed(name, endpoint_file(self._folder, name), lb_policy="RANDOM"))
        made.endpoints[name] = assignment(name, endpoints)

    def _service(
        self, made: Resources, mesh: Mesh, callers: tuple[str, ...], service: Service, port: ServicePort
    ) -> None:
        name, address = f"{service.hostname}:{port.port}", f"{service.vip}:{port.port}"
        if service.waypoint:
            tunnelled = _waypoint_endpoints(mesh, mesh.waypoints.get(service.waypoint.key), address)
        else:
            tunnelled = list(self._endpoints(mesh, service, port, from_captured=True))
        self._list(made, f"captured~{name}", tunnelled)
        self._list(made, f"plaintext~{name}", list(self._endpoints(mesh, service, port, from_captured=False)))
        line = direct(service.hostname, address)
        # only an endpoint that is not captured is reached without a tunnel, and then each connection is told of
        only = _FAILED if all("metadata" in each for each in tunnelled) else {}
        proxy = tcp_proxy(f"captured~{name}", access_log=access_log(line, **only))
        told = remember(_CALLER, state(SERVICE, service.hostname, factory="envoy.string"))
        made.listeners.append(
            _listener(
                f"service~{address}",
                socket(service.vip, bound(port.port)),
                callers,
                [told, proxy],
                [remember(_CALLER), tcp_proxy(f"plaintext~{name}")],
            )
        )

    def _endpoints(self, mesh: Mesh, service: Service, port: ServicePort, *, from_captured: bool) -> Iterator[Object]:
        for each in service.endpoints:
            workload, target = mesh.workloads.get(each.workload), each.ports.get(port.port)
            if workload is None or target is None or not workload.ready:
                continue
            address = f"{workload.address}:{target}"
            if not _behind_ztunnel(workload):
                yield outer(pipe(workload.sockets.get(target) or str(self._folder / "nothing.sock")))
            elif from_captured:
                yield inner("originate", address, local=address)
            else:
                yield inner(inbound(workload), address, local=address)

    def _pod(self, made: Resources, mesh: Mesh, callers: tuple[str, ...], workload: Workload) -> None:
        for port, path in sorted(workload.sockets.items()):
            address = f"{workload.address}:{port}"
            made.clusters.append(static(application(workload, port), outer(pipe(path))))
            to = application(workload, port)
            if _behind_ztunnel(workload):
                asked = remember(_CALLER, state(LOCAL_IP, address))
                log = access_log(direct("", address), **_FAILED)
                inside = [asked, tcp_proxy(_way_to(mesh, workload), access_log=log)]
                outside = [asked, tcp_proxy(inbound(workload))]
            else:
                inside, outside = [tcp_proxy(to, access_log=access_log(direct("", address)))], [tcp_proxy(to)]
            made.listeners.append(
                _listener(f"pod~{address}", socket(workload.address, bound(port)), callers, inside, outside)
            )

    def _inbound(self, made: Resources, mesh: Mesh, workload: Workload) -> None:
        leaf, root = self._authority.leaf(workload.identity), self._authority.root_file
        name, policies = inbound(workload), policies_of(mesh, workload)
        made.routes[name] = hbone_routes(workload, policies, self._unavailable)
        file = route_file(self._folder, name)
        made.listeners.append(hbone_listener(workload, leaf, root, file, self._unavailable))
        made.listeners.append(plaintext_listener(workload, policies, self._unavailable))
        made.clusters.append(static(name, inner(name, "pod")))
        made.clusters.append(
            tunnels(
                f"tunnel~{workload.address}",
                upstream_bind_config={"source_address": {"address": workload.address, "port_value": 0}},
                transport_socket=mutual_tls(leaf, root, server=False),
            )
        )


def endpoint_file(folder: Path, cluster: str) -> Path:
    """Where a cluster's endpoints are."""
    return folder / f"endpoints~{cluster.replace('/', '~')}.json"


def route_file(folder: Path, name: str) -> Path:
    """Where a route configuration is."""
    return folder / f"routes~{name.replace('/', '~')}.json"


def _captured(mesh: Mesh) -> list[Workload]:
    return [each for each in mesh.workloads.values() if each.address and _behind_ztunnel(each)]


def _behind_ztunnel(workload: Workload) -> bool:
    return workload.captured and not workload.is_waypoint


def _way_to(mesh: Mesh, workload: Workload) -> str:
    known = workload.waypoint is not None and workload.waypoint.key in mesh.waypoints
    return f"waypoint~{workload.waypoint.key}" if workload.waypoint and known else "originate"


def _originate() -> Object:
    choice = state("envoy.tcp_proxy.cluster", "tunnel~%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", shared=False)
    tunnel = {"hostname": "%DOWNSTREAM_LOCAL_ADDRESS%"}
    proxy = tcp_proxy("nothing", tunneling_config=tunnel, access_log=access_log(TUNNELLED))
    return {
        "name": "originate",
        "internal_listener": {},
        "listener_filters": [original_dst()],
        "filter_chains": [{"filters": [remember(choice), proxy]}],
    }


def _listener(
    name: str, address: Object, callers: tuple[str, ...], captured: list[Object], others: list[Object]
) -> Object:
    """A listener that treats captured callers in one way and all others in another."""
    made: Object = {"name": name, "address": address, "default_filter_chain": {"name": "others", "filters": others}}
    if callers:
        made["filter_chains"] = [{"name": "captured", "filter_chain_match": sources(callers), "filters": captured}]
    else:
        made["filter_chains"] = []
    return made


def _waypoint_endpoints(mesh: Mesh, waypoint: Waypoint | None, address: str | None) -> list[Object]:
    """The waypoint's ready pods, each to be asked for that address (or for the one that the caller asked for)."""
    found = []
    for uid in waypoint.pods if waypoint else ():
        if pod := mesh.workloads.get(uid):
            to = f"{pod.address}:{HBONE_PORT}"
            found.append(inner("originate", to, waypoint=to, **({"local": address} if address else {})))
    return found
