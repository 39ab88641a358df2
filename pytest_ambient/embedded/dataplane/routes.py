"""HTTPRoutes and VirtualServices as the routes of a waypoint's Envoy."""

from collections.abc import Iterator, Sequence

from ..istiod.model import Backend, HeaderMatch, Mesh, Route, RouteMatch, Service, ServicePort
from ..objects import Object
from .names import upstream
from .route_actions import Actions, retry_policy, virtual_name
from .route_filters import text


def configuration(service: Service, port: ServicePort, routes: Sequence[Route], mesh: Mesh) -> Object:
    """Everything that a waypoint does with requests for that port."""
    bound = [each for each in routes if not each.tcp and each.port in (None, port.port)]
    made = [*_ordered(service, port, bound, mesh)]
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


Precedence = tuple[int, int, bool, int, int]
_RANKS = {"Exact": -3, "PathPrefix": -2, "Prefix": -2, "RegularExpression": -1}


def _ordered(service: Service, port: ServicePort, routes: Sequence[Route], mesh: Mesh) -> Iterator[Object]:
    """One group after another: the rules of HTTPRoutes by precedence, of a VirtualService as they stand."""
    for group in _groups(service, routes):
        made = [found for each in group for found in _routes(port, each, Actions(service, port.port, each, mesh))]
        if not group[0].virtual:
            made.sort(key=lambda each: each[0])
        yield from (route for _, route in made)


def _groups(service: Service, routes: Sequence[Route]) -> list[list[Route]]:
    """HTTPRoutes of one namespace and for one port are one, a VirtualService is alone; a gateway makes no difference.

    Those HTTPRoutes come first that live where the waypoint does, then what is the oldest.
    """
    home = service.waypoint.namespace if service.waypoint else None
    found: dict[tuple[bool, str, str], list[Route]] = {}
    for each in sorted(routes, key=lambda route: route.created):
        key = (each.virtual, each.namespace, virtual_name(each, service))
        found.setdefault(key if each.virtual or home is not None else (False, "", ""), []).append(each)
    first = {key: (key[0] or key[1] != home, group[0].created, key[2], key[1]) for key, group in found.items()}
    return [found[key] for key in sorted(found, key=lambda each: first[each])]


def _routes(port: ServicePort, route: Route, actions: Actions) -> Iterator[tuple[Precedence, Object]]:
    for index, rule in enumerate(route.rules):
        for match in rule.matches or (RouteMatch(),):
            name = rule.name or ("" if route.virtual else f"{route.namespace}.{route.name}.{index}")
            named = {"name": f"{name}.{match.name}" if match.name else name, "match": _match(match)}
            yield _precedence(match), named | actions.of(rule, match)


def _precedence(match: RouteMatch) -> Precedence:
    """Lower comes first: exact paths, prefixes, expressions; long ones, then methods, more headers, more queries."""
    path = match.path if match.path == "/" or match.path_kind != "PathPrefix" else match.path.removesuffix("/")
    rank = _RANKS[match.path_kind]
    return rank, -len(path), not match.method, -len(match.headers), -len(match.queries)


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
