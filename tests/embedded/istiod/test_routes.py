"""HTTPRoutes as waypoints get them."""

import pytest

from pytest_ambient.embedded.istiod.backends import Unresolved, reference_problem
from pytest_ambient.embedded.istiod.binding import gates
from pytest_ambient.embedded.istiod.http_route import http_route
from pytest_ambient.embedded.istiod.model import (
    Backend,
    HeaderChange,
    HeaderMatch,
    Mirror,
    Redirect,
    Rewrite,
    Route,
    RouteMatch,
    RouteRule,
)
from pytest_ambient.embedded.istiod.routes import routes_by_service
from pytest_ambient.embedded.istiod.statuses import route_status
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .world import CLOCK, USE_WAYPOINT, facts, namespace, route, service, waypoint_objects


def routes(*items: Object, grants: list[Object] | None = None, labels: dict[str, str] | None = None) -> list[Route]:
    """The routes of Service reviews."""
    view = seen(*items, grants=grants, labels=labels)
    return list(routes_by_service(view, gates(view)).get("bookinfo/reviews", ()))


def seen(*items: Object, grants: list[Object] | None = None, labels: dict[str, str] | None = None) -> View:
    """Services reviews, reviews-v1 and other/echo with a waypoint in namespace other, and some routes."""
    gateway, own = waypoint_objects("way", "other")
    gateway["spec"]["listeners"][0]["allowedRoutes"] = {"namespaces": {"from": "All"}}
    services = [service("reviews", labels=labels), service("reviews-v1"), service("echo", "other"), own]
    spaces = [namespace("bookinfo"), namespace("other")]
    return View(spaces, services, gateways=[gateway], routes=items, grants=grants or [])


def backend(name: str, **more: object) -> Object:
    """A backendRef."""
    return {"group": "", "kind": "Service", "name": name, "port": 9080, "weight": 1, **more}


def only_rule(rule: Object) -> RouteRule:
    """The rule as the waypoint gets it."""
    return routes(route("r", [rule]))[0].rules[0]


def test_a_rule_is_carried_over_whole() -> None:
    """Matches, weights, header filters of rule and backend, and the timeout reach the waypoint."""
    headers = [{"name": "end-user", "value": "normal"}]
    change = {"set": [{"name": "a", "value": "1"}], "add": [{"name": "b", "value": "2"}], "remove": ["c"]}
    request = {"type": "RequestHeaderModifier", "requestHeaderModifier": change}
    response = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "x", "value": "y"}]}}
    rule = only_rule(
        {
            "matches": [{"headers": headers, "queryParams": headers, "method": "GET", "path": {"value": "/a"}}],
            "filters": [request],
            "timeouts": {"request": "1m500ms"},
            "backendRefs": [backend("reviews-v1", weight=90, filters=[response])],
        }
    )
    pair = (HeaderMatch("end-user", "normal"),)
    assert rule.matches == (RouteMatch("/a", "PathPrefix", pair, pair, "GET"),)
    assert rule.request_headers == HeaderChange((("a", "1"),), (("b", "2"),), ("c",))
    assert rule.request_timeout == 60.5
    added = HeaderChange(add=(("x", "y"),))
    assert rule.backends == (Backend("bookinfo/reviews-v1", 9080, 90, response_headers=added),)


def test_backend_timeout_replaces_the_requests() -> None:
    """Without retries Istio knows one timeout: the backend's, where given."""
    rule = only_rule({"timeouts": {"request": "10s", "backendRequest": "2s"}, "backendRefs": [backend("reviews-v1")]})
    assert rule.request_timeout == 2


@pytest.mark.parametrize(
    ("refs", "status"),
    [([], 404), ([backend("reviews-v1", weight=0)], 500), ([backend("reviews-v1")], None)],
)
def test_the_waypoint_answers_where_no_backend_can(refs: list[Object], status: int | None) -> None:
    """No backend named is 404, none with a weight 500 (Istio 1.30)."""
    assert only_rule({"backendRefs": refs}).direct_status == status


