"""Real requests on what only VirtualServices and DestinationRules ask a waypoint for, and on mirrors and CORS."""

import time
from dataclasses import replace
from typing import Any

import pytest

from pytest_ambient.embedded.istiod.destination_model import Hash
from pytest_ambient.embedded.istiod.model import (
    Backend,
    Cors,
    Destination,
    Ejection,
    HeaderChange,
    HeaderMatch,
    Injection,
    Mirror,
    Policy,
    RateLimit,
    Retries,
    Rewrite,
    Route,
    RouteMatch,
    RouteRule,
    Subset,
)

from .conftest import Bookinfo
from .world import eventually

OWN = Backend("bookinfo/reviews", 9080)
EVERYTHING = (RouteMatch(path_kind="Prefix"),)
ATTEMPTS = HeaderChange(set=(("x-attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT% of 100%"),))
SUBSETS = {
    "v1": Subset({"version": "v1"}, Policy()),
    "v2": Subset({"version": "v2"}, Policy("RANDOM", 9, 9, 9, 9, 1, 2.0, Ejection(3, 0, 1.0, 9.0, 50, 10))),
}


def virtual(bookinfo: Bookinfo, *rules: RouteRule, **more: Any) -> Any:
    """The mesh with a VirtualService on reviews, for a while."""
    route = Route("mine", "bookinfo", "", 9080, rules, virtual=True)
    return bookinfo.world.having(routes={"bookinfo/reviews": (route,)}, **more)


def test_rules_in_their_order(bookinfo: Bookinfo) -> None:
    """The first that matches has it, however much better another fits; a prefix is one of characters."""
    first = RouteRule((RouteMatch("/a", "Prefix"),), (), direct_status=418, direct_body="first")
    second = RouteRule((RouteMatch("/ab", "Exact"),), (OWN,))
    with virtual(bookinfo, first, second):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/ab")
        other = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/other")
    assert (reply.status, reply.body, other.status) == (418, "first", 404)
    assert reply.headers["x-envoy-decorator-operation"] == "mine:9080/a*"


@pytest.mark.parametrize(
    ("match", "arguments", "hit"),
    [
        pytest.param(RouteMatch("/A", "Exact", ignore_case=True), (), True, id="any-case"),
        pytest.param(RouteMatch(headers=(HeaderMatch("x", "1", "Prefix"),)), ("-H", "x: 12"), True, id="prefix"),
        pytest.param(RouteMatch(headers=(HeaderMatch("x", "", "Present"),)), (), False, id="present"),
        pytest.param(RouteMatch(headers=(HeaderMatch("x", "1", inverted=True),)), (), True, id="not-there"),
        pytest.param(RouteMatch(headers=(HeaderMatch("x", "1", inverted=True),)), ("-H", "x: 1"), False, id="there"),
        pytest.param(RouteMatch(headers=(HeaderMatch(":method", "P", "Prefix"),)), ("-X", "PUT"), True, id="method"),
    ],
)
def test_matches(bookinfo: Bookinfo, match: RouteMatch, arguments: tuple[str, ...], hit: bool) -> None:
    """What a VirtualService may ask for and an HTTPRoute may not."""
    with virtual(bookinfo, RouteRule((match,), (), direct_status=418)):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/a", *arguments)
    assert (reply.status == 418) is hit


def test_prefix_of_an_exact_path_is_all_of_it(bookinfo: Bookinfo) -> None:
    """A rewrite replaces what the match found."""
    with virtual(bookinfo, RouteRule((RouteMatch("/a", "Exact"),), (OWN,), rewrite=Rewrite("/x"))):
        assert '"path": "/x?q"' in bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/a?q").body


def test_subsets(bookinfo: Bookinfo) -> None:
    """A subset has the endpoints with its labels; one that nobody knows is 503."""
    found = {}
    said = {"bookinfo/reviews": Destination(Policy("ROUND_ROBIN"), SUBSETS)}
    for name in ("v1", "v2", "v3", ""):
        with virtual(bookinfo, RouteRule(EVERYTHING, (replace(OWN, subset=name),)), destinations=said):
            replies = [bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews) for _ in range(4)]
        found[name] = {each.pod or str(each.status) for each in replies}
    assert found == {"v1": {"reviews-v1"}, "v2": {"reviews-v2"}, "v3": {"503"}, "": {"reviews-v1", "reviews-v2"}}


@pytest.mark.parametrize(
    ("by", "argument"),
    [
        pytest.param(Hash("header", "x-user", size=1024), ("-H", "x-user: {}"), id="header"),
        pytest.param(Hash("query", "u", maglev=True), ("-G", "-du={}"), id="query"),
        pytest.param(Hash("cookie", "u", 0.0, "/"), ("-b", "u={}"), id="cookie"),
    ],
)
def test_like_requests_come_to_the_same_endpoint(bookinfo: Bookinfo, by: Hash, argument: tuple[str, str]) -> None:
    """Each user has an endpoint, not all the same; a route must be there, as without one nothing is hashed."""
    world, option, value = bookinfo.world, *argument
    said = {"bookinfo/reviews": Destination(Policy(hash=by))}
    with virtual(bookinfo, RouteRule(EVERYTHING, (OWN,)), destinations=said):
        found = [
            {world.call(bookinfo.curl, bookinfo.to_reviews, "/", option, value.format(user)).pod for _ in range(4)}
            for user in range(12)
        ]
        reply = world.call(bookinfo.curl, bookinfo.to_reviews)
    assert {len(each) for each in found} == {1}
    assert set.union(*found) == {"reviews-v1", "reviews-v2"}
    assert ("set-cookie" in reply.headers) is (by.kind == "cookie")


