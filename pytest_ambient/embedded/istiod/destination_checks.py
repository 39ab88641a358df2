"""What is refused in DestinationRules: Istio's own objections, and what is not carried out here."""

import re
from collections import Counter
from collections.abc import Iterator

from ..api.errors import Cause
from ..objects import Object
from .exports import export_mistakes
from .hosts import domain_mistakes
from .unimplemented import not_implemented
from .view import spec_of
from .virtual_values import LABEL
from .words import is_duration, is_exact, seconds

_KEY = re.compile(
    r"(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/)?[a-zA-Z0-9](?:[-\w.]*[a-zA-Z0-9])?"
)
_BALANCERS = ("", "UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "RANDOM", "ROUND_ROBIN")
_PLAIN = ("DISABLE", "ISTIO_MUTUAL")
"""The modes of TLS that change nothing at a waypoint: its tunnels are mutual TLS anyway."""
_COUNTS = (
    ("tcp", "maxConnections", "max connections"),
    ("http", "http1MaxPendingRequests", "http1 max pending requests"),
    ("http", "http2MaxRequests", "http2 max requests"),
    ("http", "maxRequestsPerConnection", "max requests per connection"),
    ("http", "maxRetries", "max retries"),
    ("http", "maxConcurrentStreams", "max concurrent streams"),
)


def destination_causes(item: Object) -> Iterator[Cause]:
    """What a DestinationRule asks for that waypoints here can't do."""
    spec = spec_of(item)
    parts = [("spec", spec)]
    parts += [(f"spec.subsets[{position}]", each) for position, each in enumerate(spec.get("subsets") or ())]
    for path, part in parts:
        policy, where = part.get("trafficPolicy") or {}, f"{path}.trafficPolicy"
        yield from _policy_causes(policy, where)
        for position, each in enumerate(policy.get("portLevelSettings") or ()):
            yield from _policy_causes(each, f"{where}.portLevelSettings[{position}]")


def _policy_causes(policy: Object, path: str) -> Iterator[Cause]:
    simple = (policy.get("loadBalancer") or {}).get("simple", "")
    if simple not in _BALANCERS:
        yield not_implemented(f"{path}.loadBalancer.simple", f"load balancing by {simple}")
    mode = (policy.get("tls") or {}).get("mode", "DISABLE")
    if mode not in _PLAIN:
        yield not_implemented(f"{path}.tls.mode", f"TLS of mode {mode} from a waypoint")


def destination_mistakes(item: Object) -> Iterator[str]:
    """What Istio's webhook objects to in a DestinationRule."""
    spec = spec_of(item)
    subsets: list[Object] = spec.get("subsets") or []
    yield from domain_mistakes(str(spec.get("host") or ""))
    for part in (spec, *subsets):
        if "trafficPolicy" in part:
            yield from _policy_mistakes(part["trafficPolicy"] or {}, "traffic policy")
    for name, count in Counter(str(each.get("name", "")) for each in subsets).items():
        if not name:
            yield "subset name cannot be empty"
        elif not LABEL.fullmatch(name):
            yield f"subset name is invalid: {name}"
        if count > 1:
            yield f"duplicate subset names: {name}"
    for key in (key for each in subsets for key in each.get("labels") or {}):
        if not _KEY.fullmatch(key):
            yield f'invalid tag key: "{key}"'
    yield from export_mistakes(item)


def destination_warnings(item: Object) -> list[str]:
    """What a writer should be told although it is accepted: that a field of the policy of all is an old one."""
    outlier: Object = (spec_of(item).get("trafficPolicy") or {}).get("outlierDetection") or {}
    old = "outlier detection consecutive errors is deprecated"
    return [f"{old}, use consecutiveGatewayErrors or consecutive5xxErrors instead"] * bool(
        outlier.get("consecutiveErrors")
    )


def _policy_mistakes(policy: Object, what: str) -> Iterator[str]:
    if not policy.keys() - {"port"}:
        yield f"{what} must have at least one field"
    yield from _outlier_mistakes(policy.get("outlierDetection") or {})
    if "connectionPool" in policy:
        yield from _pool_mistakes(policy["connectionPool"] or {})
    cookie: Object | None = ((policy.get("loadBalancer") or {}).get("consistentHash") or {}).get("httpCookie")
    if cookie is not None and not cookie.get("name"):
        yield "name required for HttpCookie"
    for each in policy.get("portLevelSettings") or ():
        if not each.get("port"):
            yield "portTrafficPolicy must have valid port"
        yield from _policy_mistakes(each, "port traffic policy")


def _outlier_mistakes(outlier: Object) -> Iterator[str]:
    yield from _inexact(outlier, "baseEjectionTime")
    if outlier.get("consecutiveLocalOriginFailures") and not outlier.get("splitExternalLocalOriginErrors"):
        failures = "outlier detection consecutive local origin failures is specified"
        yield f"{failures}, but split external local origin errors is set to false"
    yield from _inexact(outlier, "interval")
    for field in ("maxEjectionPercent", "minHealthPercent"):
        share = outlier.get(field, 0)
        if not 0 <= share <= 100:
            yield f"percentage {share} is not in range 0..100"


def _pool_mistakes(pool: Object) -> Iterator[str]:
    tcp, http = pool.get("tcp"), pool.get("http")
    if tcp is None and http is None:
        yield "connection pool must have at least one field"
    for part, field, word in _COUNTS:
        if (pool.get(part) or {}).get(field, 0) < 0:
            yield f"{word} must be non-negative"
    yield from _inexact(http or {}, "idleTimeout")
    if (http or {}).get("useClientProtocol") and (http or {}).get("h2UpgradePolicy") == "UPGRADE":
        yield "use client protocol must not be true when H2UpgradePolicy is UPGRADE"
    yield from _inexact(tcp or {}, "connectTimeout", "maxConnectionDuration")
    idle = (tcp or {}).get("idleTimeout")
    if idle is not None and not is_duration(str(idle)):
        yield f'bad Duration: time: invalid duration "{idle}"'
    elif abs(seconds(idle)) >= 0.001:  # less is none at all
        yield from _inexact(tcp or {}, "idleTimeout")
    yield from _inexact((tcp or {}).get("tcpKeepalive") or {}, "time", "interval")


def _inexact(part: Object, *fields: str) -> Iterator[str]:
    """Of durations, which elsewhere are a millisecond at least by the rules of the definition."""
    for field in fields:
        if field in part:
            lasting = seconds(part[field])
            if lasting < 0.001:
                yield "duration must be greater than 1ms"
            elif not is_exact(lasting):
                yield "only durations to ms precision are supported"
