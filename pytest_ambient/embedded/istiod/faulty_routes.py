"""The faults of the embedded mesh that are wrong routes: rules that lose a part of what they ask for."""

from collections.abc import Callable
from dataclasses import replace

from .model import Backend, Destination, Mesh, Policy, Retries, RouteRule, Service, Subset


def route_filters_ignored(mesh: Mesh) -> Mesh:
    """Requests go on as if there were no redirect, rewrite, mirror or CORS; who is redirected gets an answer."""

    def plain(rule: RouteRule, service: Service) -> RouteRule:
        own = (Backend(service.key, service.ports[0].port),)
        backends = own if rule.redirect else rule.backends
        return replace(rule, backends=backends, redirect=None, rewrite=None, mirrors=(), cors=None)

    return _changed(mesh, plain)


def timeouts_ignored(mesh: Mesh) -> Mesh:
    """Requests take the time that they take."""
    return _changed(mesh, lambda rule, _: replace(rule, request_timeout=None))


def retries_ignored(mesh: Mesh) -> Mesh:
    """Nothing is tried again."""
    return _changed(mesh, lambda rule, _: replace(rule, retries=Retries(0)))


def injections_ignored(mesh: Mesh) -> Mesh:
    """No fault is injected."""
    return _changed(mesh, lambda rule, _: replace(rule, injection=None))


def destination_rules_ignored(mesh: Mesh) -> Mesh:
    """A subset is the whole Service, and no endpoint is ejected or spared."""
    subsets = {name: Subset({}, Policy()) for each in mesh.destinations.values() for name in each.subsets}
    return replace(mesh, destinations={key: Destination(Policy(), subsets) for key in mesh.destinations})


def _changed(mesh: Mesh, change: Callable[[RouteRule, Service], RouteRule]) -> Mesh:
    routes = dict(mesh.routes)
    for key, attached in mesh.routes.items():
        service = mesh.services.get(key)
        if service is not None:
            routes[key] = tuple(
                replace(route, rules=tuple(change(rule, service) for rule in route.rules)) for route in attached
            )
    return replace(mesh, routes=routes)
