"""HTTPRoutes as the routes of a waypoint's Envoy."""

from collections.abc import Iterator, Mapping, Sequence

from ..istiod.model import Backend, HeaderChange, HeaderMatch, Route, RouteMatch, RouteRule, Service, ServicePort
from ..objects import Object

RETRY: Object = {
    "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
    "num_retries": 2,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": "5",
}


def upstream(port: int, protocol: str, hostname: str) -> str:
    """The name of a Service port at a waypoint: of its filter chain, its routes and its cluster."""
    return f"inbound-vip|{port}|{protocol.lower()}|{hostname}"


def configuration(
    service: Service, port: ServicePort, routes: Sequence[Route], services: Mapping[str, Service]
) -> Object:
    """Everything that a waypoint does with requests for that port."""
    bound = [each for each in routes if each.port in (None, port.port)]
    made = sorted(_routes(service, port, bound, services), key=lambda each: each[0])
    host = {
        "name": f"inbound|http|{port.port}",
        "domains": ["*"],
        "routes": [route for _, route in made] if bound else [_default(service, port)],
    }
    return {
        "name": upstream(port.port, port.protocol, service.hostname),
        "virtual_hosts": [host],
        "validate_clusters": False,
    }


def backends(routes: Sequence[Route]) -> Iterator[Backend]:
    """All backends of these routes that exist."""
    for route in routes:
        for rule in route.rules:
            yield from (each for each in rule.backends if each.service is not None)


def _default(service: Service, port: ServicePort) -> Object:
    action = _action(None) | {"cluster": upstream(port.port, port.protocol, service.hostname)}
    return {
        "name": "default",
        "match": {"prefix": "/"},
        "route": action,
        "decorator": {"operation": f"{service.hostname}:{port.port}/*"},
    }


def _action(timeout: float | None) -> Object:
    limit = "0s" if timeout is None else f"{timeout:f}s"
    return {"timeout": limit, "retry_policy": RETRY}


Precedence = tuple[bool, int, bool, int, int]


def _routes(
    service: Service, port: ServicePort, routes: Sequence[Route], services: Mapping[str, Service]
) -> Iterator[tuple[Precedence, Object]]:
    for route in routes:
        for index, rule in enumerate(route.rules):
            does = _rule(service, port, rule, services)
            for match in rule.matches or (RouteMatch(),):
                named = {"name": f"{route.namespace}.{route.name}.{index}", "match": _match(match)}
                yield _precedence(match), named | does


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
    return found


def _path(match: RouteMatch) -> Object:
    match match.path_kind:
        case "Exact":
            return {"path": match.path}
        case "RegularExpression":
            return {"safe_regex": {"regex": match.path}}
    prefix = match.path.rstrip("/")
    return {"path_separated_prefix": prefix} if prefix else {"prefix": "/"}


def _pair(match: HeaderMatch) -> Object:
    regular = match.kind == "RegularExpression"
    return {
        "name": match.name,
        "string_match": {"safe_regex": {"regex": match.value}} if regular else {"exact": match.value},
    }


def _rule(service: Service, port: ServicePort, rule: RouteRule, services: Mapping[str, Service]) -> Object:
    found: Object = {"decorator": {"operation": _operation(service, port, rule, services)}}
    found |= _changes(rule.request_headers, rule.response_headers)
    if rule.direct_status is not None:
        return found | {"direct_response": {"status": rule.direct_status}}
    weighted = [each for each in rule.backends if each.weight]
    action = _action(rule.request_timeout) | {"cluster_not_found_response_code": "INTERNAL_SERVER_ERROR"}
    action |= _host(rule.request_headers)
    if len(weighted) == 1:
        action |= _host(weighted[0].request_headers)
        found |= _merged(found, _changes(weighted[0].request_headers, weighted[0].response_headers))
        return found | {"route": action | {"cluster": _cluster(weighted[0], services)}}
    clusters = [
        {"name": _cluster(each, services), "weight": each.weight}
        | _changes(each.request_headers, each.response_headers)
        | _host(each.request_headers)
        for each in weighted
    ]
    return found | {"route": action | {"weighted_clusters": {"clusters": clusters}}}


def _cluster(backend: Backend, services: Mapping[str, Service]) -> str:
    service = services.get(backend.service or "")
    return upstream(backend.port, "http", service.hostname) if service else "missing"


def _operation(service: Service, port: ServicePort, rule: RouteRule, services: Mapping[str, Service]) -> str:
    """What Istio writes into `x-envoy-decorator-operation`."""
    weighted = [each for each in rule.backends if each.weight]
    if rule.direct_status is None and len(weighted) == 1:
        only = services.get(weighted[0].service or "")
        if host := only.hostname if only else weighted[0].missing:
            return f"{host}:{weighted[0].port}/*"
    return f"{service.namespace}~{port.port}~{service.hostname}:{port.port}/*"


def _changes(request: HeaderChange, response: HeaderChange) -> Object:
    found: Object = {}
    for name, change in (("request", request), ("response", response)):
        added = [_added(*each, "OVERWRITE_IF_EXISTS_OR_ADD") for each in change.set if not _is_host(each[0])]
        added += [_added(*each, "APPEND_IF_EXISTS_OR_ADD") for each in change.add if not _is_host(each[0])]
        removed = [each for each in change.remove if not _is_host(each)]
        if added:
            found[f"{name}_headers_to_add"] = added
        if removed:
            found[f"{name}_headers_to_remove"] = removed
    return found


def _is_host(header: str) -> bool:
    return header.lower() == "host"


def _host(change: HeaderChange) -> Object:
    """The host that requests get instead of theirs: to Envoy it is no header; taking it away changes nothing."""
    asked = [value for name, value in (*change.set, *change.add) if _is_host(name)]
    return {"host_rewrite_literal": asked[0]} if asked else {}


def _added(name: str, value: str, how: str) -> Object:
    escaped = value.replace("%", "%%")  # Envoy would read it as a format
    return {"header": {"key": name, "value": escaped}, "append_action": how}


def _merged(left: Object, right: Object) -> Object:
    return {key: [*left.get(key, ()), *value] for key, value in right.items()}
