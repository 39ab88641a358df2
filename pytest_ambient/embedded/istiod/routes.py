"""Which routes and VirtualServices a Service's waypoint knows."""

from collections.abc import Callable, Iterator, Mapping

from ..objects import Object, namespace_of
from .backends import called_by, mesh_parents
from .binding import Gate, service_gate
from .http_route import every_route, http_route
from .model import Route
from .tcp_route import tcp_route
from .view import View, age_of, key_of
from .virtual_service import virtual_service


def routes_by_service(view: View, known: Mapping[str, Gate]) -> dict[str, tuple[Route, ...]]:
    """The routes that a Service's waypoint knows, by the Service's key, the oldest first.

    A route from a consumer's namespace counts only where the waypoint lives there too.
    """
    found: dict[str, tuple[Route, ...]] = {}

    def waypoint_of(service: Object) -> str:
        gate = service_gate(view, known, service)
        return gate.ref.namespace if isinstance(gate, Gate) else ""

    for route in sorted((*every_route(view), *view.tcp_routes, *view.virtual_services), key=age_of):
        for service, made in _attached(view, route, waypoint_of):
            if namespace_of(route) in (namespace_of(service), waypoint_of(service)):
                found[key_of(service)] = (*found.get(key_of(service), ()), made)
    return found


def _attached(view: View, route: Object, waypoint_of: Callable[[Object], str]) -> Iterator[tuple[Object, Route]]:
    """The Services that the route is for, with the route as each one's waypoint gets it."""
    if route.get("kind") == "VirtualService":
        yield from virtual_service(view, route, waypoint_of)
        return
    made = tcp_route if route.get("kind") == "TCPRoute" else http_route
    for parent in mesh_parents(route):
        for service in called_by(view, route, parent):
            yield service, made(view, route, parent)
