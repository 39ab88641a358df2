"""Real requests on the routes of a waypoint."""

import json
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from pytest_ambient.embedded.istiod.model import (
    Backend,
    HeaderChange,
    HeaderMatch,
    Redirect,
    Rewrite,
    Route,
    RouteMatch,
    RouteRule,
    Service,
)

from .conftest import Bookinfo

WAYPOINT = "bookinfo/waypoint-abc"
REVIEWS_V1, REVIEWS_V2 = Backend("bookinfo/reviews-v1", 9080), Backend("bookinfo/reviews-v2", 9080)


def routed(bookinfo: Bookinfo, *rules: RouteRule, port: int | None = 9080, name: str = "reviews") -> Any:
    """The mesh with a route on reviews, for a while."""
    return bookinfo.world.having(routes={"bookinfo/reviews": (Route(name, "bookinfo", "", port, rules),)})


def test_header_route(bookinfo: Bookinfo) -> None:
    """The exact header goes to one version, all else to the other; names match in any case, values do not."""
    world, user = bookinfo.world, RouteMatch(headers=(HeaderMatch("end-user", "normal"),))
    rules = RouteRule((user,), (REVIEWS_V2,)), RouteRule((RouteMatch(),), (REVIEWS_V1,))
    with routed(bookinfo, *rules):
        found = [
            world.call(bookinfo.curl, bookinfo.to_reviews, "/", *arguments).pod
            for arguments in (("-H", "End-User: normal"), ("-H", "end-user: Normal"), ("-H", "end-user: test"), ())
        ]
        reply = world.call(bookinfo.curl, bookinfo.to_reviews, "/who", "-H", "end-user: normal")
    assert found == ["reviews-v2", "reviews-v1", "reviews-v1", "reviews-v1"]
    assert reply.headers["x-envoy-decorator-operation"] == "reviews-v2.bookinfo.svc.cluster.local:9080/*"
    (line,) = world.logged(WAYPOINT, "GET /who ")
    assert "outbound|9080||reviews-v2.bookinfo.svc.cluster.local" in line  # not bound to this waypoint
    assert line.endswith(" bookinfo.reviews.0")


@pytest.mark.parametrize(
    ("match", "path", "arguments", "hit"),
    [
        pytest.param(RouteMatch("/a", "Exact"), "/a", (), True, id="exact"),
        pytest.param(RouteMatch("/a", "Exact"), "/a/b", (), False, id="exact-not-below"),
        pytest.param(RouteMatch("/a"), "/a/b", (), True, id="prefix-below"),
        pytest.param(RouteMatch("/a"), "/ab", (), False, id="prefix-of-whole-parts"),
        pytest.param(RouteMatch("/a/"), "/a", (), True, id="prefix-trailing-slash"),
        pytest.param(RouteMatch("/[0-9]+", "RegularExpression"), "/12", (), True, id="regular-expression"),
        pytest.param(RouteMatch(method="POST"), "/", ("-X", "POST"), True, id="method"),
        pytest.param(RouteMatch(method="POST"), "/", (), False, id="other-method"),
        pytest.param(RouteMatch(queries=(HeaderMatch("u", "normal"),)), "/?u=normal", (), True, id="query"),
        pytest.param(RouteMatch(queries=(HeaderMatch("u", "normal"),)), "/?u=test", (), False, id="other-query"),
        pytest.param(
            RouteMatch(headers=(HeaderMatch("x", "a.c", "RegularExpression"),)), "/", ("-H", "x: abc"), True, id="regex"
        ),
    ],
)
def test_route_match(bookinfo: Bookinfo, match: RouteMatch, path: str, arguments: tuple[str, ...], hit: bool) -> None:
    """What a rule matches goes to its backend, and with no other rule the rest is not found."""
    with routed(bookinfo, RouteRule((match,), (REVIEWS_V2,))):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, path, *arguments)
    assert (reply.status, reply.pod) == ((200, "reviews-v2") if hit else (404, ""))
    assert hit or (reply.headers["server"], reply.headers["content-length"]) == ("istio-envoy", "0")