def test_unknown_backend_has_no_service() -> None:
    """A backend that does not exist keeps its weight and name, and has nothing behind it."""
    rule = only_rule({"backendRefs": [backend("nosuch", weight=50), backend("reviews-v1", weight=50)]})
    assert [each.service for each in rule.backends] == [None, "bookinfo/reviews-v1"]
    assert [each.missing for each in rule.backends] == ["nosuch.bookinfo.svc.cluster.local", ""]


GRANT: Object = {
    "metadata": {"name": "g", "namespace": "other"},
    "spec": {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "bookinfo"}],
        "to": [{"group": "", "kind": "Service"}],
    },
}


def test_reference_grant_opens_another_namespace() -> None:
    """A gateway's backend in another namespace needs that namespace's ReferenceGrant, and the status says so.

    Inside the mesh Istio asks for none.
    """
    ingress = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "front"}
    item = route("r", [{"backendRefs": [backend("echo", namespace="other")]}], ingress)
    refused = http_route(seen(item), item, ingress).rules[0].backends[0]
    assert refused.service is None
    assert http_route(seen(item, grants=[GRANT]), item, ingress).rules[0].backends[0].service == "other/echo"
    why = 'backendRef echo/other not accessible to a HTTPRoute in namespace "bookinfo" (missing a ReferenceGrant?)'
    assert reference_problem(seen(item), item, ingress) == Unresolved("RefNotPermitted", why)
    inside = route("r", [{"backendRefs": [backend("echo", namespace="other")]}])
    assert routes(inside)[0].rules[0].backends[0].service == "other/echo"
    conditions = facts(route_status(seen(inside), inside, CLOCK.seconds)["parents"][0])
    assert conditions[1] == ("ResolvedRefs", "True", "ResolvedRefs", "All references resolved")


def test_copies_are_references_too() -> None:
    """A target of copies that does not exist is told of behind a backend of the same rule; the last rule has it."""
    copied = {"type": "RequestMirror", "requestMirror": {"backendRef": backend("nosuch")}}
    right, wrong = [backend("reviews-v1")], [backend("gone")]
    told = []
    for rules in (
        [{"filters": [copied], "backendRefs": right}],
        [{"filters": [copied], "backendRefs": wrong}],
        [{"filters": [copied], "backendRefs": right}, {"backendRefs": wrong}],
    ):
        item = route("r", rules)
        told.append(facts(route_status(seen(item), item, CLOCK.seconds)["parents"][0])[1][2:])
    missing, gone = (f"backend({name}.bookinfo.svc.cluster.local) not found" for name in ("nosuch", "gone"))
    assert told == [("BackendNotFound", missing), ("BackendNotFound", f"{gone}; {missing}"), ("BackendNotFound", gone)]


def test_route_of_a_service_without_waypoint_says_that_it_is_inert() -> None:
    """Nobody carries out the route of a Service that no waypoint handles; its status says so and stays True."""
    item = route("r", [{"backendRefs": [backend("reviews-v1")]}])
    said = facts(route_status(seen(item), item, CLOCK.seconds)["parents"][0])[2]
    label = "istio.io/use-waypoint label missing from parent and parent namespace"
    words = f"{label}; in ambient mode, route will not be respected"
    assert said == ("ResolvedWaypoints", "True", "ResolvedWaypoints", words)


def test_consumer_route_counts_where_the_waypoint_lives() -> None:
    """A route of another namespace is known only to a waypoint in that namespace."""
    parent = {"group": "", "kind": "Service", "name": "reviews", "namespace": "bookinfo"}
    item = route("r", [{"backendRefs": [backend("echo")]}], parent, "other")
    bound = {USE_WAYPOINT: "way", "istio.io/use-waypoint-namespace": "other"}
    assert routes(item) == []
    assert [each.name for each in routes(item, labels=bound)] == ["r"]


