"""HTTPRoutes as waypoints get them."""

from ..objects import Object, name_of, namespace_of
from .backends import backend_named, backend_problem, is_hostname
from .grpc_route import as_http
from .http_filters import filters, header_changes
from .model import Backend, HeaderMatch, Mirror, Route, RouteMatch, RouteRule
from .view import View, key_of, spec_of
from .words import seconds


def every_route(view: View) -> list[Object]:
    """HTTPRoutes, and GRPCRoutes in their shape."""
    return [*view.routes, *map(as_http, view.grpc_routes)]


def http_route(view: View, route: Object, parent: Object) -> Route:
    """The route as the waypoint of that parent gets it."""
    written = enumerate(spec_of(route).get("rules") or ())
    rules = tuple(_rule(view, route, parent, each, index) for index, each in written)
    hosts = tuple(spec_of(route).get("hostnames") or ())
    created = str(route.get("metadata", {}).get("creationTimestamp", ""))
    return Route(name_of(route), namespace_of(route), created, parent.get("port"), rules, hostnames=hosts)


def _rule(view: View, route: Object, parent: Object, rule: Object, index: int) -> RouteRule:
    backends = tuple(backend(view, route, parent, each) for each in rule.get("backendRefs") or ())
    found = filters(rule)
    request, response = header_changes(rule)
    matches: list[Object] = rule.get("matches") or [{}]
    return RouteRule(
        tuple(_match(each) for each in matches),
        backends,
        request,
        response,
        _timeout(rule.get("timeouts") or {}),
        None if found.redirect else _direct_status(backends, str(route.get("kind"))),
        redirect=found.redirect,
        rewrite=found.rewrite,
        mirrors=_mirrors(view, route, parent, rule),
        cors=found.cors,
        name=str(rule.get("name") or f"{namespace_of(route)}.{name_of(route)}.{index}"),
    )


def _direct_status(backends: tuple[Backend, ...], kind: str) -> int | None:
    if not backends and kind != "GRPCRoute":
        return 404  # Istio 1.30; 500 before and after
    return 500 if not any(each.weight for each in backends) else None


def backend(view: View, route: Object, parent: Object, ref: Object) -> Backend:
    """What a backendRef of the route means at that parent."""
    namespace, name = ref.get("namespace") or namespace_of(route), ref.get("name", "")
    port, weight = int(ref.get("port") or 0), int(ref.get("weight", 1))
    if is_hostname(ref):
        found = backend_named(view, namespace, name)
        return Backend(key_of(found) if found else None, port, weight, *header_changes(ref), missing=name)
    if backend_problem(view, route, ref, parent) is None:
        return Backend(f"{namespace}/{name}", port, weight, *header_changes(ref))
    return Backend(None, port, weight, *header_changes(ref), missing=f"{name}.{namespace}.svc.cluster.local")


def _mirrors(view: View, route: Object, parent: Object, rule: Object) -> tuple[Mirror, ...]:
    """Where copies go; a target that can't be used gets none."""
    asked = [each["requestMirror"] for each in rule.get("filters") or () if each.get("type") == "RequestMirror"]
    usable = [each for each in asked if backend_problem(view, route, each["backendRef"], parent) is None]
    return tuple(Mirror(backend(view, route, parent, each["backendRef"]), _percent(each)) for each in usable)


def _percent(mirror: Object) -> float:
    if fraction := mirror.get("fraction"):
        return 100 * float(fraction["numerator"]) / float(fraction.get("denominator", 100))
    return float(mirror.get("percent", 100))


def _match(match: Object) -> RouteMatch:
    path = match.get("path") or {}
    return RouteMatch(
        path=str(path.get("value", "/")),
        path_kind=path.get("type", "PathPrefix"),
        headers=tuple(_pair(each) for each in match.get("headers") or ()),
        queries=tuple(_pair(each) for each in match.get("queryParams") or ()),
        method=str(match.get("method", "")),
    )


def _pair(match: Object) -> HeaderMatch:
    return HeaderMatch(str(match["name"]), str(match.get("value", "")), match.get("type", "Exact"))


def _timeout(timeouts: Object) -> float | None:
    """Seconds; without retries `backendRequest` takes the place of `request`, and 0 means none."""
    return seconds(timeouts.get("backendRequest")) or seconds(timeouts.get("request")) or None
