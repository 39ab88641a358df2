"""What the Envoy of all ztunnels is given to do, made from the mesh: listeners, clusters, endpoints and routes.

A caller is known by its source address. A captured caller's connection passes the internal listener `originate`, which
opens the tunnel from that address and with its certificate; the destination's port 15008 ends it. Everybody else's
connection passes the internal listener `inbound~ADDRESS` of the captured pod.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..faults import Fault
from ..istiod.model import ROOT_NAMESPACE, Mesh, Service, ServicePort, Waypoint, Workload
from ..objects import Object
from ..ports import announced, bound
from .ca import Authority
from .files import file
from .inbound import announcing, application, hbone_listener, hbone_routes, inbound, plaintext_listener
from .lines import SERVICE, direct, passed
from .matching import blocks
from .nearest import Group, Serving, by_node, nearest, serving
from .openings import Openings
from .outbound import listener, originate
from .places import behind, beyond, looked_up
from .resources import Resources
from .untold import Untold, waiting_place
from .xds import (
    HBONE_PORT,
    LOCAL_IP,
    REMOTE_IP,
    access_log,
    flagged,
    inner,
    mutual_tls,
    outer,
    passed_on,
    pipe,
    remember,
    socket,
    state,
    static,
    tcp_proxy,
    tunnels,
    within,
)

_CALLER = state(REMOTE_IP, "%DOWNSTREAM_REMOTE_ADDRESS%")
_REMEMBERED = 64
"""So many pods that are gone are remembered as callers."""
_FAILED = flagged("UH", "UF", "NC")


class ZtunnelConfiguration:
    """Makes the configuration; its files are named in `folder`."""

    def __init__(self, authority: Authority, folder: Path, faults: frozenset[Fault]) -> None:
        self._authority = authority
        self._nothing = str(folder / "nothing.sock")
        self._waiting = waiting_place(folder)
        self._routes = file(folder, "routes")
        self._plaintext = Fault.PLAINTEXT_NOT_HBONE in faults
        self._unavailable = Fault.UNAVAILABLE_NOT_DENIED in faults
        self._past_ztunnel = Fault.POD_IP_NOT_TUNNELLED in faults
        self._openings = Openings(mixed_up=Fault.OPEN_CONNECTIONS_MIXED_UP in faults)
        self._known: dict[str, None] = {}
        self._untold = Untold(Mesh(), self._waiting)

    def resources(self, mesh: Mesh) -> Resources:
        """The configuration for that mesh."""
        made = Resources()
        now = mesh.now or mesh
        captured = _captured(mesh, now)
        self._untold = Untold(mesh, self._waiting)
        self._openings.follow(mesh, captured)
        policies = {each.address: self._openings.of(each).policies for each in captured}
        made.routes.append(hbone_routes(captured, policies, self._unavailable))
        taken_in = Resources()
        for workload in captured:
            self._inbound(taken_in, workload)
        made.clusters += [*taken_in.clusters, *self._untold.clusters()]
        made.listeners.append(originate())
        made.clusters.append(static("originate", inner("originate", "pod")))
        made.clusters.append(static("nothing", outer(pipe(self._nothing))))
        # nobody's address stands for nobody
        known = () if self._plaintext else self._callers(now, captured)
        callers = blocks(known or ["0.0.0.0"])  # noqa: S104
        groups = by_node(mesh, frozenset(known))
        for waypoint in mesh.waypoints.values():
            made.clusters.append(_any(f"waypoint~{waypoint.key}", _waypoint_endpoints(mesh, waypoint, None)))
        for service in mesh.services.values():
            there = now.services.get(service.key, service)
            for port in there.ports if there.listens not in ("", "None") else ():
                self._service(made, mesh, callers, groups, (service, there), port)
        for service in now.services.values():
            if service.key not in mesh.services and not service.host:
                self._unknown(made, now, callers, service)
        for workload in mesh.workloads.values():
            if _there(workload, now):
                self._pod(made, mesh, callers, workload)
        # last: a pod's own listener is the sign for its containers to start, all others must know the caller by then
        made.listeners += [*taken_in.listeners, *self._untold.listeners()]
        return made.once()

    def _callers(self, mesh: Mesh, captured: list[Workload]) -> tuple[str, ...]:
        """Who is captured; a pod that has just gone, too: while its programs end they never call past ztunnel."""
        there = {each.address for each in captured}
        self._known |= dict.fromkeys(sorted(there))
        for each in mesh.workloads.values():
            if each.address not in there:
                self._known.pop(each.address, None)
        for address in [each for each in self._known if each not in there][:-_REMEMBERED]:
            del self._known[address]
        return tuple(sorted(self._known))

    def _service(
        self,
        made: Resources,
        mesh: Mesh,
        callers: Sequence[Object],
        groups: Mapping[str, Group],
        known: tuple[Service, Service],
        port: ServicePort,
    ) -> None:
        """The Service as ztunnels know it, and as nodes do."""
        (service, there), address = known, f"{known[0].vip}:{port.port}"
        found = (serving(mesh, service, port.port), serving(mesh.now or mesh, there, port.port))
        captured, others = self._ways(made, mesh, service, port, found, "")
        ways = self._untold.ways
        near = (service.nearness, there.node_nearness)
        for node, group in groups.items() if service.nearness != "anywhere" else ():
            chosen = (nearest(mesh, near[0], found[0], node), nearest(mesh, near[1], found[1], node))
            pairs = self._ways(made, mesh, service, port, chosen, f"@{node}")
            names = (f"captured@{node}", f"others@{node}")
            ways += [each for each in zip(names, (group.captured, group.others), pairs, strict=True) if each[1]]
        where = socket(service.listens, bound(port.port))
        made.listeners.append(listener(f"service~{address}", where, callers, captured, others, ways))

    def _unknown(self, made: Resources, now: Mesh, callers: Sequence[Object], service: Service) -> None:
        """A Service of which no ztunnel was told: passed on as it came, and led to a pod by the node."""
        for port in service.ports if service.vip else ():
            found = serving(now, service, port.port)
            _, others = self._ways(made, now, replace(service, waypoint=None), port, ([], found), "")
            name, address = f"{service.key}:{port.port}", f"{service.vip}:{port.port}"
            passing = [remember(_CALLER), tcp_proxy(f"plaintext~{name}", access_log=access_log(passed(address)))]
            where = socket(service.vip, bound(port.port))
            ways = self._untold.ways
            made.listeners.append(listener(f"service~{address}", where, callers, passing, others, ways))

    def _ways(
        self,
        made: Resources,
        mesh: Mesh,
        service: Service,
        port: ServicePort,
        found: tuple[Serving, Serving],
        mark: str,
    ) -> tuple[list[Object], list[Object]]:
        """What is done with connections of captured callers, and of all others, for each of whom these pods serve."""
        name, address = f"{service.key}:{port.port}", f"{service.vip}:{port.port}"
        if service.waypoint:
            tunnelled = _waypoint_endpoints(mesh, mesh.waypoints.get(service.waypoint.key), address)
        else:
            tunnelled = [*self._endpoints(found[0], from_captured=True), *self._places(mesh, service, port)]
        made.clusters.append(_any(f"captured~{name}{mark}", tunnelled))
        plain = [*self._endpoints(found[1], from_captured=False), *self._places(mesh, service, port)]
        # a node leads a caller to one of them by its address, where the Service wants that; ztunnel never does
        policy = {"lb_policy": "RING_HASH"} if service.sticky else {}
        hashed: Object = {"hash_policy": [{"source_ip": {}}]} if service.sticky else {}
        made.clusters.append(_any(f"plaintext~{name}{mark}", plain, **policy))
        line = direct(service.key, address)
        # only an endpoint that is not captured is reached without a tunnel, and then each connection is told of
        past = (service.waypoint is None and service.places) or not all(map(within, tunnelled))
        only = {} if past else _FAILED
        proxy = tcp_proxy(f"captured~{name}{mark}", access_log=access_log(line, **only))
        told = remember(_CALLER, state(SERVICE, service.key, factory="envoy.string"))
        return [told, proxy], [remember(_CALLER), tcp_proxy(f"plaintext~{name}{mark}", **hashed)]

    def _endpoints(self, found: Serving, *, from_captured: bool) -> Iterator[Object]:
        for workload, target in found:
            address = f"{workload.address}:{target}"
            if from_captured and workload.tunnelled and _behind_ztunnel(workload):
                yield inner("originate", address, local=address)
            else:
                yield self._plainly(workload, target, address)

    def _plainly(self, workload: Workload, port: int, name: str) -> Object:
        """A pod's port as an endpoint to which no tunnel leads."""
        if workload in self._untold:
            return self._untold.endpoint(workload, port)
        if port in workload.gateway_ports:
            return passed_on(socket(workload.address, bound(port)))
        if not _behind_ztunnel(workload):
            path = workload.sockets.get(port)
            return passed_on(pipe(announced(path) if path else self._nothing))
        return inner(self._openings.of(workload).latest, name, local=f"{workload.address}:{port}")

    def _places(self, mesh: Mesh, service: Service, port: ServicePort) -> Iterator[Object]:
        """The endpoints that a ServiceEntry writes down: no tunnel leads to them, even where they are captured pods."""
        for each in service.places:
            target = each.ports.get(port.port, 0)
            for address in looked_up(mesh, each.address, ROOT_NAMESPACE):
                for pod, at in behind(mesh, address, target):
                    yield self._plainly(pod, at, f"{address}:{target} {pod.address}")
            yield from (outer(socket(found, target)) for found in beyond(each))

    def _pod(self, made: Resources, mesh: Mesh, callers: Sequence[Object], workload: Workload) -> None:
        for port, path in sorted(workload.sockets.items()):
            address, program = f"{workload.address}:{port}", pipe(announced(path))
            to = announcing(workload, port)
            made.clusters.append(static(to, passed_on(program)))
            if _behind_ztunnel(workload):
                made.clusters.append(static(application(workload, port), outer(program)))
                asked = remember(_CALLER, state(LOCAL_IP, address))
                log = access_log(direct("", address), **_FAILED)
                plain = self._past_ztunnel or not workload.tunnelled
                way = inbound(workload) if plain else _way_to(mesh, workload)
                inside = [asked, tcp_proxy(way, access_log=log)]
                outside = [asked, tcp_proxy(inbound(workload))]
            else:
                inside, outside = [tcp_proxy(to, access_log=access_log(direct("", address)))], [tcp_proxy(to)]
            where = socket(workload.address, bound(port))
            made.listeners.append(listener(f"pod~{address}", where, callers, inside, outside, self._untold.ways))

    def _inbound(self, made: Resources, workload: Workload) -> None:
        leaf, root = self._authority.leaf(workload.identity), self._authority.root_file
        name, opening = inbound(workload), self._openings.of(workload)
        made.listeners.append(
            hbone_listener(
                workload,
                leaf,
                root,
                self._routes,
                generation=opening.tunnels,
                unavailable=self._unavailable,
            )
        )
        latest = plaintext_listener(workload, opening.policies, self._unavailable)
        opening.admit(latest)
        made.listeners += opening.plaintext.values()
        made.clusters.append(static(name, inner(opening.latest, "pod")))
        made.clusters.append(
            tunnels(
                f"tunnel~{workload.address}",
                upstream_bind_config={"source_address": {"address": workload.address, "port_value": 0}},
                transport_socket=mutual_tls(leaf, root, server=False),
            )
        )


