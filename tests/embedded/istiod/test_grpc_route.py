"""GRPCRoutes as waypoints get them, and what the API refuses in them."""

from typing import Any

import pytest

from pytest_ambient.embedded.istiod.binding import gates
from pytest_ambient.embedded.istiod.grpc_route import as_http, grpc_causes
from pytest_ambient.embedded.istiod.model import HeaderMatch, Route, RouteMatch
from pytest_ambient.embedded.istiod.routes import routes_by_service
from pytest_ambient.embedded.istiod.statuses import statuses
from pytest_ambient.embedded.istiod.unimplemented import unimplemented
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .world import CLOCK, USE_WAYPOINT, facts, namespace, route, service, waypoint_objects

BACKEND: Object = {"group": "", "kind": "Service", "name": "reviews", "port": 9080, "weight": 1}


def calls(*rules: Object) -> Object:
    """A GRPCRoute of Service reviews."""
    return {**route("calls", list(rules)), "kind": "GRPCRoute"}


def seen(item: Object) -> View:
    """Service reviews with its waypoint, and the route."""
    gateway, own = waypoint_objects()
    services = [service("reviews", labels={USE_WAYPOINT: "waypoint"}), own]
    return View([namespace("bookinfo")], services, gateways=[gateway], grpc_routes=[item])


def known(item: Object) -> Route:
    """The route as the waypoint knows it."""
    view = seen(item)
    (found,) = routes_by_service(view, gates(view))["bookinfo/reviews"]
    return found


@pytest.mark.parametrize(
    ("method", "kind", "path"),
    [
        ({"service": "a.B", "method": "C"}, "Exact", "/a.B/C"),
        ({"service": "a.B"}, "PathPrefix", "/a.B"),
        ({"method": "C"}, "RegularExpression", "/[^/]+/C"),
        ({"type": "RegularExpression", "service": "a.*", "method": "C|D"}, "RegularExpression", "/a.*/C|D"),
        ({"type": "RegularExpression", "service": "a.*"}, "RegularExpression", "/a.*/.+"),
        ({}, "PathPrefix", "/"),
    ],
)
def test_a_method_is_a_path(method: Object, kind: Any, path: str) -> None:
    """gRPC calls a method by its path."""
    rule = known(calls({"matches": [{"method": method}], "backendRefs": [BACKEND]})).rules[0]
    assert rule.matches == (RouteMatch(path=path, path_kind=kind),)


def test_headers_and_rules_without_match_or_backend() -> None:
    """Headers go with the method, no match means every call, and without a backend the answer is 500."""
    headers = [{"name": "version", "value": "two", "type": "Exact"}]
    first, second = known(calls({"matches": [{"headers": headers}], "backendRefs": [BACKEND]}, {})).rules
    assert first.matches == (RouteMatch(headers=(HeaderMatch("version", "two", "Exact"),)),)
    assert (second.matches, second.direct_status) == ((RouteMatch(),), 500)


def test_its_status_is_its_own() -> None:
    """The route is told of as an HTTPRoute would be, under its own kind."""
    found = [
        each for each in statuses(seen(calls({"backendRefs": [BACKEND]})), CLOCK) if each.item["kind"] == "GRPCRoute"
    ]
    conditions = found[0].status["parents"][0]
    assert [fact[:3] for fact in facts(conditions)][:2] == [
        ("Accepted", "True", "Accepted"),
        ("ResolvedRefs", "True", "ResolvedRefs"),
    ]


@pytest.mark.parametrize(
    ("match", "message"),
    [
        ({"method": {}}, "One or both of 'service' or 'method' must be specified"),
        ({"method": {"service": "a/b"}}, "service must only contain valid characters"),
        ({"method": {"method": "a.b"}}, "method must only contain valid characters"),
    ],
)
def test_what_is_refused(match: Object, message: str) -> None:
    """A method that no call could have is refused, with its place."""
    (cause,) = grpc_causes(calls({"matches": [match], "backendRefs": [BACKEND]}))
    assert cause.field.startswith("spec.rules[0].matches[0]")
    assert message in cause.message


def test_what_is_not_implemented_is_named() -> None:
    """Extensions are refused by name."""
    filters = [{"type": "ExtensionRef", "extensionRef": {"group": "a", "kind": "B", "name": "c"}}]
    (cause,) = unimplemented(calls({"filters": filters}))
    assert "does not implement the filter ExtensionRef" in cause.message


def test_the_route_itself_stays_as_it_is() -> None:
    """Only a copy has the shape of an HTTPRoute."""
    item = calls({"matches": [{"method": {"service": "a"}}]})
    assert as_http(item)["kind"] == "GRPCRoute"
    assert item["spec"]["rules"] == [{"matches": [{"method": {"service": "a"}}]}]