@pytest.mark.parametrize(
    ("retries", "attempts"),
    [
        pytest.param(None, 1, id="by-default"),
        pytest.param(Retries(0), 1, id="never"),
        pytest.param(Retries(3, "", (405,), 2.0, 0.001), 4, id="named-code"),
        pytest.param(Retries(2, "retriable-4xx"), 1, id="other-class"),
    ],
)
def test_retries(bookinfo: Bookinfo, retries: Retries | None, attempts: int) -> None:
    """Envoy's own count of attempts is filled into a header; other per cent signs stay."""
    with virtual(bookinfo, RouteRule(EVERYTHING, (OWN,), response_headers=ATTEMPTS, retries=retries)):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-X", "DELETE")
    assert (reply.status, reply.headers["x-attempts"]) == (405, f"{attempts} of 100%")


def test_injected_faults(bookinfo: Bookinfo) -> None:
    """An abort is the waypoint's answer and logged as such, a delay takes its time, a share of nought is nobody."""
    world = bookinfo.world
    with virtual(bookinfo, RouteRule(EVERYTHING, (OWN,), injection=Injection(status=418, aborted=100))):
        reply = world.call(bookinfo.curl, bookinfo.to_reviews, "/injected")
    assert (reply.status, reply.body) == (418, "fault filter abort")
    (line,) = world.logged("bookinfo/waypoint-abc", "GET /injected ")
    assert " 418 FI fault_filter_abort " in line
    with virtual(bookinfo, RouteRule(EVERYTHING, (OWN,), injection=Injection(delay=0.5, delayed=100))):
        start = time.monotonic()
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        assert time.monotonic() - start >= 0.5
    with virtual(bookinfo, RouteRule(EVERYTHING, (OWN,), injection=Injection(status=418))):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200


@pytest.mark.parametrize(
    ("arguments", "told", "body"),
    [
        pytest.param((), None, "fault filter abort", id="of-http"),
        pytest.param(("-H", "content-type: application/grpc"), "14", "", id="of-grpc"),
    ],
)
def test_injected_fault_of_grpc(bookinfo: Bookinfo, arguments: tuple[str, ...], told: str | None, body: str) -> None:
    """Callers that speak gRPC get its status; in HTTP that is an answer of 200, which others get, too."""
    with virtual(bookinfo, RouteRule(EVERYTHING, (OWN,), injection=Injection(grpc=14, aborted=100))):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/unavailable", *arguments)
    assert (reply.status, reply.headers.get("grpc-status"), reply.body) == (200, told, body)
    assert bookinfo.world.logged("bookinfo/waypoint-abc", '/unavailable HTTP/1.1" 200 FI fault_filter_abort')


def test_failing_endpoint_is_ejected(bookinfo: Bookinfo) -> None:
    """After one failure nobody is left, which the waypoint says by itself; a request that is aborted counts not."""
    world = bookinfo.world
    ejecting = Destination(Policy(ejection=Ejection(errors=1, interval=0.1, max_percent=100)))
    broken = RouteRule(EVERYTHING, (Backend("bookinfo/dead", 9080),))
    with virtual(bookinfo, broken, destinations={"bookinfo/dead": ejecting}):
        assert eventually(
            lambda: world.call(bookinfo.curl, bookinfo.to_reviews).body == "no healthy upstream", within=5
        )


def test_mirror(bookinfo: Bookinfo) -> None:
    """Each request arrives at the copy's target too, the answer is the primary's."""
    world = bookinfo.world
    mirror = Mirror(Backend("bookinfo/echo-copies", 9080))
    copies = world.pod("copies-v1", 9080)
    world.service("echo-copies", copies)
    with virtual(bookinfo, RouteRule(EVERYTHING, (Backend("bookinfo/reviews-v1", 9080),), mirrors=(mirror,))):
        pods = {world.call(bookinfo.curl, bookinfo.to_reviews, "/mirrored").pod for _ in range(3)}
        assert eventually(lambda: world.asked.count("copies-v1 /mirrored") == 3)
    assert pods == {"reviews-v1"}


@pytest.mark.parametrize(("origin", "allowed"), [("http://a.example", True), ("http://b.example", False)])
def test_cors(bookinfo: Bookinfo, origin: str, allowed: bool) -> None:
    """The waypoint answers the preflight of a named origin; what is asked of others goes to the backend."""
    cors = Cors((HeaderMatch("", "http://a.example"),), ("GET",), ("x-h",), ("x-e",), credentials=True, max_age=60)
    asked = ("-X", "OPTIONS", "-H", f"Origin: {origin}", "-H", "Access-Control-Request-Method: GET")
    with virtual(bookinfo, RouteRule(EVERYTHING, (OWN,), cors=replace(cors, forwards=True))):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/", *asked)
        plain = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-H", f"Origin: {origin}")
    told = ("access-control-allow-origin", "access-control-allow-methods", "access-control-max-age")
    wanted = (origin, "GET", "60") if allowed else (None,) * 3
    assert tuple(reply.headers.get(name) for name in told) == wanted
    assert plain.headers.get("access-control-expose-headers") == ("x-e" if allowed else None)
    assert bool(reply.pod) is not allowed


def test_rate_limit(bookinfo: Bookinfo) -> None:
    """What the bucket holds is let through, the rest is the waypoint's 429."""
    world, key = bookinfo.world, "bookinfo/waypoint"
    limit = RateLimit(2, 1, 3600.0, (("x-limited", "yes"),))
    limited = replace(world.mesh.waypoints[key], limits=(limit,))
    with world.having(waypoints={**world.mesh.waypoints, key: limited}):
        replies = [world.call(bookinfo.curl, bookinfo.to_reviews, "/limited") for _ in range(3)]
    assert [each.status for each in replies] == [200, 200, 429]
    assert (replies[2].body, replies[2].headers["x-limited"]) == ("local_rate_limited", "yes")
