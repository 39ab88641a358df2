"""What the Gateway API refuses in HTTPRoutes and Gateways, and what of them the embedded mesh does not carry out."""

import re
from collections.abc import Iterator

from ..objects import Object, annotations_of
from .shapes import Problem, not_implemented, one_of
from .view import WAYPOINT_CLASS, spec_of

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+")
_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_FILTERS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestRedirect": "requestRedirect",
    "RequestMirror": "requestMirror",
    "URLRewrite": "urlRewrite",
    "CORS": "cors",
    "ExternalAuth": "externalAuth",
    "ExtensionRef": "extensionRef",
}
_OTHER_CLASSES = ("istio", "istio-remote", "istio-east-west", "istio-agentgateway", "istio-agentgateway-waypoint")
_OTHER_ANNOTATIONS = ("ambient.istio.io/waypoint-inbound-binding", "ambient.istio.io/xfcc-include-client-identity")


def route_problems(route: Object) -> Iterator[Problem]:
    """What is wrong with an HTTPRoute beyond its fields' names."""
    for position, parent in enumerate(spec_of(route).get("parentRefs") or ()):
        path = f"spec.parentRefs[{position}]"
        if not parent.get("name"):
            yield Problem(f"{path}.name", "Required value", "FieldValueRequired")
        if parent.get("kind") != "Service" or parent.get("group") not in ("", "core"):
            yield not_implemented(f"{path}.kind", f"routes of a {parent.get('kind')}: a parent must be a Service")
    for position, rule in enumerate(spec_of(route).get("rules") or ()):
        yield from _rule_problems(rule, f"spec.rules[{position}]")


def gateway_problems(gateway: Object) -> Iterator[Problem]:
    """What is wrong with a Gateway beyond its fields' names."""
    spec = spec_of(gateway)
    if not spec.get("gatewayClassName"):
        yield Problem("spec.gatewayClassName", "Required value", "FieldValueRequired")
    if spec.get("gatewayClassName") in _OTHER_CLASSES:
        what = f"Gateways of class {spec['gatewayClassName']}, only {WAYPOINT_CLASS}"
        yield not_implemented("spec.gatewayClassName", what)
    if not spec.get("listeners"):
        yield Problem("spec.listeners", "Required value", "FieldValueRequired")
    for each in _OTHER_ANNOTATIONS:
        if each in annotations_of(gateway):
            yield not_implemented(f"metadata.annotations[{each}]", each)
    for position, listener in enumerate(spec.get("listeners") or ()):
        path = f"spec.listeners[{position}]"
        for field in ("name", "port", "protocol"):
            if not listener.get(field):
                yield Problem(f"{path}.{field}", "Required value", "FieldValueRequired")
        allowed = ((listener.get("allowedRoutes") or {}).get("namespaces") or {}).get("from", "Same")
        yield from one_of(f"{path}.allowedRoutes.namespaces.from", allowed, ("All", "Selector", "Same"))


def _rule_problems(rule: Object, path: str) -> Iterator[Problem]:
    for position, match in enumerate(rule.get("matches") or ()):
        yield from _match_problems(match, f"{path}.matches[{position}]")
    yield from _filter_problems(rule.get("filters") or (), path)
    for field, value in (rule.get("timeouts") or {}).items():
        if not _DURATION.fullmatch(str(value)):
            yield _invalid(f"{path}.timeouts.{field}", value, f"should match '^{_DURATION.pattern}$'")
    for position, ref in enumerate(rule.get("backendRefs") or ()):
        where = f"{path}.backendRefs[{position}]"
        if not ref.get("name"):
            yield Problem(f"{where}.name", "Required value", "FieldValueRequired")
        if ref.get("kind") == "Service" and ref.get("group") == "" and not ref.get("port"):
            yield _invalid(where, "object", "Must have port for Service reference")
        if not 0 <= int(ref.get("weight", 1)) <= 1_000_000:
            yield _invalid(f"{where}.weight", ref["weight"], "should be between 0 and 1000000")
        yield from _filter_problems(ref.get("filters") or (), where)


def _match_problems(match: Object, path: str) -> Iterator[Problem]:
    where: Object = match.get("path") or {}
    kind, value = where.get("type", "PathPrefix"), str(where.get("value", "/"))
    yield from one_of(f"{path}.path.type", kind, ("Exact", "PathPrefix", "RegularExpression"))
    if kind != "RegularExpression" and not value.startswith("/"):
        why = "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']"
        yield _invalid(f"{path}.path", "object", why)
    if kind == "RegularExpression":
        yield from _expression(f"{path}.path.value", value)
    if "method" in match:
        yield from one_of(f"{path}.method", match["method"], _METHODS)
    for field in ("headers", "queryParams"):
        for position, pair in enumerate(match.get(field) or ()):
            yield from _pair_problems(pair, f"{path}.{field}[{position}]")


def _pair_problems(pair: Object, path: str) -> Iterator[Problem]:
    yield from one_of(f"{path}.type", pair.get("type", "Exact"), ("Exact", "RegularExpression"))
    if not _TOKEN.fullmatch(str(pair.get("name", ""))):
        yield _invalid(f"{path}.name", pair.get("name", ""), "must be a token of HTTP")
    if not pair.get("value"):
        yield Problem(f"{path}.value", "Required value", "FieldValueRequired")
    if pair.get("type") == "RegularExpression":
        yield from _expression(f"{path}.value", str(pair.get("value", "")))


def _filter_problems(filters: list[Object] | tuple[()], path: str) -> Iterator[Problem]:
    types = [str(each.get("type", "")) for each in filters]
    for position, (each, kind) in enumerate(zip(filters, types, strict=True)):
        where = f"{path}.filters[{position}]"
        yield from one_of(f"{where}.type", kind, tuple(_FILTERS))
        field = _FILTERS.get(kind, "")
        if field and field not in each:
            yield _invalid(where, "object", f"filter.{field} must be specified for {kind} filter.type")
        for other in set(each) - {"type", field}:
            yield _invalid(where, "object", f"filter.{other} must be nil if the filter.type is not {other}")
        if types.count(kind) > 1 and types.index(kind) != position:
            yield _invalid(f"{path}.filters", "array", f"{kind} filter cannot be repeated")


def _expression(path: str, value: str) -> Iterator[Problem]:
    try:
        re.compile(value)
    except re.error as error:
        yield _invalid(path, value, f"not a regular expression: {error}")


def _invalid(path: str, value: object, why: str) -> Problem:
    shown = f'"{value}"' if isinstance(value, str) else value
    return Problem(path, f"Invalid value: {shown}: {why}")