def test_status_forgets_parents_that_are_no_longer_named() -> None:
    """Our entry goes with its parentRef; an entry of another controller stays."""
    item = route("r", [{"backendRefs": [backend("reviews-v1")]}])
    foreign = {"controllerName": "example.com/other", "parentRef": {"name": "x"}, "conditions": []}
    ours = {"controllerName": "istio.io/gateway-controller", "parentRef": {"name": "gone"}, "conditions": []}
    item["status"] = {"parents": [foreign, ours]}
    parents = route_status(seen(item), item, CLOCK.seconds)["parents"]
    assert [each["parentRef"]["name"] for each in parents] == ["x", "reviews"]


def redirected(**filter: object) -> Redirect | None:
    """What a rule with that redirect asks for."""
    return only_rule({"filters": [{"type": "RequestRedirect", "requestRedirect": filter}]}).redirect


def test_redirect_keeps_the_port_that_was_asked_unless_it_changes_the_scheme() -> None:
    """302 and the Service's port are the Gateway API's defaults; a scheme brings its own port; no backend is needed."""
    assert redirected(hostname="example.com") == Redirect(302, "example.com", port="asked")
    assert redirected(scheme="https", statusCode=301) == Redirect(301, scheme="https", port="scheme")
    assert redirected(scheme="https", port=8443) == Redirect(302, scheme="https", port=8443)
    whole = {"type": "ReplaceFullPath", "replaceFullPath": "/x"}
    assert redirected(path=whole) == Redirect(302, path="/x", port="asked")
    prefix = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/x"}
    assert redirected(path=prefix) == Redirect(302, prefix="/x", port="asked")
    assert only_rule({"filters": [{"type": "RequestRedirect", "requestRedirect": {}}]}).direct_status is None


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ({"type": "ReplacePrefixMatch", "replacePrefixMatch": "/x/"}, Rewrite(prefix="/x", host="h")),
        ({"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}, Rewrite(prefix="/", host="h")),
        ({"type": "ReplaceFullPath", "replaceFullPath": "/x"}, Rewrite(expression=("/.*", "/x"), host="h")),
        ({}, Rewrite(host="h")),
    ],
)
def test_rewrite(path: Object, wanted: Rewrite) -> None:
    """A prefix without its last slash, a whole path, a host name."""
    asked = {"hostname": "h"} | ({"path": path} if path else {})
    rule = {"filters": [{"type": "URLRewrite", "urlRewrite": asked}], "backendRefs": [backend("reviews-v1")]}
    assert only_rule(rule).rewrite == wanted


@pytest.mark.parametrize(
    ("more", "percent"),
    [({}, 100), ({"percent": 5}, 5), ({"fraction": {"numerator": 1, "denominator": 8}}, 12.5)],
)
def test_mirror(more: Object, percent: float) -> None:
    """Copies go to the target, all or a share of them; a target that does not exist gets none."""
    filters = [
        {"type": "RequestMirror", "requestMirror": {"backendRef": backend(name), **more}}
        for name in ("reviews-v1", "nosuch")
    ]
    mirrors = only_rule({"filters": filters, "backendRefs": [backend("reviews-v1")]}).mirrors
    assert mirrors == (Mirror(Backend("bookinfo/reviews-v1", 9080), percent),)


def test_cors() -> None:
    """Origins are matched exactly, by a prefix, or by an expression; preflights of others are not passed on."""
    origins = ["http://a.example", "http://a*", "https://*.b.example", "*"]
    asked = {"allowOrigins": origins, "allowMethods": ["GET"], "allowCredentials": True, "maxAge": 60}
    cors = only_rule({"filters": [{"type": "CORS", "cors": asked}], "backendRefs": [backend("reviews-v1")]}).cors
    assert cors is not None
    assert [each.kind for each in cors.origins] == ["Exact", "Prefix", "RegularExpression", "RegularExpression"]
    assert cors.origins[2].value == r"https://.*\.b\.example"
    assert (cors.methods, cors.credentials, cors.max_age, cors.forwards) == (("GET",), True, 60, False)


def test_rule_may_have_a_name() -> None:
    """A rule's own name is its route's, as the waypoint logs it; else namespace, route and position."""
    assert only_rule({"name": "mine"}).name == "mine"
    assert only_rule({}).name == "bookinfo.r.0"
