"""TCPRoutes: which backends connections go to that are not known to be HTTP."""

from collections.abc import Iterator

from ..api.errors import Cause
from ..objects import Object, name_of, namespace_of
from .filter_rules import wrong
from .http_route import backend
from .model import Route, RouteMatch, RouteRule
from .route_rules import parent_causes, port_causes
from .view import View, spec_of


def tcp_route(view: View, route: Object, parent: Object) -> Route:
    """The route as the waypoint of that parent gets it; of its rules, which have no matches, the first takes all."""
    rules = tuple(
        RouteRule((RouteMatch(),), tuple(backend(view, route, parent, ref) for ref in rule.get("backendRefs") or ()))
        for rule in spec_of(route).get("rules") or ()
    )
    created = str(route.get("metadata", {}).get("creationTimestamp", ""))
    return Route(name_of(route), namespace_of(route), created, parent.get("port"), rules, tcp=True)


def tcp_causes(route: Object) -> Iterator[Cause]:
    """What is wrong with a TCPRoute whose fields are right one by one."""
    yield from parent_causes(route, gateways=False)
    rules: list[Object] = spec_of(route).get("rules") or []
    for position, rule in enumerate(rules):
        yield from port_causes(rule, f"spec.rules[{position}]")
    names = [each["name"] for each in rules if each.get("name")]
    if len(set(names)) < len(names):
        yield wrong("spec.rules", "array", "Rule name must be unique within the route")
