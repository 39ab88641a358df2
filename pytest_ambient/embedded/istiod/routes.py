"""HTTPRoutes: what their references mean, and the routes as waypoints get them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..objects import Object, name_of, namespace_of
from .binding import Gate, service_gate
from .model import Backend, HeaderChange, HeaderMatch, Route, RouteMatch, RouteRule
from .view import GATEWAY_API, View, age_of, spec_of

_DURATION = re.compile(r"([0-9]+)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True)
class Unresolved:
    """Why a backend can't be used."""

    reason: str
    message: str


def parent_key(route: Object, parent: Object) -> str:
    """`NAMESPACE/NAME` of a parent."""
    return f"{parent.get('namespace') or namespace_of(route)}/{parent.get('name', '')}"


def service_parents(route: Object) -> Iterator[Object]:
    """The parents that are Services."""
    for parent in spec_of(route).get("parentRefs") or ():
        if parent.get("kind") == "Service" and parent.get("group", "") in ("", "core"):
            yield parent


def backend_problem(view: View, route: Object, ref: Object) -> Unresolved | None:
    """Why a backendRef can't be used, None when it can."""
    own, name = namespace_of(route), str(ref.get("name", ""))
    namespace = str(ref.get("namespace") or own)
    if ref.get("kind", "Service") != "Service" or ref.get("group", "") not in ("", "core"):
        why = f'referencing unsupported backendRef: group "{ref.get("group", "")}" kind "{ref.get("kind", "")}"'
        return Unresolved("InvalidKind", why)
    if namespace != own and not _granted(view, own, namespace, name):
        why = f'not accessible to a HTTPRoute in namespace "{own}" (missing a ReferenceGrant?)'
        return Unresolved("RefNotPermitted", f"backendRef {name}/{namespace} {why}")
    if f"{namespace}/{name}" not in view.service_by_key:
        return Unresolved("BackendNotFound", f"backend({name}.{namespace}.svc.cluster.local) not found")
    return None


def _granted(view: View, own: str, namespace: str, name: str) -> bool:
    source = {"group": GATEWAY_API, "kind": "HTTPRoute", "namespace": own}
    for grant in view.grants:
        if namespace_of(grant) != namespace:
            continue
        sources: list[Object] = spec_of(grant).get("from") or []
        targets: list[Object] = spec_of(grant).get("to") or []
        named = any(each.get("kind") == "Service" and each.get("name") in (None, "", name) for each in targets)
        if named and any(source.items() <= each.items() for each in sources):
            return True
    return False


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
                found[key] = (*found.get(key, ()), _route(view, route, parent))
    return found


def _route(view: View, route: Object, parent: Object) -> Route:
    rules = tuple(_rule(view, route, each) for each in spec_of(route).get("rules") or ())
    created = str(route.get("metadata", {}).get("creationTimestamp", ""))
    return Route(name_of(route), namespace_of(route), created, parent.get("port"), rules)


def _rule(view: View, route: Object, rule: Object) -> RouteRule:
    backends = tuple(_backend(view, route, each) for each in rule.get("backendRefs") or ())
    request, response = _header_changes(rule)
    matches: list[Object] = rule.get("matches") or [{}]
    return RouteRule(
        tuple(_match(each) for each in matches),
        backends,
        request,
        response,
        _timeout(rule.get("timeouts") or {}),
        _direct_status(backends),
    )


def _direct_status(backends: tuple[Backend, ...]) -> int | None:
    if not backends:
        return 404  # Istio 1.30; 500 before and after
    return 500 if not any(each.weight for each in backends) else None


def _backend(view: View, route: Object, ref: Object) -> Backend:
    namespace, name = ref.get("namespace") or namespace_of(route), ref.get("name", "")
    port, weight = int(ref.get("port") or 0), int(ref.get("weight", 1))
    if backend_problem(view, route, ref) is None:
        return Backend(f"{namespace}/{name}", port, weight, *_header_changes(ref))
    return Backend(None, port, weight, *_header_changes(ref), missing=f"{name}.{namespace}.svc.cluster.local")


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


def _header_changes(part: Object) -> tuple[HeaderChange, HeaderChange]:
    """What the filters of a rule or backend do to request and response headers."""
    request = response = HeaderChange()
    for each in part.get("filters") or ():
        if each.get("type") == "RequestHeaderModifier":
            request = _change(each.get("requestHeaderModifier") or {})
        elif each.get("type") == "ResponseHeaderModifier":
            response = _change(each.get("responseHeaderModifier") or {})
    return request, response


def _change(modifier: Object) -> HeaderChange:
    return HeaderChange(_named(modifier, "set"), _named(modifier, "add"), tuple(modifier.get("remove") or ()))


def _named(modifier: Object, field: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(each["name"]), str(each.get("value", ""))) for each in modifier.get(field) or ())


def _timeout(timeouts: Object) -> float | None:
    """Seconds; without retries `backendRequest` takes the place of `request`, and 0 means none."""
    for field in ("backendRequest", "request"):
        value = sum(float(count) * _SECONDS[unit] for count, unit in _DURATION.findall(str(timeouts.get(field, ""))))
        if value:
            return value
    return None
