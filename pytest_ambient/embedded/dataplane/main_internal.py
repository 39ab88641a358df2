"""The inner listener of a waypoint: a filter chain for each destination, with its policies and routes."""

from collections.abc import Iterable

from ..istiod.model import Service, ServicePort, Workload
from ..objects import Object
from .checks import Checks
from .matching import addresses, by_address, by_value, chain
from .names import upstream
from .route_actions import RETRY
from .route_filters import filters as routed_filters
from .route_filters import limited
from .tracing import tracing
from .xds import (
    LOCAL_IP,
    flagged,
    original_dst,
    part,
    remember,
    state,
    tcp_proxy,
)

LINE = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% '
    '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% '
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"
)
"""Istio's default access log line."""

_MANAGER = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_NOWHERE = "0.0.0.0"  # noqa: S104 - nobody asks for it: an Envoy listener must have some filter chain
_DIRECT_HTTP, _DIRECT_TCP = "direct-http", "direct-tcp"


class MainInternal:
    """Collects what a waypoint handles and makes the listener of it."""

    def __init__(self) -> None:
        self._chains: list[Object] = []
        self._ports: dict[str, dict[str, Object]] = {}
        self._pods: list[str] = []
        self._tcp: set[int] = set()
        self._sniffed: set[int] = set()

    def service(
        self,
        service: Service,
        port: ServicePort,
        checks: Checks,
        routes: Object,
        target: str | Object,
        **lasting: object,
    ) -> None:
        """Handle a Service's port: requests by the routes, connections that are not HTTP by the target."""
        names = {each: upstream(port.port, each, service.hostname) for each in ("HTTP", "TCP")}
        if port.protocol == "HTTP":
            self._chains.append({"name": names["HTTP"], "filters": [self._manager(checks, routes)]})
        if port.protocol == "TCP" or port.sniffed:
            self._chains.append({"name": names["TCP"], "filters": [*checks.tcp(), _copied(target, checks, **lasting)]})
            (self._sniffed if port.sniffed else self._tcp).add(port.port)
        chosen = _by_protocol(names["HTTP"], names["TCP"]) if port.sniffed else chain(names[port.protocol])
        self._ports.setdefault(service.vip, {})[str(port.port)] = chosen

    def pod(self, pod: Workload) -> None:
        """Handle whatever is addressed to the pod itself."""
        self._pods.append(pod.address)

    def listener(self, checks: Checks) -> Object:
        """The listener; `checks` are those of the waypoint, for the pods that it handles."""
        chosen = [
            {"ranges": addresses([address]), "on_match": by_value("DestinationPortInput", ports)}
            for address, ports in self._ports.items()
        ]
        pods = {"ranges": addresses(self._pods or [_NOWHERE])}
        chosen.append(pods | {"on_match": _by_protocol(_DIRECT_HTTP, _DIRECT_TCP)})
        return {
            "name": "main_internal",
            "internal_listener": {},
            "listener_filters": [original_dst(), *self._inspectors()],
            "traffic_direction": "INBOUND",
            "filter_chains": [*self._chains, *self._direct(checks)],
            "filter_chain_matcher": by_address("DestinationIPInput", chosen),
            "access_log": checks.log(LINE, **flagged("NR")),
        }

    def _inspectors(self) -> Iterable[Object]:
        """Pods may speak anything on any port; but on a Service's TCP port the server may be the first to speak."""
        if not self._pods and not self._sniffed:
            return
        plain = sorted(self._tcp - self._sniffed)
        known = [{"destination_port_range": {"start": port, "end": port + 1}} for port in plain]
        inspector = part("http_inspector", "extensions.filters.listener.http_inspector.v3.HttpInspector")
        if known:
            inspector["filter_disabled"] = known[0] if len(known) == 1 else {"or_match": {"rules": known}}
        yield inspector

    def _direct(self, checks: Checks) -> list[Object]:
        route = {"cluster": "encap", "timeout": "0s", "retry_policy": RETRY}
        every = {"name": "default", "match": {"prefix": "/"}, "route": route, "decorator": {"operation": ":0/*"}}
        host = {"name": "inbound|http|0", "domains": ["*"], "routes": [every]}
        routes = {"name": "encap", "virtual_hosts": [host], "validate_clusters": False}
        asked = remember(state(LOCAL_IP, "%DOWNSTREAM_LOCAL_ADDRESS%"))
        return [
            {"name": _DIRECT_HTTP, "filters": [asked, self._manager(checks, routes)]},
            {"name": _DIRECT_TCP, "filters": [asked, *checks.tcp(), _copied("encap", checks)]},
        ]

    def _manager(self, checks: Checks, routes: Object) -> Object:
        return part(
            "envoy.filters.network.http_connection_manager",
            _MANAGER,
            stat_prefix="main_internal",
            server_name="istio-envoy",
            http_filters=[*checks.http(), *routed_filters(), *map(limited, checks.limits), router()],
            access_log=checks.log(LINE),
            use_remote_address=False,
            normalize_path=True,
            path_with_escaped_slashes_action="KEEP_UNCHANGED",
            proxy_100_continue=True,
            stream_idle_timeout="0s",
            upgrade_configs=[{"upgrade_type": "websocket"}],
            tracing=tracing(checks),
            route_config=routes,
        )


def router() -> Object:
    """The HTTP filter that sends requests on."""
    return part("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")


def _by_protocol(http: str, tcp: str) -> Object:
    """Choose between two filter chains by what the first bytes are."""
    known = dict.fromkeys(("'http/1.0'", "'http/1.1'", "'h2c'"), chain(http))
    return by_value("ApplicationProtocolInput", known, chain(tcp))


def _copied(target: str | Object, checks: Checks, **lasting: object) -> Object:
    return tcp_proxy(target, access_log=checks.log(LINE), **lasting)