def _any(name: str, endpoints: Iterable[Object], lb_policy: str = "RANDOM") -> Object:
    return static(name, *endpoints, lb_policy=lb_policy)


def _captured(mesh: Mesh, now: Mesh) -> list[Workload]:
    return [each for each in mesh.workloads.values() if _there(each, now) and _behind_ztunnel(each)]


def _there(workload: Workload, now: Mesh) -> bool:
    """Whether the pod has an address, and is there still."""
    found = now.workloads.get(workload.uid)
    return bool(workload.address) and found is not None and found.address == workload.address


def _behind_ztunnel(workload: Workload) -> bool:
    return workload.captured and not workload.is_waypoint


def _way_to(mesh: Mesh, workload: Workload) -> str:
    known = workload.waypoint is not None and workload.waypoint.key in mesh.waypoints
    return f"waypoint~{workload.waypoint.key}" if workload.waypoint and known else "originate"


def _waypoint_endpoints(mesh: Mesh, waypoint: Waypoint | None, address: str | None) -> list[Object]:
    """The waypoint's ready pods, each to be asked for that address (or for the one that the caller asked for)."""
    found = []
    for uid in waypoint.pods if waypoint else ():
        if pod := mesh.workloads.get(uid):
            to = f"{pod.address}:{HBONE_PORT}"
            found.append(inner("originate", to, waypoint=to, **({"local": address} if address else {})))
    return found
