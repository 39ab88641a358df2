"""GRPCRoutes, which Istio takes for HTTPRoutes over the paths that gRPC gives its methods: `/SERVICE/METHOD`."""

import re
from collections.abc import Iterator

from ..api.errors import Cause
from ..objects import Object
from .filter_rules import wrong
from .route_rules import route_causes
from .view import spec_of

_NAMES = {
    "service": r"(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*",
    "method": r"[A-Za-z_][A-Za-z_0-9]*",
}


def as_http(route: Object) -> Object:
    """The route, its kind and status as they are, with the matches of an HTTPRoute."""
    rules = [_rule(each) for each in spec_of(route).get("rules") or ()]
    return {**route, "spec": {**spec_of(route), "rules": rules}}


def grpc_causes(route: Object) -> Iterator[Cause]:
    """What is wrong with a GRPCRoute whose fields are right one by one."""
    for position, rule in enumerate(spec_of(route).get("rules") or ()):
        for number, match in enumerate(rule.get("matches") or ()):
            if "method" in match:
                yield from _method_causes(match["method"], f"spec.rules[{position}].matches[{number}].method")
    yield from route_causes(as_http(route))


def _method_causes(method: Object, path: str) -> Iterator[Cause]:
    if not method.get("service") and not method.get("method"):
        yield wrong(path, "object", "One or both of 'service' or 'method' must be specified")
    for field, pattern in _NAMES.items():
        value = str(method.get(field) or "")
        if value and method.get("type", "Exact") == "Exact" and not re.fullmatch(pattern, value):
            yield wrong(path, "object", f"{field} must only contain valid characters (matching ^{pattern}$)")


def _rule(rule: Object) -> Object:
    return {**rule, "matches": [_match(each) for each in rule.get("matches") or ()]}


def _match(match: Object) -> Object:
    kind, value = _path(match.get("method") or {})
    headers = {"headers": match["headers"]} if match.get("headers") else {}
    return {"path": {"type": kind, "value": value}, **headers}


def _path(method: Object) -> tuple[str, str]:
    service, name = method.get("service"), method.get("method")
    if not service and not name:
        return "PathPrefix", "/"
    if not service:
        return "RegularExpression", f"/[^/]+/{name}"
    if method.get("type", "Exact") == "Exact":
        return ("Exact", f"/{service}/{name}") if name else ("PathPrefix", f"/{service}")
    return "RegularExpression", f"/{service}/{name or '.+'}"