def test_route_precedence(bookinfo: Bookinfo) -> None:
    """The more specific match wins wherever it stands."""
    rules = (
        RouteRule((RouteMatch("/"),), (REVIEWS_V1,)),
        RouteRule((RouteMatch("/a/b"), RouteMatch("/c", "Exact")), (REVIEWS_V2,)),
        RouteRule((RouteMatch("/a"), RouteMatch("/c/d")), (REVIEWS_V1,)),
    )
    with routed(bookinfo, *rules):
        found = [bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, path).pod for path in ("/a/b", "/a", "/c")]
    assert found == ["reviews-v2", "reviews-v1", "reviews-v2"]


def test_a_prefix_comes_before_a_longer_expression(bookinfo: Bookinfo) -> None:
    """Expressions are tried last, whatever their length."""
    rules = (
        RouteRule((RouteMatch("/a/[0-9]+/and/more|/a/.*", "RegularExpression"),), (REVIEWS_V1,)),
        RouteRule((RouteMatch("/a"),), (REVIEWS_V2,)),
    )
    with routed(bookinfo, *rules):
        assert bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/a/1").pod == "reviews-v2"


def test_routes_of_one_namespace_and_port_are_one(bookinfo: Bookinfo) -> None:
    """Others come one after another: first those from where the waypoint lives, then the oldest."""

    def made(name: str, match: RouteMatch, backend: Backend, **more: Any) -> Route:
        where = {"namespace": "bookinfo", "created": "2", "port": None, **more}
        return Route(name=name, rules=(RouteRule((match,), (backend,)),), **where)

    special, everything = RouteMatch("/a", "Exact"), RouteMatch()
    virtual = made("old", RouteMatch(path_kind="Prefix"), REVIEWS_V1, created="0", virtual=True)
    for routes, winner in (
        ((made("all", everything, REVIEWS_V1, created="1"), made("one", special, REVIEWS_V2)), "reviews-v2"),
        ((made("all", everything, REVIEWS_V1, created="1", port=9080), made("one", special, REVIEWS_V2)), "reviews-v1"),
        ((made("all", everything, REVIEWS_V1, namespace="other", created="1"), made("one", special, REVIEWS_V2)),
         "reviews-v2"),
        ((virtual, made("one", special, REVIEWS_V2)), "reviews-v2"),
        ((virtual, made("one", special, REVIEWS_V2, namespace="other")), "reviews-v1"),
    ):  # fmt: skip
        with bookinfo.world.having(routes={"bookinfo/reviews": routes}):
            assert bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/a").pod == winner


def test_weights(bookinfo: Bookinfo) -> None:
    """Requests spread by weight, new connection or not, and a zero weight is never served."""
    world = bookinfo.world
    shares = RouteRule((RouteMatch(),), (replace(REVIEWS_V1, weight=90), replace(REVIEWS_V2, weight=10)))
    url = world.url(bookinfo.to_reviews)
    command = ["curl", "-q", "-sS", "--interface", bookinfo.curl.address, "-H", "Connection: close", f"{url}#[1-600]"]
    with routed(bookinfo, shares):
        served = subprocess.run(command, capture_output=True, timeout=20, check=True).stdout.count(b"reviews-v2")
    assert 20 < served < 120  # either end has a probability below 1e-9
    none = RouteRule((RouteMatch(),), (replace(REVIEWS_V1, weight=1), replace(REVIEWS_V2, weight=0)))
    with routed(bookinfo, none):
        assert {world.call(bookinfo.curl, bookinfo.to_reviews).pod for _ in range(10)} == {"reviews-v1"}


