"""What is refused in VirtualServices and DestinationRules: Istio's own objections, and what is not carried out here."""

from collections import Counter
from collections.abc import Iterator

from ..api.errors import Cause
from ..objects import Object
from .unimplemented import not_implemented
from .view import spec_of

_REDIRECTS = (0, 301, 302, 303, 307, 308)
_BALANCERS = ("", "UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "RANDOM", "ROUND_ROBIN")
_PLAIN = ("DISABLE", "ISTIO_MUTUAL")
"""The modes of TLS that change nothing at a waypoint: its tunnels are mutual TLS anyway."""
_APART = (
    ("route", "redirect", "HTTP route cannot contain both route and redirect"),
    ("fault", "redirect", "HTTP route cannot contain both fault and redirect"),
    ("rewrite", "redirect", "HTTP route rule cannot contain both rewrite and redirect"),
    ("directResponse", "redirect", "HTTP route rule cannot contain both direct_response and redirect"),
    ("route", "directResponse", "HTTP route cannot contain both route and direct_response"),
    ("fault", "directResponse", "HTTP route cannot contain both fault and direct_response"),
    ("rewrite", "directResponse", "HTTP route rule cannot contain both rewrite and direct_response"),
    ("mirror", "mirrors", "HTTP route cannot contain both mirror and mirrors"),
)


def virtual_causes(item: Object) -> Iterator[Cause]:
    """What a VirtualService asks for that waypoints here can't do."""
    gateways = spec_of(item).get("gateways") or ("mesh",)
    if "mesh" not in gateways:
        yield not_implemented("spec.gateways", "VirtualServices of a Gateway, only of the mesh")
    for position, rule in enumerate(spec_of(item).get("http") or ()):
        code = (rule.get("redirect") or {}).get("redirectCode", 0)
        if 300 <= code < 400 and code not in _REDIRECTS:
            yield not_implemented(f"spec.http[{position}].redirect.redirectCode", f"redirects with status {code}")


def virtual_mistakes(item: Object) -> Iterator[str]:
    """What Istio's webhook objects to in a VirtualService."""
    hosts = spec_of(item).get("hosts") or ()
    rules: list[Object] = spec_of(item).get("http") or []
    if not hosts:
        yield "virtual service must have at least one host"
    if "*" in hosts:
        yield "wildcard host * is not allowed for virtual services bound to the mesh gateway"
    for host, count in Counter(hosts).items():
        if count > 1:
            yield f"duplicate hosts in virtual service: {host} & {host}"
    connections: list[Object] = spec_of(item).get("tcp") or []
    if not rules and not connections:
        yield "http, tcp or tls must be provided in virtual service"
    for rule in connections:
        yield from _connection(rule)
    for rule in rules:
        yield from _rule(rule)
        yield from _faults(rule.get("fault") or {})


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
    for name, count in Counter(each.get("name", "") for each in spec_of(item).get("subsets") or ()).items():
        if count > 1:
            yield f"duplicate subset names: {name}"


def _connection(rule: Object) -> Iterator[str]:
    routes: list[Object] = rule.get("route") or []
    if not routes:
        yield "TCP route is required"
    if len(routes) > 1 and not any(each.get("weight") for each in routes):
        yield "total destination weight = 0"


def _rule(rule: Object) -> Iterator[str]:
    routes: list[Object] = rule.get("route") or []
    for one, other, why in _APART:
        if one in rule and other in rule:
            yield why
    if not routes and "redirect" not in rule and "directResponse" not in rule:
        yield "HTTP route, redirect or direct_response is required"
    if len(routes) > 1 and not any(each.get("weight") for each in routes):
        yield "total destination weight = 0"
    redirect: Object = rule.get("redirect") or {}
    if "redirect" in rule and not any(redirect.get(field) for field in ("uri", "authority", "port", "scheme")):
        yield "redirect must specify URI, authority, scheme, or port"
    if (code := redirect.get("redirectCode", 0)) and not 300 <= code < 400:
        yield f"{code} is not a valid redirect code, must be 3xx"
    retries: Object = rule.get("retries") or {}
    if retries.get("attempts", 0) < 0:
        yield "attempts cannot be negative"
    if retries.get("attempts", 0) == 0 and any(retries.get(field) for field in ("perTryTimeout", "retryOn")):
        yield "http retry policy configured when attempts are set to 0 (disabled)"


def _faults(fault: Object) -> Iterator[str]:
    delay, abort = fault.get("delay") or {}, fault.get("abort") or {}
    if "exponentialDelay" in delay:
        yield "exponentialDelay not supported yet"
    if "http2Error" in abort:
        yield "HTTP/2 abort fault injection not supported yet"
    if "httpStatus" in abort and not 200 <= abort["httpStatus"] <= 599:
        yield f"HTTP status {abort['httpStatus']} is not in range 200-599"
