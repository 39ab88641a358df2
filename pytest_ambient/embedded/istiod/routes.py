"""HTTPRoutes: which of them a Service's waypoint knows."""

from collections.abc import Mapping

from ..objects import namespace_of
from .backends import parent_key, service_parents
from .binding import Gate, service_gate
from .http_route import http_route
from .model import Route
from .view import View, age_of


def routes_by_service(view: View, known: Mapping[str, Gate]) -> dict[str, tuple[Route, ...]]:
    """The routes that a Service's waypoint knows, by the Service's key, the oldest first.

    A route from a consumer's namespace counts only where the waypoint lives there too.
    """
    found: dict[str, tuple[Route, ...]] = {}
    for route in sorted(view.routes, key=age_of):
        for parent in service_parents(route):
            key = parent_key(route, parent)
            service = view.service_by_key.get(key)
            gate = service_gate(view, known, service) if service is not None else None
            seen_from = {key.split("/", 1)[0]} | ({gate.ref.namespace} if isinstance(gate, Gate) else set())
            if service is not None and namespace_of(route) in seen_from:
                found[key] = (*found.get(key, ()), http_route(view, route, parent))
    return found