def test_header_changes(bookinfo: Bookinfo) -> None:
    """Rules and their backends change request and response headers; a percent sign is only a percent sign."""
    backend = replace(
        REVIEWS_V1,
        request_headers=HeaderChange(set=(("x-backend", "1"),)),
        response_headers=HeaderChange(add=(("x-b", "2"),)),
    )
    rules = RouteRule(
        (RouteMatch(),),
        (backend,),
        request_headers=HeaderChange(set=(("end-user", "100%"),), add=(("accept", "x"),), remove=("user-agent",)),
        response_headers=HeaderChange(add=(("x-lab", "yes"),), remove=("x-powered-by",)),
    )
    with routed(bookinfo, rules):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews)
    seen = json.loads(reply.body)["headers"]
    assert (seen["end-user"], seen["accept"], seen["x-backend"]) == ("100%", "*/*,x", "1")
    assert "user-agent" not in seen
    assert (reply.headers["x-lab"], reply.headers["x-b"]) == ("yes", "2")
    assert "x-powered-by" not in reply.headers


def test_header_changes_of_weighted_backends(bookinfo: Bookinfo) -> None:
    """Where requests spread, each backend still changes, adds and removes headers of its own."""
    backend = replace(
        REVIEWS_V1,
        request_headers=HeaderChange(set=(("x-backend", "1"),), remove=("user-agent",)),
        response_headers=HeaderChange(add=(("x-b", "2"),), remove=("x-powered-by",)),
    )
    with routed(bookinfo, RouteRule((RouteMatch(),), (backend, replace(backend, weight=2)))):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews)
    seen = json.loads(reply.body)["headers"]
    assert seen["x-backend"] == "1"
    assert "user-agent" not in seen
    assert reply.headers["x-b"] == "2"
    assert "x-powered-by" not in reply.headers


def test_host_is_changed_like_a_header(bookinfo: Bookinfo) -> None:
    """Rules and backends may set the host of requests, the rule has the last word; taking it away changes nothing."""
    world, everything = bookinfo.world, (RouteMatch(),)
    by_rule, by_backend = HeaderChange(set=(("Host", "rule"),)), HeaderChange(add=(("host", "backend"),))
    own = replace(REVIEWS_V1, request_headers=by_backend)
    for rule, host in (
        (RouteRule(everything, (REVIEWS_V1,), request_headers=by_rule), "rule"),
        (RouteRule(everything, (own,), request_headers=by_rule), "rule"),
        (RouteRule(everything, (own,)), "backend"),
        (RouteRule(everything, (own, replace(own, weight=2))), "backend"),
        (RouteRule(everything, (REVIEWS_V1,), request_headers=HeaderChange(remove=("Host",))), "reviews.bookinfo:9080"),
    ):
        with routed(bookinfo, rule):
            seen = json.loads(world.call(bookinfo.curl, bookinfo.to_reviews).body)["headers"]
        assert seen["host"] == host


def test_routes_that_lead_nowhere(bookinfo: Bookinfo) -> None:
    """A backend or port that is missing is 500, a rule without backends what the mesh says, and no pod is 503."""
    world = bookinfo.world
    everything = (RouteMatch(),)
    missing, own = "nosuch.bookinfo.svc.cluster.local", "bookinfo~9080~reviews.bookinfo.svc.cluster.local"
    for rules, status, host in (
        (RouteRule(everything, (Backend(None, 9080, missing=missing),)), 500, missing),
        (RouteRule(everything, (replace(REVIEWS_V1, port=1),)), 500, "reviews-v1.bookinfo.svc.cluster.local:1/*"),
        (RouteRule(everything, (), direct_status=404), 404, own),
        (RouteRule(everything, (replace(REVIEWS_V1, weight=0),), direct_status=500), 500, own),
    ):
        with routed(bookinfo, rules):
            reply = world.call(bookinfo.curl, bookinfo.to_reviews)
            assert (reply.status, reply.body, reply.headers["server"]) == (status, "", "istio-envoy")
            assert reply.headers["x-envoy-decorator-operation"] == (host if "/" in host else f"{host}:9080/*")
    with routed(bookinfo, RouteRule(everything, (REVIEWS_V1, Backend(None, 9080)))):
        assert {world.call(bookinfo.curl, bookinfo.to_reviews).status for _ in range(30)} == {200, 500}
    empty = replace(world.mesh.services["bookinfo/reviews-v1"], endpoints=())
    rule_v1 = Route("r", "bookinfo", "", None, (RouteRule(everything, (REVIEWS_V1,)),))
    services: dict[str, Service] = {**world.mesh.services, empty.key: empty}
    with world.having(routes={"bookinfo/reviews": (rule_v1,)}, services=services):
        reply = world.call(bookinfo.curl, bookinfo.to_reviews)
        assert (reply.status, reply.body) == (503, "no healthy upstream")


