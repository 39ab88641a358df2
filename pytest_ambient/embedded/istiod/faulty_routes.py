"""The faults of the embedded mesh that are wrong routes: rules that lose or mistake a part of what they ask for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..faults import Fault
from .model import (
    Backend,
    Destination,
    HeaderChange,
    Mesh,
    Policy,
    Retries,
    Route,
    RouteMatch,
    RouteRule,
    Service,
    Subset,
)


def _route_filters_ignored(rule: RouteRule, service: Service) -> RouteRule:
    """Requests go on as if there were no redirect, rewrite, mirror or CORS; who is redirected gets an answer."""
    backends = _own(service) if rule.redirect else rule.backends
    return replace(rule, backends=backends, redirect=None, rewrite=None, mirrors=(), cors=None)


def _header_modifiers_ignored(rule: RouteRule, _: Service) -> RouteRule:
    nothing = HeaderChange()
    backends = tuple(replace(each, request_headers=nothing, response_headers=nothing) for each in rule.backends)
    return replace(rule, backends=backends, request_headers=nothing, response_headers=nothing)


def _paths_match_loosely(rule: RouteRule, _: Service) -> RouteRule:
    def loose(match: RouteMatch) -> RouteMatch:
        known = match.path_kind in ("Exact", "PathPrefix")
        return replace(match, path_kind="Prefix", ignore_case=True) if known else match

    return replace(rule, matches=tuple(map(loose, rule.matches)))


def _one_condition_is_enough(rule: RouteRule, _: Service) -> RouteRule:
    def split(match: RouteMatch) -> Iterable[RouteMatch]:
        asked = [replace(match, headers=(each,), queries=()) for each in match.headers]
        asked += [replace(match, headers=(), queries=(each,)) for each in match.queries]
        return asked or (match,)

    return replace(rule, matches=tuple(each for match in rule.matches for each in split(match)))


def _own(service: Service) -> tuple[Backend, ...]:
    return (Backend(service.key, service.ports[0].port),)


def _missing_backend_falls_through(route: Route, service: Service) -> Route:
    def served(rule: RouteRule) -> RouteRule:
        there = not rule.redirect and any(each.service is None for each in rule.backends)
        return replace(rule, backends=_own(service)) if there else rule

    if route.virtual:
        return route
    every = RouteRule((RouteMatch(),), _own(service))
    return replace(route, rules=(*map(served, route.rules), every))


def _destination_rules_ignored(mesh: Mesh) -> Mesh:
    """A subset is the whole Service, and no endpoint is ejected or spared."""

    def ignored(said: Mapping[str, Destination]) -> Mapping[str, Destination]:
        subsets = {name: Subset({}, Policy()) for each in said.values() for name in each.subsets}
        return {key: Destination(Policy(), subsets) for key in said}

    ingresses = {key: replace(each, destinations=ignored(each.destinations)) for key, each in mesh.ingresses.items()}
    return replace(mesh, destinations=ignored(mesh.destinations), ingresses=ingresses)


def _rules(change: Callable[[RouteRule, Service], RouteRule]) -> Callable[[Mesh], Mesh]:
    def changed(route: Route, service: Service) -> Route:
        return replace(route, rules=tuple(change(rule, service) for rule in route.rules))

    return _routes(changed)


def _routes(change: Callable[[Route, Service], Route]) -> Callable[[Mesh], Mesh]:
    def changed(mesh: Mesh) -> Mesh:
        routes = dict(mesh.routes)
        for key, attached in mesh.routes.items():
            service = mesh.services.get(key)
            if service is not None:
                routes[key] = tuple(change(route, service) for route in attached)
        return replace(mesh, routes=routes)

    return changed


ROUTE_FAULTS: Mapping[Fault, Callable[[Mesh], Mesh]] = {
    Fault.ROUTE_FILTERS_IGNORED: _rules(_route_filters_ignored),
    Fault.HEADER_MODIFIERS_IGNORED: _rules(_header_modifiers_ignored),
    Fault.TIMEOUTS_IGNORED: _rules(lambda rule, _: replace(rule, request_timeout=None)),
    Fault.RETRIES_IGNORED: _rules(lambda rule, _: replace(rule, retries=Retries(0))),
    Fault.FAULTS_NOT_INJECTED: _rules(lambda rule, _: replace(rule, injection=None)),
    Fault.DESTINATION_RULES_IGNORED: _destination_rules_ignored,
    Fault.PATHS_MATCH_LOOSELY: _rules(_paths_match_loosely),
    Fault.ONE_CONDITION_IS_ENOUGH: _rules(_one_condition_is_enough),
    Fault.MISSING_BACKEND_FALLS_THROUGH: _routes(_missing_backend_falls_through),
    Fault.PARENT_PORT_IGNORED: _routes(lambda route, _: replace(route, port=None)),
}
