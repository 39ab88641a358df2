"""VirtualServices and DestinationRules as waypoints get them, and what is refused of them."""

from dataclasses import replace

import pytest

from pytest_ambient.embedded.istiod.binding import gates
from pytest_ambient.embedded.istiod.model import (
    Backend,
    Cors,
    HeaderChange,
    HeaderMatch,
    Injection,
    Mirror,
    Redirect,
    Retries,
    Rewrite,
    Route,
    RouteMatch,
    RouteRule,
)
from pytest_ambient.embedded.istiod.routes import routes_by_service
from pytest_ambient.embedded.objects import Object
from tests.embedded.istiod.virtual import EVERYTHING, OWN, TO, connections, routes, rule, seen, virtual

from .world import meta, route


def test_plain_rule_takes_everything_to_the_service_itself() -> None:
    """A destination without a port is the Service's only one, one that stands alone gets everything."""
    assert routes(virtual({"route": [TO]})) == (
        Route("v", "bookinfo", meta("v")["creationTimestamp"], 9080, (RouteRule(EVERYTHING, (OWN,)),), virtual=True),
    )


@pytest.mark.parametrize(
    ("hosts", "space", "known"),
    [
        (["reviews"], "bookinfo", True),
        (["reviews.bookinfo.svc.cluster.local"], "other", True),
        (["*.bookinfo.svc.cluster.local"], "other", True),
        (["reviews"], "other", False),
        (["reviews.bookinfo"], "bookinfo", False),
        (["reviews.bookinfo.svc.cluster.local"], "third", False),
    ],
)
def test_hosts(hosts: list[str], space: str, known: bool) -> None:
    """A short name is one of the own namespace, a name with a dot a full one; only the Service's and the waypoint's
    namespaces count."""
    assert bool(routes(virtual({"route": [TO]}, hosts=hosts, space=space))) is known


@pytest.mark.parametrize(
    ("space", "exports", "known"),
    [
        ("bookinfo", ["*"], True),
        ("bookinfo", ["other"], True),
        ("bookinfo", ["third", "other"], True),
        ("bookinfo", ["."], False),
        ("bookinfo", ["bookinfo", "third"], False),
        ("other", ["."], True),
        ("other", ["bookinfo"], False),
    ],
)
def test_exports(space: str, exports: list[str], known: bool) -> None:
    """What counts is the namespace of the waypoint, `other`: it must know of the VirtualService."""
    item = virtual({"route": [TO]}, hosts=["reviews.bookinfo.svc.cluster.local"], space=space)
    item["spec"]["exportTo"] = exports
    assert bool(routes(item)) is known


@pytest.mark.parametrize(("namespace", "known"), [("other", True), ("bookinfo", False), ("", True)])
def test_the_callers_namespace_is_taken_for_the_waypoints(namespace: str, known: bool) -> None:
    """As Istio compares it with that of the proxy that has the route."""
    match = {"uri": {"exact": "/a"}, "sourceNamespace": namespace}
    assert bool(routes(virtual({"match": [match], "route": [TO]}))) is known


def test_matches() -> None:
    """All kinds of matches, also of the method and by what is not there."""
    asked = {
        "name": "m",
        "uri": {"regex": "/a.*"},
        "ignoreUriCase": True,
        "headers": {"x": {"prefix": "1"}, "here": {}},
        "withoutHeaders": {"y": {"exact": "2"}},
        "method": {"exact": "GET"},
        "queryParams": {"q": {"regex": "*"}},
    }
    assert rule(match=[asked]).matches == (
        RouteMatch(
            "/a.*",
            "RegularExpression",
            (
                HeaderMatch("here", "", "Present"),
                HeaderMatch("x", "1", "Prefix"),
                HeaderMatch("y", "2", inverted=True),
                HeaderMatch(":method", "GET"),
            ),
            (HeaderMatch("q", "", "Present"),),
            ignore_case=True,
            name="m",
        ),
    )


def test_what_nobody_can_match_is_left_out() -> None:
    """Matches of a caller's labels, of another port and of gateways, and whatever stands behind a rule for all."""
    nobody = [{"sourceLabels": {"a": "b"}}, {"port": 80}, {"gateways": ["g"]}]
    rules: list[Object] = [
        {"match": nobody, "route": [TO]},
        {"match": [{"port": 9080}], "route": [TO]},
        {"route": [TO]},
    ]
    assert [each.matches for each in routes(virtual(*rules))[0].rules] == [EVERYTHING]
    assert routes(virtual({"match": nobody, "route": [TO]})) == ()


