"""What a waypoint's Envoy is given to do, in Istio's own shape and under Istio's names.

`connect_terminate` ends the tunnels of the callers, the internal listener `main_internal` has a filter chain per
Service port with its policies and routes, and `connect_originate` opens tunnels to the endpoints as the waypoint.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..faults import Fault
from ..istiod.model import Identity, L7Policy, Mesh, Service, ServicePort, Waypoint, Workload
from ..objects import Object
from ..ports import bound
from .ca import Authority
from .inbound import unavailable_where_denied
from .rbac import rules
from .routes import backends, configuration, upstream
from .xds import (
    HBONE_PORT,
    LOCAL_IP,
    REMOTE_IP,
    ROUTED,
    access_log,
    assignment,
    flagged,
    inner,
    listed,
    mutual_tls,
    original_dst,
    outer,
    part,
    remember,
    socket,
    state,
    static,
    tcp_proxy,
    tunnels,
    typed,
    watched,
)
from .ztunnel import Resources, endpoint_file, route_file

_LINE = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% '
    '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% '
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"
)
_MANAGER = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_HASHABLE = "envoy.hashable_string"
_UNKNOWN = access_log(_LINE, **flagged("NR"))


class WaypointConfiguration:
    """Makes the configuration of one waypoint pod; its files are named in `folder`."""

    def __init__(
        self, address: str, identity: Identity, authority: Authority, folder: Path, faults: frozenset[Fault]
    ) -> None:
        self._address = address
        self._leaf, self._root = authority.leaf(identity), authority.root_file
        self._folder = folder
        self._unavailable = Fault.UNAVAILABLE_NOT_DENIED in faults

    def resources(self, mesh: Mesh, waypoint: Waypoint | None) -> Resources:
        """The configuration for that mesh; a waypoint that is not known yet knows no destination."""
        made = Resources()
        made.clusters += [self._originating(), static("main_internal", inner("main_internal", "waypoint"))]
        made.clusters.append(static("encap", inner("connect_originate", "pod")))
        chains: list[tuple[str, int | None, Object]] = []
        for service, port in _ports(mesh, waypoint):
            policies = (*(waypoint.policies if waypoint else ()), *mesh.service_policies.get(service.key, ()))
            chains.append((service.vip, port.port, self._chain(made, mesh, service, port, policies)))
            self._clusters(made, mesh, service, port)
        for uid in waypoint.workloads if waypoint else ():
            if pod := mesh.workloads.get(uid):
                chains.append((pod.address, None, self._direct(pod, waypoint.policies if waypoint else ())))
        made.listeners += [self._terminate(), _main(chains), _originate()]
        return made

    def _clusters(self, made: Resources, mesh: Mesh, service: Service, port: ServicePort) -> None:
        self._cluster(made, mesh, service, port.port, port.protocol)
        for each in backends(mesh.routes.get(service.key, ())):
            if found := mesh.services.get(each.service or ""):
                self._cluster(made, mesh, found, each.port, "http")

    def _cluster(self, made: Resources, mesh: Mesh, service: Service, port: int, protocol: str) -> None:
        name = upstream(port, protocol, service.hostname)
        if name not in made.endpoints:
            source = {"source_address": {"address": self._address, "port_value": 0}}
            file = endpoint_file(self._folder, name)
            made.clusters.append(listed(name, file, lb_policy="LEAST_REQUEST", upstream_bind_config=source))
            made.endpoints[name] = assignment(name, _endpoints(mesh, service, port))

    def _chain(
        self, made: Resources, mesh: Mesh, service: Service, port: ServicePort, policies: Sequence[L7Policy]
    ) -> Object:
        name = upstream(port.port, port.protocol, service.hostname)
        if port.protocol == "TCP":
            return {"name": name, "filters": [*_tcp_policies(policies), tcp_proxy(name, access_log=access_log(_LINE))]}
        made.routes[name] = configuration(service, port, mesh.routes.get(service.key, ()), mesh.services)
        source = {"route_config_name": name, "config_source": watched(route_file(self._folder, name))}
        return {"name": name, "filters": [self._manager(policies, rds=source)]}

    def _direct(self, pod: Workload, policies: Sequence[L7Policy]) -> Object:
        """Requests for the pod itself; whatever does not look like HTTP is copied."""
        host = {"name": "inbound|http|0", "domains": ["*"]}
        route = {"name": "default", "match": {"prefix": "/"}, "route": {"cluster": "encap", "timeout": "0s"}}
        routes = {"name": "encap", "virtual_hosts": [host | {"routes": [route]}], "validate_clusters": False}
        asked = remember(state(LOCAL_IP, "%DOWNSTREAM_LOCAL_ADDRESS%"))
        return {
            "name": f"direct-http {pod.address}",
            "filters": [asked, self._manager(policies, route_config=routes)],
        }

    def _manager(self, policies: Sequence[L7Policy], **routes: object) -> Object:
        return part(
            "envoy.filters.network.http_connection_manager",
            _MANAGER,
            stat_prefix=ROUTED,
            server_name="istio-envoy",
            http_filters=[*self._http_policies(policies), _router()],
            access_log=access_log(_LINE),
            use_remote_address=False,
            normalize_path=True,
            path_with_escaped_slashes_action="KEEP_UNCHANGED",
            proxy_100_continue=True,
            stream_idle_timeout="0s",
            upgrade_configs=[{"upgrade_type": "websocket"}],
            tracing={},  # without it Envoy leaves out x-envoy-decorator-operation
            **routes,
        )

    def _http_policies(self, policies: Sequence[L7Policy]) -> list[Object]:
        name, kind = "envoy.filters.http.rbac", "extensions.filters.http.rbac.v3.RBAC"
        found = rules(policies, http=True).items()
        if not self._unavailable:
            return [part(name, kind, rules=each) for _, each in found]
        judges = [part(name, kind, shadow_rules=each, shadow_rules_stat_prefix=f"{action}_") for action, each in found]
        return [*judges, unavailable_where_denied("no healthy upstream")]

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
        upgrade = {"upgrade_type": "CONNECT", "connect_config": {}}
        route = {"cluster": "main_internal", "timeout": "0s", "upgrade_configs": [upgrade]}
        host = {"name": "default", "domains": ["*"], "routes": [{"match": {"connect_matcher": {}}, "route": route}]}
        manager = part(
            "envoy.filters.network.http_connection_manager",
            _MANAGER,
            stat_prefix="connect_terminate",
            codec_type="HTTP2",
            server_name="istio-envoy",
            route_config={"name": "default", "virtual_hosts": [host]},
            http_filters=[kept, _router()],
            http2_protocol_options={"allow_connect": True, "max_concurrent_streams": 1000},
            upgrade_configs=[{"upgrade_type": "CONNECT"}],
            use_remote_address=False,
            stream_idle_timeout="0s",
        )
        return {
            "name": "connect_terminate",
            "address": socket(self._address, HBONE_PORT),
            "filter_chains": [
                {"transport_socket": mutual_tls(self._leaf, self._root, server=True), "filters": [manager]}
            ],
        }

    def _originating(self) -> Object:
        return tunnels(
            "connect_originate",
            upstream_bind_config={"source_address": {"address": self._address, "port_value": 0}},
            transport_socket=mutual_tls(self._leaf, self._root, server=False),
        )


def _router() -> Object:
    return part("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")


def _tcp_policies(policies: Sequence[L7Policy]) -> list[Object]:
    kind = "extensions.filters.network.rbac.v3.RBAC"
    found = rules(policies, http=False).items()
    return [part("envoy.filters.network.rbac", kind, stat_prefix=f"tcp_{name}", rules=each) for name, each in found]


def _ports(mesh: Mesh, waypoint: Waypoint | None) -> Iterator[tuple[Service, ServicePort]]:
    for key in waypoint.services if waypoint else ():
        if service := mesh.services.get(key):
            yield from ((service, port) for port in service.ports)


def _endpoints(mesh: Mesh, service: Service, port: int) -> Iterator[Object]:
    for each in service.endpoints:
        pod, target = mesh.workloads.get(each.workload), each.ports.get(port)
        if pod is None or target is None or not pod.ready:
            continue
        if pod.captured:
            yield inner("connect_originate", f"{pod.address}:{target}", local=f"{pod.address}:{target}")
        else:
            yield outer(socket(pod.address, bound(target)))


def _main(chains: Sequence[tuple[str, int | None, Object]]) -> Object:
    """The filter chain is chosen by the address that the caller asked for."""
    addresses = dict.fromkeys(address for address, _, _ in chains)
    ranges = [
        {"ranges": [{"address_prefix": each, "prefix_len": 32}], "on_match": _by_port(chains, each)}
        for each in addresses
    ]
    found: Object = {
        "name": "main_internal",
        "internal_listener": {},
        "listener_filters": [original_dst()],
        "traffic_direction": "INBOUND",
        "filter_chains": [chain for _, _, chain in chains],
        "access_log": _UNKNOWN,
    }
    if ranges:
        address = _input("ip", "DestinationIPInput")
        custom = {"name": "ip", "typed_config": _xds("IPMatcher", range_matchers=ranges)}
        found["filter_chain_matcher"] = {"matcher_tree": {"input": address, "custom_match": custom}}
    return found


def _by_port(chains: Sequence[tuple[str, int | None, Object]], address: str) -> Object:
    found = {port: _chosen(chain["name"]) for at, port, chain in chains if at == address}
    if None in found:
        return found[None]
    ports = {"map": {str(port): action for port, action in found.items()}}
    port = _input("port", "DestinationPortInput")
    return {"matcher": {"matcher_tree": {"input": port, "exact_match_map": ports}}}


def _input(name: str, kind: str) -> Object:
    return {"name": name, "typed_config": typed(f"extensions.matching.common_inputs.network.v3.{kind}")}


def _xds(kind: str, **fields: object) -> Object:
    return {"@type": f"type.googleapis.com/xds.type.matcher.v3.{kind}", **fields}


def _chosen(chain: str) -> Object:
    value = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": chain}
    return {"action": {"name": chain, "typed_config": value}}


def _originate() -> Object:
    log = access_log(_LINE, **flagged("UF"))
    proxy = tcp_proxy("connect_originate", tunneling_config={"hostname": "%DOWNSTREAM_LOCAL_ADDRESS%"}, access_log=log)
    return {
        "name": "connect_originate",
        "internal_listener": {},
        "listener_filters": [original_dst()],
        "filter_chains": [{"filters": [proxy]}],
    }
