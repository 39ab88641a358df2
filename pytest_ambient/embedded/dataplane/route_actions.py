"""What a rule of a route does with the requests that it matches, as Envoy is told it."""

import re
from typing import Literal

from ..istiod.model import (
    Backend,
    HeaderChange,
    Mesh,
    Redirect,
    Retries,
    Rewrite,
    Route,
    RouteMatch,
    RouteRule,
    Service,
)
from ..objects import Object
from .hashing import hash_policies
from .names import destination
from .route_filters import fraction, per_filter

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
    "host_selection_retry_max_attempts": 5,
}
_REDIRECTS = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
_FORMAT = re.compile(r"(%[A-Z][A-Z0-9_]*(?:\([^()%]*\))?(?::[0-9]+)?%)")
_OWN_PORTS = {("http", 80), ("https", 443)}


def virtual_name(route: Route, service: Service) -> str:
    """The name of the VirtualService that it is, or that Istio makes of HTTPRoutes of one namespace."""
    port = f"{route.port}~" if route.port else ""
    return route.name if route.virtual else f"{route.namespace}~{port}{service.hostname}"


def timed(timeout: float | None) -> str:
    """A duration as Envoy reads it."""
    return "0s" if timeout is None else f"{timeout:f}s"


class Actions:
    """Makes the actions of a route's rules, for one port of the Service that it is attached to."""

    def __init__(self, service: Service, port: int, route: Route, mesh: Mesh) -> None:
        self._service, self._port, self._route = service, port, route
        self._services, self._destinations = mesh.services, mesh.destinations

    def of(self, rule: RouteRule, match: RouteMatch) -> Object:
        """Everything of an Envoy route but its match."""
        found: Object = {"decorator": {"operation": self._operation(rule) + _path(match)}}
        found |= changes(rule.request_headers, rule.response_headers)
        found |= per_filter(rule)
        if rule.redirect is not None:
            return found | {"redirect": _redirect(rule.redirect, self._port)}
        if rule.direct_status is not None:
            body = {"body": {"inline_string": rule.direct_body}} if rule.direct_body else {}
            return found | {"direct_response": {"status": rule.direct_status, **body}}
        return self._forwarded(rule, match, found)

    def _forwarded(self, rule: RouteRule, match: RouteMatch, found: Object) -> Object:
        weighted = [each for each in rule.backends if each.weight]
        action: Object = {"timeout": timed(rule.request_timeout), **retry_policy(rule.retries)}
        if not self._route.virtual:
            action["cluster_not_found_response_code"] = "INTERNAL_SERVER_ERROR"
        action |= _host(rule.request_headers) | self._rewrite(rule.rewrite, match)
        if rule.mirrors:
            action["request_mirror_policies"] = [
                {"cluster": self._cluster(each.backend), "runtime_fraction": {"default_value": fraction(each.percent)}}
                for each in rule.mirrors
                if each.percent
            ]
        if hashes := [*hash_policies(self._destinations, weighted)]:
            action["hash_policy"] = hashes
        if len(weighted) == 1:
            action = _host(weighted[0].request_headers) | action
            found |= _merged(found, changes(weighted[0].request_headers, weighted[0].response_headers))
            return found | {"route": action | {"cluster": self._cluster(weighted[0])}}
        clusters = [
            {"name": self._cluster(each), "weight": each.weight}
            | changes(each.request_headers, each.response_headers)
            | _host(each.request_headers)
            for each in weighted
        ]
        return found | {"route": action | {"weighted_clusters": {"clusters": clusters}}}

    def _cluster(self, backend: Backend) -> str:
        return destination(self._service, backend, self._services)

    def _operation(self, rule: RouteRule) -> str:
        """How `x-envoy-decorator-operation` begins: with the only host that there is, else with the route."""
        weighted = [each for each in rule.backends if each.weight]
        if rule.direct_status is None and rule.redirect is None and len(weighted) == 1:
            only = self._services.get(weighted[0].service or "")
            if host := only.hostname if only else weighted[0].missing:
                return f"{host}:{weighted[0].port}"
        return f"{virtual_name(self._route, self._service)}:{self._port}"

    def _rewrite(self, rewrite: Rewrite | None, match: RouteMatch) -> Object:
        if rewrite is None:
            return {}
        found: Object = {"host_rewrite_literal": rewrite.host} if rewrite.host else {}
        if rewrite.expression is not None:
            return found | _substituted(*rewrite.expression)
        if rewrite.prefix == "/" and not self._route.virtual:
            return found | _substituted(f"^{re.escape(match.path.rstrip('/'))}(/?)(.*)", r"/\2")
        return found | ({"prefix_rewrite": rewrite.prefix} if rewrite.prefix else {})


def retry_policy(retries: Retries | None) -> Object:
    """The part of a route's action that says what is tried again; nothing where nothing is."""
    if retries is None:
        return {"retry_policy": RETRY}
    if retries.attempts <= 0:
        return {}
    policy: Object = RETRY | {"num_retries": retries.attempts}
    if retries.on or retries.codes:
        words = [*filter(None, retries.on.split(",")), *(["retriable-status-codes"] if retries.codes else [])]
        policy |= {"retry_on": ",".join(dict.fromkeys(words)), "retriable_status_codes": list(retries.codes)}
    if retries.per_try is not None:
        policy["per_try_timeout"] = timed(retries.per_try)
    if retries.backoff is not None:
        policy["retry_back_off"] = {"base_interval": timed(retries.backoff)}
    if not retries.other_hosts:
        del policy["retry_host_predicate"]
    return {"retry_policy": policy}


def changes(request: HeaderChange, response: HeaderChange) -> Object:
    """The headers that come and go."""
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


def _path(match: RouteMatch) -> str:
    match match.path_kind:
        case "Exact" | "RegularExpression":
            return match.path
        case "Prefix":
            return f"{match.path}*"
    return "/*"


def _redirect(redirect: Redirect, asked: int) -> Object:
    named: dict[Literal["asked", "scheme"] | int | None, int] = {"asked": asked, "scheme": 0, None: 0}
    port = named.get(redirect.port, redirect.port)
    found: Object = {"response_code": _REDIRECTS[redirect.status]}
    found |= {"host_redirect": redirect.host} if redirect.host else {}
    found |= {"scheme_redirect": redirect.scheme} if redirect.scheme else {}
    found |= {"path_redirect": redirect.path} if redirect.path else {}
    found |= {"prefix_rewrite": redirect.prefix} if redirect.prefix is not None else {}
    if port and (redirect.scheme or "http", port) not in _OWN_PORTS:
        found["port_redirect"] = port
    return found


def _substituted(expression: str, substitution: str) -> Object:
    return {"regex_rewrite": {"pattern": {"regex": expression}, "substitution": substitution}}


def _is_host(header: str) -> bool:
    return header.lower() in ("host", ":authority")


def _host(change: HeaderChange) -> Object:
    """The host that requests get instead of theirs: to Envoy it is no header; taking it away changes nothing."""
    asked = [value for name, value in (*change.set, *change.add) if _is_host(name)]
    return {"host_rewrite_literal": asked[0]} if asked else {}


def _added(name: str, value: str, how: str) -> Object:
    # Envoy fills in its own words, such as %PROTOCOL%; any other per cent sign would be an error
    known = "".join(part if _FORMAT.fullmatch(part) else part.replace("%", "%%") for part in _FORMAT.split(value))
    return {"header": {"key": name, "value": known}, "append_action": how}


def _merged(left: Object, right: Object) -> Object:
    return {key: [*left.get(key, ()), *value] for key, value in right.items()}
