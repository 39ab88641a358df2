"""What is refused in VirtualServices: Istio's own objections, and what is not carried out here."""

from collections import Counter
from collections.abc import Iterator

from ..api.errors import Cause
from ..objects import Object
from .unimplemented import not_implemented
from .view import spec_of
from .virtual_values import percent_mistakes, rule_mistakes

_REDIRECTS = (0, 301, 302, 303, 307, 308)
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
    if not hosts and spec_of(item).get("gateways"):
        yield "delegate virtual service must have no gateways"
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
        yield from _faults(rule)
        yield from rule_mistakes(rule)


def virtual_warnings(item: Object) -> list[str]:
    """What a writer should be told although it is accepted: which rules no request comes to."""
    rules: list[Object] = spec_of(item).get("http") or []
    everything = next((position for position, rule in enumerate(rules) if not rule.get("match")), len(rules))
    why = "not used (only the last rule can have no matches)"
    return [f"virtualService rule #{position} {why}" for position in range(everything + 1, len(rules))]


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


def _faults(rule: Object) -> Iterator[str]:
    fault: Object = rule.get("fault") or {}
    if "fault" in rule and "delay" not in fault and "abort" not in fault:
        yield "HTTP fault injection must have an abort and/or a delay"
    delay, abort = fault.get("delay") or {}, fault.get("abort") or {}
    for part in (delay, abort):
        yield from percent_mistakes(part)
    if "exponentialDelay" in delay:
        yield "exponentialDelay not supported yet"
    if "http2Error" in abort:
        yield "HTTP/2 abort fault injection not supported yet"
    if "httpStatus" in abort and not 200 <= abort["httpStatus"] <= 599:
        yield f"HTTP status {abort['httpStatus']} is not in range 200-599"
