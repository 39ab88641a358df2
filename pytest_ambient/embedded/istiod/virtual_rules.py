"""What is refused in VirtualServices: Istio's own objections, and what is not carried out here."""

import json
from collections.abc import Iterator
from itertools import combinations

from ..api.errors import Cause
from ..entries import is_address
from ..objects import Object
from .exports import export_mistakes
from .hosts import covers, domain_mistakes
from .unimplemented import not_implemented
from .view import spec_of
from .virtual_filters import GRPC_STATUSES
from .virtual_values import CLAIM, percent_mistakes, rule_mistakes

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
    hosts: list[str] = [str(each) for each in spec_of(item).get("hosts") or ()]
    rules: list[Object] = spec_of(item).get("http") or []
    if not hosts and spec_of(item).get("gateways"):
        yield "delegate virtual service must have no gateways"
    yield from _claims(rules, spec_of(item).get("gateways") or [])
    wrong = [why for each in hosts if not is_address(each) for why in domain_mistakes(each)]
    if "*" in hosts:
        wrong.append("wildcard host * is not allowed for virtual services bound to the mesh gateway")
    yield from wrong or (
        f"duplicate hosts in virtual service: {one} & {other}"
        for one, other in combinations(hosts, 2)
        if covers(one, other)
    )
    connections: list[Object] = spec_of(item).get("tcp") or []
    if not rules and not connections:
        yield "http, tcp or tls must be provided in virtual service"
    for rule in rules:
        yield from _rule(rule)
        yield from _faults(rule)
        yield from rule_mistakes(rule)
    for rule in connections:
        yield from _connection(rule)
    yield from export_mistakes(item)


def _claims(rules: list[Object], gateways: list[str]) -> Iterator[str]:
    for match in (match for rule in rules for match in rule.get("match") or ()):
        for name in (*(match.get("headers") or {}), *(match.get("withoutHeaders") or {})):
            if CLAIM.fullmatch(name):
                found = f"[{' '.join(gateways)}]"
                yield f"JWT claim based routing (key: {name}) is only supported for gateway, found no gateways: {found}"


def virtual_warnings(item: Object) -> list[str]:
    """What a writer should be told although it is accepted: which rules no request comes to."""
    told, everything, seen = [], False, dict[str, str]()
    for position, rule in enumerate(spec_of(item).get("http") or ()):
        name = _called(rule, position)
        matches = [json.dumps(each, sort_keys=True) for each in rule.get("match") or ()]
        if everything:
            why = "route without matches defined before" if matches else "only the last rule can have no matches"
            told += [f"virtualService rule {name} not used ({why})"] * max(len(matches), 1)
        else:
            before = [each for each in enumerate(matches) if each[1] in seen]
            told += [_repeated(name, _called(rule["match"][number], number), seen[each]) for number, each in before]
            if before and len(before) == len(matches):
                told.append(f"virtualService rule {name} not used (all matches used by prior rules)")
        everything = everything or not matches
        seen = {**dict.fromkeys(matches, name), **seen}
    return told


def _called(part: Object, position: int) -> str:
    return json.dumps(part["name"]) if part.get("name") else f"#{position}"


def _repeated(rule: str, match: str, other: str) -> str:
    why = f"duplicate/overlapping match in rule {other}"
    return f"virtualService rule {rule} match {match} is not used ({why})"


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
    elif (code := redirect.get("redirectCode", 0)) and not 300 <= code < 400:
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
    if "grpcStatus" in abort and abort["grpcStatus"] not in GRPC_STATUSES:
        where = "See https://github.com/grpc/grpc/blob/master/doc/statuscodes.md for a list of supported codes"
        yield f"gRPC status {json.dumps(abort['grpcStatus'])} is not supported. {where}, for example 'NOT_FOUND'"
