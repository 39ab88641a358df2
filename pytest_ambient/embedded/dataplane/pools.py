"""How a waypoint keeps connections to the endpoints of a Service, and how it counts what goes wrong with them."""

from ..istiod.destination_model import Keepalive
from ..istiod.model import Ejection, Policy, ServicePort
from ..objects import Object
from .hashing import balancing
from .route_actions import timed
from .xds import HTTP_OPTIONS, limits, typed


def handled(policy: Policy, port: ServicePort, *, beyond: bool = False) -> Object:
    """The parts of a cluster that a policy asks for; `beyond` is for Services that are not the waypoint's own."""
    found: Object = balancing(policy.hash) if policy.hash else {"lb_policy": policy.balancing}
    found["circuit_breakers"] = _limits(policy)
    if policy.connect_timeout is not None:
        found["connect_timeout"] = timed(policy.connect_timeout)
    if policy.keepalive is not None:
        found["upstream_connection_options"] = {"tcp_keepalive": _keepalive(policy.keepalive)}
    found |= _options(policy, port, beyond=beyond)
    return found | (_ejecting(policy.ejection) if policy.ejection else {})


def copied(policy: Policy) -> Object:
    """The parts of a proxy of connections that a policy asks for."""
    times = {"idle_timeout": policy.idle, "max_downstream_connection_duration": policy.longest}
    return _timed(times)


def _limits(policy: Policy) -> Object:
    named = {
        "max_connections": policy.max_connections,
        "max_pending_requests": policy.max_pending,
        "max_requests": policy.max_requests,
        "max_retries": policy.max_retries,
    }
    found: Object = {name: value for name, value in named.items() if value}
    if policy.budget is not None:
        share = {"value": policy.budget.percent}
        found["retry_budget"] = {"budget_percent": share, "min_retry_concurrency": policy.budget.least}
    return limits(**found)


def _keepalive(asked: Keepalive) -> Object:
    found = {"probes": asked.probes, "time": asked.time, "interval": asked.interval}
    return {f"keepalive_{name}": value for name, value in found.items() if value is not None}


def _options(policy: Policy, port: ServicePort, *, beyond: bool) -> Object:
    """How long and for how many requests a connection is kept, and what they are sent as."""
    idle = policy.idle if policy.http_idle is None else policy.http_idle
    common = _timed({"idle_timeout": idle, "max_connection_duration": policy.longest})
    if policy.requests_per_connection is not None:
        common["max_requests_per_connection"] = policy.requests_per_connection
    asked: Object = {"common_http_protocol_options": common} if common else {}
    asked |= _spoken(policy, port, beyond=beyond, known=bool(common))
    if not asked:
        return {}
    return {"typed_extension_protocol_options": {HTTP_OPTIONS: typed(HTTP_OPTIONS.removeprefix("envoy."), **asked)}}


def _spoken(policy: Policy, port: ServicePort, *, beyond: bool, known: bool) -> Object:
    """The protocol; nothing for HTTP/1.1, unless that has to be `known`."""
    if policy.speaks == "client's" or port.sniffed:
        return {"use_downstream_protocol_config": {"http_protocol_options": {}, "http2_protocol_options": {}}}
    if port.http2 or policy.speaks:
        # as Istio has it: its waypoints upgrade what is their own only when the rest is said
        streams = policy.streams if port.http2 or beyond else None
        options = {"max_concurrent_streams": streams} if streams else {}
        return {"explicit_http_config": {"http2_protocol_options": options}}
    return {"explicit_http_config": {"http_protocol_options": {}}} if known else {}


def _ejecting(ejection: Ejection) -> Object:
    found: Object = {"enforcing_success_rate": 0}
    counted = {"consecutive_5xx": ejection.errors, "consecutive_gateway_failure": ejection.gateway_errors}
    for name, count in counted.items():
        if count is not None:
            found |= {name: count, f"enforcing_{name}": 100 if count else 0}
    found |= _timed({"interval": ejection.interval, "base_ejection_time": ejection.base_time})
    if ejection.max_percent is not None:
        found["max_ejection_percent"] = ejection.max_percent
    if ejection.apart:
        found |= {"split_external_local_origin_errors": True, "enforcing_local_origin_success_rate": 0}
        if ejection.own_errors:
            found["consecutive_local_origin_failure"] = ejection.own_errors
            found["enforcing_consecutive_local_origin_failure"] = 100
    threshold = {"healthy_panic_threshold": {"value": ejection.min_health}}
    return {"outlier_detection": found, "common_lb_config": threshold}


def _timed(times: dict[str, float | None]) -> Object:
    return {name: timed(seconds) for name, seconds in times.items() if seconds is not None}