def test_destinations() -> None:
    """Weights, subsets, ports, headers; a host that nobody knows stays a name."""
    written = [
        {"destination": {"host": "ratings", "subset": "v1", "port": {"number": 80}}, "weight": 3},
        {"destination": {"host": "nosuch"}, "headers": {"response": {"add": {"b": "2", "a": "1"}}}},
    ]
    assert rule(route=written).backends == (
        Backend("bookinfo/ratings", 80, 3, subset="v1"),
        Backend(
            None,
            9080,
            0,
            response_headers=HeaderChange(add=(("a", "1"), ("b", "2"))),
            missing="nosuch.bookinfo.svc.cluster.local",
        ),
    )


@pytest.mark.parametrize(
    ("asked", "field", "wanted"),
    [
        ({"redirect": {"uri": "/x"}, "route": []}, "redirect", Redirect(301, path="/x")),
        (
            {"redirect": {"authority": "h", "redirectCode": 307, "derivePort": "FROM_REQUEST_PORT"}, "route": []},
            "redirect",
            Redirect(307, "h", port="asked"),
        ),
        ({"directResponse": {"status": 403, "body": {"string": "no"}}, "route": []}, "direct_body", "no"),
        ({"rewrite": {"uri": "/x", "authority": "h"}}, "rewrite", Rewrite("/x", host="h")),
        ({"rewrite": {"uriRegexRewrite": {"match": "a", "rewrite": "b"}}}, "rewrite", Rewrite(expression=("a", "b"))),
        ({"timeout": "1.5s"}, "request_timeout", 1.5),
        ({"retries": {"attempts": 0}}, "retries", Retries(0)),
        (
            {
                "retries": {
                    "attempts": 3,
                    "perTryTimeout": "2s",
                    "retryOn": "5xx, 404",
                    "retryIgnorePreviousHosts": False,
                }
            },
            "retries",
            Retries(3, "5xx", (404,), 2.0, other_hosts=False),
        ),
        (
            {"fault": {"delay": {"fixedDelay": "2s", "percentage": {"value": 12.5}}, "abort": {"httpStatus": 418}}},
            "injection",
            Injection(2.0, 12.5, 418, 0),
        ),
        (
            {"fault": {"abort": {"grpcStatus": "UNAUTHENTICATED", "percentage": {"value": 100}}}},
            "injection",
            Injection(grpc=16, aborted=100),
        ),
        ({"fault": {"abort": {"grpcStatus": "OK"}}}, "injection", Injection(grpc=0)),
        ({"mirror": {"host": "ratings"}}, "mirrors", (Mirror(Backend("bookinfo/ratings", 9080)),)),
        (
            {"mirrors": [{"destination": {"host": "ratings"}, "percentage": {"value": 10}}]},
            "mirrors",
            (Mirror(Backend("bookinfo/ratings", 9080), 10),),
        ),
        (
            {"corsPolicy": {"allowOrigins": [{"exact": "http://a"}], "maxAge": "24h", "unmatchedPreflights": "IGNORE"}},
            "cors",
            Cors((HeaderMatch("", "http://a"),), max_age=86400),
        ),
        ({"corsPolicy": {"allowOrigin": ["http://a"]}}, "cors", Cors((HeaderMatch("", "http://a"),), forwards=True)),
    ],
)
def test_rule(asked: Object, field: str, wanted: object) -> None:
    """Each part of a rule reaches the waypoint."""
    assert getattr(rule(**asked), field) == wanted


def test_http_routes_and_virtual_services_are_both_known() -> None:
    """Both kinds on one Service reach its waypoint, the oldest first."""
    found = routes(virtual({"route": [TO]}, name="a"), route("b", [{}]))
    assert [(each.name, each.virtual) for each in found] == [("a", True), ("b", False)]


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        ([], True),
        ([{"port": 9080}], True),
        ([{"port": 9081}], False),
        ([{"port": 9081}, {"gateways": ["mesh"]}], True),
        ([{"gateways": ["front"]}], False),
        ([{"sourceLabels": {"app": "curl"}}], False),
        ([{"sourceNamespace": "bookinfo"}], False),
    ],
)
def test_connections_have_rules_of_their_own(match: list[Object], taken: bool) -> None:
    """The first rule whose match is met takes them, with its weights and subsets; what asks who calls is never met."""
    both = {"destination": {"host": "reviews", "subset": "v2"}, "weight": 0}
    item = connections({"match": match, "route": [{**TO, "weight": 3}, both]}, {"route": [TO]})
    view = seen(item)
    (found,) = routes_by_service(view, gates(view))["bookinfo/reviews"]
    shared = (replace(OWN, weight=3), replace(OWN, weight=0, subset="v2"))
    assert (found.tcp, found.virtual, found.port) == (True, True, 9080)
    assert found.rules == (RouteRule((RouteMatch(),), shared if taken else (OWN,)),)
