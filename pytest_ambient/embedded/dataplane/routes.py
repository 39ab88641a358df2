"""HTTPRoutes and VirtualServices as the routes of a waypoint's Envoy."""

from collections.abc import Iterator, Mapping, Sequence

from ..istiod.model import Backend, HeaderMatch, Route, RouteMatch, Service, ServicePort
from ..objects import Object
from .route_actions import Actions, retry_policy, upstream
from .route_filters import text


def configuration(
    service: Service, port: ServicePort, routes: Sequence[Route], services: Mapping[str, Service]
) -> Object:
    """Everything that a waypoint does with requests for that port."""
    bound = [each for each in routes if each.port in (None, port.port)]
    made = [*_ordered(service, port, bound, services)]
    host = {
        "name": f"inbound|http|{port.port}",
        "domains": ["*"],
        "routes": made if bound else [_default(service, port)],
    }
    return {
        "name": upstream(port.port, port.protocol, service.hostname),
        "virtual_hosts": [host],
        "validate_clusters": False,
    }


def backends(routes: Sequence[Route]) -> Iterator[Backend]:
    """All backends of these routes that exist, those of copies too."""
    for route in routes:
        for rule in route.rules:
            named = (*rule.backends, *(each.backend for each in rule.mirrors))
            yield from (each for each in named if each.service is not None)


def _default(service: Service, port: ServicePort) -> Object:
    action = {"timeout": "0s", **retry_policy(None), "cluster": upstream(port.port, port.protocol, service.hostname)}
    return {
        "name": "default",
        "match": {"prefix": "/"},
        "route": action,
        "decorator": {"operation": f"{service.hostname}:{port.port}/*"},
    }


Precedence = tuple[bool, int, bool, int, int]


def _ordered(
    service: Service, port: ServicePort, routes: Sequence[Route], services: Mapping[str, Service]
) -> Iterator[Object]:
    """HTTPRoutes as one, by precedence, then each VirtualService in the order of its rules."""
    made = [found for each in routes if not each.virtual for found in _routes(service, port, each, services)]
    yield from (route for _, route in sorted(made, key=lambda each: each[0]))
    for each in routes:
        if each.virtual:
            yield from (route for _, route in _routes(service, port, each, services))


def _routes(
    service: Service, port: ServicePort, route: Route, services: Mapping[str, Service]
) -> Iterator[tuple[Precedence, Object]]:
    actions = Actions(service, port.port, route, services)
    for index, rule in enumerate(route.rules):
        for match in rule.matches or (RouteMatch(),):
            name = rule.name or ("" if route.virtual else f"{route.namespace}.{route.name}.{index}")
            named = {"name": f"{name}.{match.name}" if match.name else name, "match": _match(match)}
            yield _precedence(match), named | actions.of(rule, match)


def _precedence(match: RouteMatch) -> Precedence:
    """Lower comes first: exact paths, long ones, then methods, more headers, more query parameters."""
    exact = match.path_kind == "Exact"
    return not exact, -len(match.path), not match.method, -len(match.headers), -len(match.queries)


def _match(match: RouteMatch) -> Object:
    headers = [_pair(each) for each in match.headers]
    if match.method:
        headers.append({"name": ":method", "string_match": {"exact": match.method}})
    found = _path(match)
    if headers:
        found["headers"] = headers
    if match.queries:
        found["query_parameters"] = [_pair(each) for each in match.queries]
    if match.ignore_case:
        found["case_sensitive"] = False
    return found


def _path(match: RouteMatch) -> Object:
    match match.path_kind:
        case "Exact":
            return {"path": match.path}
        case "RegularExpression":
            return {"safe_regex": {"regex": match.path}}
        case "Prefix":
            return {"prefix": match.path}
    prefix = match.path.rstrip("/")
    return {"path_separated_prefix": prefix} if prefix else {"prefix": "/"}


def _pair(match: HeaderMatch) -> Object:
    found: Object = {"name": match.name}
    if match.kind == "Present":
        return found | {"present_match": True} | ({"invert_match": True} if match.inverted else {})
    found["string_match"] = text(match)
    return found | ({"invert_match": True, "treat_missing_header_as_empty": True} if match.inverted else {})
