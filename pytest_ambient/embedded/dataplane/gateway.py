"""What the Envoy of an ingress gateway is given to do: a listener for each port, routes, and ways into the mesh.

It has a certificate of its own: it opens tunnels to captured pods itself, or to the waypoint of a Service that asks for
that. Callers of its Service come by the PROXY protocol, so that it knows their addresses as a real one does; what it
does is done behind that, where a connection is one to the port of its pod, as policies and its access log call it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..faults import Fault
from ..istiod.model import ROOT_NAMESPACE, Destination, Identity, Ingress, Mesh, Route, Secured, Service, ServicePort
from ..objects import Object
from ..ports import bound
from .ca import Authority
from .checks import Checks
from .custom import authorizers_of
from .main_internal import LINE, router
from .pools import handled
from .resources import Resources
from .route_filters import filters as routed_filters
from .routes import backends, configuration
from .upstreams import Upstreams, endpoints, known_port, places
from .waypoint import originate
from .xds import (
    HBONE_PORT,
    REMOTE_IP,
    flagged,
    inner,
    mutual_tls,
    original_dst,
    part,
    remember,
    socket,
    state,
    static,
    tcp_proxy,
    tunnels,
)

_MANAGER = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_DOWNSTREAM = "extensions.transport_sockets.tls.v3.DownstreamTlsContext"
_TLS_INSPECTOR = "extensions.filters.listener.tls_inspector.v3.TlsInspector"
_PROXY_PROTOCOL = "extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"
_INBOUND = re.compile(r"inbound-vip\|(\d+)\|(?:http|tcp)(?:/([^|]*))?\|")


class GatewayConfiguration:
    """Makes the configuration of one gateway pod."""

    def __init__(self, address: str, identity: Identity, authority: Authority, faults: frozenset[Fault]) -> None:
        self._address = address
        self._leaf, self._root = authority.leaf(identity), authority.root_file
        self._faults = faults

    def resources(self, mesh: Mesh, gateway: Ingress | None) -> Resources:
        """The configuration for that mesh; a gateway that is not known yet listens nowhere."""
        mesh = replace(mesh, destinations=gateway.destinations if gateway else {})
        here = {"upstream_bind_config": {"source_address": {"address": self._address, "port_value": 0}}}
        secret = mutual_tls(self._leaf, self._root, server=False)
        made = Resources()
        made.clusters.append(tunnels("connect_originate", transport_socket=secret, **here))
        clusters: dict[str, Object] = {}
        checks = self._checks(mesh, gateway)
        made.clusters += _authorizing(mesh, checks, here)
        for port, ends in _ends(gateway).items() if gateway else ():
            chains = [_chain(end, port, _hosts(mesh, port, end.routes), checks) for end in ends]
            made.clusters.append(
                static(_entrance(port), inner(_entrance(port), "pod", local=f"{self._address}:{port}"))
            )
            made.listeners += [_inside(port, chains), self._outside(port)]
            for each in backends([route for end in ends for route in end.routes]):
                service = mesh.services.get(each.service or "")
                chosen = mesh.destinations.get(each.service or "", Destination()).chosen(each.subset, each.port)
                if service is not None and chosen is not None:  # else a cluster that is not there
                    name = f"outbound|{each.port}|{each.subset}|{service.hostname}"
                    found = _endpoints(mesh, service, each.port, chosen.labels)
                    there = replace(known_port(service, each.port), sniffed=False)  # taken for HTTP/1.1 here
                    clusters[name] = static(name, *found, **handled(chosen.policy, there, beyond=True), **here)
        made.clusters += clusters.values()
        made.listeners.append(originate(checks.log(LINE, **flagged("UF"))))
        return made

    def _checks(self, mesh: Mesh, gateway: Ingress | None) -> Checks:
        if gateway is None:
            return Checks()
        logged = "" if Fault.TELEMETRY_IGNORED in self._faults else gateway.logged
        return Checks(gateway.policies, gateway.tokens, logged, mesh.authorizers)

    def _outside(self, port: int) -> Object:
        """Where connections come in that tell who calls; from there on they are connections to the pod's own port."""
        caller = remember(state(REMOTE_IP, "%DOWNSTREAM_REMOTE_ADDRESS%"))
        return {
            "name": f"{self._address}_{port}",
            "address": socket(self._address, bound(port)),
            "listener_filters": [part("proxy_protocol", _PROXY_PROTOCOL, allow_requests_without_proxy_protocol=True)],
            "filter_chains": [{"filters": [caller, tcp_proxy(_entrance(port))]}],
        }


def _entrance(port: int) -> str:
    return f"0.0.0.0_{port}"


