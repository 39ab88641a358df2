"""TCPRoutes as a waypoint's Envoy gets them: where the connections to a port go."""

from collections.abc import Mapping, Sequence

from ..istiod.model import Backend, Destination, Route, Service, ServicePort
from ..objects import Object
from .names import destination, upstream
from .pools import copied

NOWHERE = upstream(65535, "http", "internal.cluster.local", "zero-weight")
"""A cluster that there is not: whoever is sent to it is hung up on."""


def target(
    service: Service, port: ServicePort, routes: Sequence[Route], services: Mapping[str, Service]
) -> str | Object:
    """The cluster for connections to that port, or the weighted ones; the oldest route's first rule decides."""
    backends = _backends(port, routes)
    if backends is None:
        return upstream(port.port, "TCP", service.hostname)
    weighted = [each for each in backends if each.weight]
    if len(weighted) > 1:
        return {
            "clusters": [{"name": destination(service, each, services), "weight": each.weight} for each in weighted]
        }
    return destination(service, weighted[0], services) if weighted else NOWHERE


def lasting(service: Service, port: ServicePort, routes: Sequence[Route], said: Mapping[str, Destination]) -> Object:
    """How long the connections to that port are kept: what is said of all of the Service, or of the first backend."""
    backends = _backends(port, routes)
    key = (backends[0].service or "") if backends else service.key
    return copied(said.get(key, Destination()).policy)


def _backends(port: ServicePort, routes: Sequence[Route]) -> Sequence[Backend] | None:
    """Those of the route that decides, None without a route."""
    bound = [each for each in routes if each.tcp and each.rules and each.port in (None, port.port)]
    return bound[0].rules[0].backends if bound else None