def test_route_of_another_port(bookinfo: Bookinfo) -> None:
    """A route bound to another port of its parent leaves this one alone."""
    with routed(bookinfo, RouteRule((RouteMatch(),), (), direct_status=404), port=9081):
        assert bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews).status == 200


def test_timeout(bookinfo: Bookinfo) -> None:
    """A request that takes too long is answered by the waypoint."""
    with routed(bookinfo, RouteRule((RouteMatch(),), (REVIEWS_V1,), request_timeout=0.2)):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/delay/1")
    assert (reply.status, reply.body) == (504, "upstream request timeout")
    (line, *_) = bookinfo.world.logged(WAYPOINT, "/delay/1 HTTP/1.1")
    assert " 504 UT response_timeout - " in line


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        pytest.param(Redirect(302, "example.com", port="asked"), "http://example.com:9080/a/b?c=d", id="recorded"),
        pytest.param(Redirect(301, port="asked"), "http://reviews.bookinfo:9080/a/b?c=d", id="nothing"),
        pytest.param(Redirect(307, scheme="https", port="scheme"), "https://reviews.bookinfo:9080/a/b?c=d", id="https"),
        pytest.param(Redirect(308, scheme="https", port=443), "https://reviews.bookinfo:9080/a/b?c=d", id="own-port"),
        pytest.param(Redirect(303, port=8080), "http://reviews.bookinfo:8080/a/b?c=d", id="port"),
        pytest.param(Redirect(301, port=80), "http://reviews.bookinfo:9080/a/b?c=d", id="port-80"),
        pytest.param(Redirect(301, path="/x", port="asked"), "http://reviews.bookinfo:9080/x?c=d", id="path"),
        pytest.param(Redirect(301, prefix="/x", port="asked"), "http://reviews.bookinfo:9080/x/b?c=d", id="prefix"),
        pytest.param(Redirect(301, path="/x"), "http://reviews.bookinfo:9080/x?c=d", id="virtual-service"),
    ],
)
def test_redirect(bookinfo: Bookinfo, redirect: Redirect, location: str) -> None:
    """The waypoint itself answers, with the place in Location; no way leads to a scheme's own port but from another
    scheme's own port, since Istio leaves such a port out and Envoy keeps what was asked for."""
    with routed(bookinfo, RouteRule((RouteMatch("/a"),), (), redirect=redirect)):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/a/b?c=d")
    assert (reply.status, reply.headers["location"], reply.body) == (redirect.status, location, "")
    operation = "bookinfo~9080~reviews.bookinfo.svc.cluster.local:9080/*"
    assert reply.headers["x-envoy-decorator-operation"] == operation
    assert "x-envoy-upstream-service-time" not in reply.headers


@pytest.mark.parametrize(
    ("rewrite", "path"),
    [
        pytest.param(Rewrite(prefix="/x"), "/x/b?c=d", id="prefix"),
        pytest.param(Rewrite(prefix="/"), "/b?c=d", id="prefix-away"),
        pytest.param(Rewrite(expression=("/.*", "/whole")), "/whole?c=d", id="whole"),
    ],
)
def test_rewrite(bookinfo: Bookinfo, rewrite: Rewrite, path: str) -> None:
    """The backend sees the other path, with the query as it was."""
    with routed(bookinfo, RouteRule((RouteMatch("/a"),), (REVIEWS_V1,), rewrite=rewrite)):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/a/b?c=d")
    assert json.loads(reply.body)["path"] == path


def test_rewritten_host(bookinfo: Bookinfo) -> None:
    """The backend sees the other host."""
    with routed(bookinfo, RouteRule((RouteMatch(),), (REVIEWS_V1,), rewrite=Rewrite(host="other.example"))):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews)
    assert json.loads(reply.body)["headers"]["host"] == "other.example"
