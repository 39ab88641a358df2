"""What a waypoint's Envoy is given to do, in Istio's own shape and under Istio's names.

`connect_terminate` ends the callers' tunnels, the internal listener `main_internal` has a filter chain for each
destination, and `connect_originate` opens tunnels to the endpoints with the waypoint's own certificate.
"""

import re
from collections.abc import Iterator

from ..faults import Fault
from ..istiod.model import Authorizer, Identity, Mesh, Service, ServicePort, Tracer, Waypoint
from ..objects import Object
from .ca import Authority
from .checks import Checks
from .custom import authorizers_of
from .main_internal import LINE, MainInternal, router
from .resources import Resources
from .routes import configuration
from .tcp_routes import lasting, target
from .upstreams import Upstreams
from .xds import (
    HBONE_PORT,
    LOCAL_IP,
    REMOTE_IP,
    connected,
    flagged,
    inner,
    mutual_tls,
    original_dst,
    part,
    socket,
    state,
    static,
    tcp_proxy,
    tunnel_end,
    tunnels,
)

_HASHABLE = "envoy.hashable_string"
_GENERATION = re.compile(r'#[0-9a-f]{8}"')


class WaypointConfiguration:
    """Makes the configuration of one waypoint pod."""

    def __init__(self, address: str, identity: Identity, authority: Authority, faults: frozenset[Fault]) -> None:
        self._address = address
        self._leaf, self._root = authority.leaf(identity), authority.root_file
        self._faults = faults

    def resources(self, mesh: Mesh, waypoint: Waypoint | None) -> Resources:
        """The configuration for that mesh; a waypoint that is not known yet knows no destination."""
        made, main = Resources(), MainInternal()
        made.clusters += [self._originating(), static("main_internal", inner("main_internal", "waypoint"))]
        made.clusters.append(static("encap", inner("connect_originate", "pod")))
        own = Checks.of(mesh, waypoint, "", self._faults)
        node = next((each.node for each in mesh.workloads.values() if each.address == self._address), "")
        clusters = Upstreams(mesh, waypoint.namespace if waypoint else "", node, **self._from_here())
        clusters.ask(_others(mesh, own))
        for service, port in _ports(mesh, waypoint):
            checks = Checks.of(mesh, waypoint, service.key, self._faults)
            routes = mesh.routes.get(service.key, ())
            requests = configuration(service, port, routes, mesh)
            copied_to = target(service, port, routes, mesh.services)
            main.service(
                service, port, checks, requests, copied_to, **lasting(service, port, routes, mesh.destinations)
            )
            clusters.add(service, port)
            clusters.ask(_others(mesh, checks))
        for uid in waypoint.workloads if waypoint else ():
            if pod := mesh.workloads.get(uid):
                main.pod(pod)
        made.clusters += clusters
        made.listeners += [self._terminate(), main.listener(own), originate(own.log(LINE, **flagged("UF")))]
        return made

    def _terminate(self) -> Object:
        kept = part(
            "connect_authority",
            "extensions.filters.http.set_filter_state.v3.Config",
            on_request_headers=[
                state(LOCAL_IP, "%REQ(:AUTHORITY)%"),
                state(REMOTE_IP, "%DOWNSTREAM_REMOTE_ADDRESS%"),
                state("io.istio.peer_principal", "%DOWNSTREAM_PEER_URI_SAN%", factory=_HASHABLE),
            ],
        )
        route = {"match": {"connect_matcher": {}}, "route": connected("main_internal")}
        manager = tunnel_end(
            stat_prefix="connect_terminate",
            server_name="istio-envoy",
            route_config={
                "name": "default",
                "virtual_hosts": [{"name": "default", "domains": ["*"], "routes": [route]}],
            },
            http_filters=[kept, router()],
            use_remote_address=False,
        )
        chain = {"transport_socket": mutual_tls(self._leaf, self._root, server=True), "filters": [manager]}
        return {
            "name": "connect_terminate",
            "address": socket(self._address, HBONE_PORT),
            "filter_chains": [chain],
        }

    def _originating(self) -> Object:
        secret = mutual_tls(self._leaf, self._root, server=False)
        return tunnels("connect_originate", transport_socket=secret, **self._from_here())

    def _from_here(self) -> Object:
        return {"upstream_bind_config": {"source_address": {"address": self._address, "port_value": 0}}}


def written(line: str) -> str:
    """A line of the access log as Istio's waypoint writes it."""
    # a newer Envoy than Istio's tells here how a tunnel was refused
    return _GENERATION.sub('"', line).replace('"tunnel_response:401"', '"-"')


def _others(mesh: Mesh, checks: Checks) -> Iterator[Authorizer | Tracer]:
    """Whom else the requests for a destination are told."""
    yield from authorizers_of(mesh, checks.policies)
    if checks.tracer:
        yield checks.tracer


def _ports(mesh: Mesh, waypoint: Waypoint | None) -> Iterator[tuple[Service, ServicePort]]:
    """What a waypoint is asked for by a Service's address; a headless Service has none, its pods are asked."""
    for key in waypoint.services if waypoint else ():
        service = mesh.services.get(key)
        if service and service.vip not in ("", "None"):
            yield from ((service, port) for port in service.ports)


def originate(log: list[Object]) -> Object:
    """The internal listener that opens a tunnel for each connection, with that log of failures."""
    proxy = tcp_proxy("connect_originate", tunneling_config={"hostname": "%DOWNSTREAM_LOCAL_ADDRESS%"}, access_log=log)
    return {
        "name": "connect_originate",
        "internal_listener": {},
        "listener_filters": [original_dst()],
        "filter_chains": [{"filters": [proxy]}],
    }