def _inside(port: int, chains: list[Object]) -> Object:
    looks = [part("tls_inspector", _TLS_INSPECTOR)] if any("transport_socket" in each for each in chains) else []
    return {
        "name": _entrance(port),
        "internal_listener": {},
        "listener_filters": [original_dst(), *looks],
        "traffic_direction": "OUTBOUND",
        "filter_chains": chains,
    }


def _ends(gateway: Ingress) -> Mapping[int, Sequence[Secured]]:
    """What is served on each port, without certificates where that is plain HTTP; one port is not both."""
    plain = {port: (Secured("", (), routes),) for port, routes in gateway.ports.items()}
    return {**gateway.secured, **plain}


def _chain(end: Secured, port: int, hosts: list[Object], checks: Checks) -> Object:
    manager = part(
        "envoy.filters.network.http_connection_manager",
        _MANAGER,
        stat_prefix=f"outbound_0.0.0.0_{port}",
        server_name="istio-envoy",
        http_filters=[*_calling(checks.http()), *routed_filters(), router()],
        access_log=checks.log(LINE),
        use_remote_address=True,
        normalize_path=True,
        path_with_escaped_slashes_action="KEEP_UNCHANGED",
        stream_idle_timeout="0s",
        upgrade_configs=[{"upgrade_type": "websocket"}],
        tracing={},  # it takes a waypoint's x-envoy-decorator-operation out of answers, as Istio's does
        route_config={"name": f"http.{port}", "virtual_hosts": hosts, "validate_clusters": False},
    )
    asked: Object = {"filter_chain_match": {"server_names": [end.hostname]}} if end.hostname else {}
    return {"filters": [manager], **(asked | {"transport_socket": _shown(end)} if end.certificates else {})}


def _shown(end: Secured) -> Object:
    """The way in for whoever is shown these certificates; none is asked of them."""
    pairs = [
        {"certificate_chain": {"inline_string": each.chain}, "private_key": {"inline_string": each.key}}
        for each in end.certificates
    ]
    common = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificates": pairs,
    }
    return part("tls", _DOWNSTREAM, common_tls_context=common)


def _authorizing(mesh: Mesh, checks: Checks, here: Object) -> Iterator[Object]:
    """The clusters of the authorizers that its policies ask."""
    asked = Upstreams(mesh, **here)
    asked.ask(authorizers_of(mesh, checks.policies))
    yield from asked


def _calling(filters: list[Object]) -> list[Object]:
    """The same where policies ask for the address of who has connected: a gateway believes no other address anyway."""
    text = json.dumps(filters).replace('"direct_remote_ip":', '"remote_ip":')  # the direct one is this machine's
    found: list[Object] = json.loads(text)
    return found


def _hosts(mesh: Mesh, port: int, routes: Sequence[Route]) -> list[Object]:
    """A virtual host for each host name that the routes are for, with all routes for it."""
    by_host: dict[str, list[Route]] = {}
    for route in routes:
        for host in route.hostnames or ("*",):
            by_host.setdefault(host, []).append(route)
    if not by_host:
        return [{"name": f"blackhole:{port}", "domains": ["*"]}]
    return [
        {
            "name": f"{host}:{port}",
            "domains": ["*"] if host == "*" else [host, f"{host}:*"],
            "routes": found,
            "include_request_attempt_count": True,
        }
        for host, each in by_host.items()
        if (found := _routes(mesh, port, each))
    ]


def _routes(mesh: Mesh, port: int, routes: Sequence[Route]) -> list[Object]:
    """As at a waypoint, but to clusters of the gateway's own."""
    anyone, asked = Service("", "", "", (), ()), ServicePort(port, "http", "HTTP")
    made = configuration(anyone, asked, routes, mesh)
    found: list[Object] = json.loads(_INBOUND.sub(r"outbound|\1|\2|", json.dumps(made["virtual_hosts"][0]["routes"])))
    return found


def _endpoints(mesh: Mesh, service: Service, port: int, labels: Mapping[str, str]) -> Iterator[Object]:
    """The Service's pods with these labels, or its waypoint where gateways are to use it."""
    waypoint = mesh.waypoints.get(service.waypoint.key) if service.waypoint and service.ingress_too else None
    if waypoint is None:
        yield from endpoints(mesh, service, port, labels)
        yield from places(mesh, service, port, labels, ROOT_NAMESPACE)
        return
    for uid in waypoint.pods:
        if pod := mesh.workloads.get(uid):
            to = f"{pod.address}:{HBONE_PORT}"
            yield inner("connect_originate", to, waypoint=to, local=f"{service.vip}:{port}")
