"""Log lines against those recorded on Istio 1.30.3: same shape, same keys in the same order, same words."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.embedded.istiod.model import (
    L4Match,
    L4Policy,
    L7Policy,
    L7Rule,
    Operation,
    Route,
    RouteMatch,
    RouteRule,
    StringMatch,
    WaypointRef,
)

from .conftest import Bookinfo
from .l4 import ZTUNNEL, policy
from .test_routes import REVIEWS_V1
from .test_waypoint import WAYPOINT

FOLDER = Path(__file__).parent / "golden"


def recorded(file: str) -> dict[str, str]:
    """Recorded lines by name."""
    lines = (FOLDER / file).read_text().splitlines()
    return dict(line.split("\t", 1) for line in lines if not line.startswith("#"))


ZTUNNEL_LINES, WAYPOINT_LINES = recorded("ztunnel.log"), recorded("waypoint.log")


def shape(line: str) -> str:
    """A ztunnel line with its times, addresses, names, sizes and identities left out."""
    line = re.sub(r"^\S+Z", "TIME", line)
    line = re.sub(
        r"(\.(?:hbone_)?addr)=[\d.]+:(\d+)", lambda m: f"{m[1]}=IP:{'15008' if m[2] == '15008' else 'N'}", line
    )
    line = re.sub(r'(bytes_\w+)=[1-9]\d*|duration="\d+ms"', lambda m: m[1] or "DURATION", line)
    line = re.sub(r'((?:workload|service|namespace|identity))="[^"]*"', r"\1", line)
    return re.sub(r"(denied by: |update |delete )\S+", r"\1", line)


def traffic(bookinfo: Bookinfo) -> None:
    """Make at least one connection of each kind."""
    world = bookinfo.world
    for to in (bookinfo.to_details, bookinfo.to_reviews, bookinfo.to_echo):
        world.call(bookinfo.curl, to)
    world.curl(bookinfo.curl, f"http://{bookinfo.details.address}:9080/")
    world.curl(bookinfo.curl, f"http://{bookinfo.echo.address}:20080/")
    world.call(bookinfo.outside, bookinfo.to_details)
    for action in ("ALLOW", "DENY"):
        other = StringMatch("exact", "nobody")
        matches = L4Match(not_principals=(other,)) if action == "DENY" else L4Match(principals=(other,))
        with world.having(l4_policies=policy(action, matches)):
            world.call(bookinfo.curl, bookinfo.to_details)
            world.call(bookinfo.outside, bookinfo.to_details)
            world.call(bookinfo.curl, bookinfo.to_reviews)
    lost = replace(bookinfo.waypoint, pods=())
    with world.having(waypoints={lost.key: lost}):
        world.call(bookinfo.curl, bookinfo.to_reviews)


@pytest.fixture(scope="module")
def lines(bookinfo: Bookinfo) -> dict[str, list[str]]:
    """What the proxies logged of it."""
    traffic(bookinfo)
    return bookinfo.world.logs


@pytest.mark.parametrize("kind", ZTUNNEL_LINES)
def test_ztunnel_line(bookinfo: Bookinfo, lines: dict[str, list[str]], kind: str) -> None:
    """Each kind of recorded line is written here too, equal but for what differs from mesh to mesh."""
    wanted = shape(ZTUNNEL_LINES[kind])
    bookinfo.world.logged(ZTUNNEL, "nothing like it", within=0.05)
    assert wanted in {shape(each) for each in lines[ZTUNNEL]}


def answered(bookinfo: Bookinfo) -> None:
    """A request without any policy."""
    bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/reviews/0")


def with_policy(*rules: L7Rule, action: str) -> Callable[[Bookinfo], None]:
    """A request under one policy."""

    def call(bookinfo: Bookinfo) -> None:
        held = L7Policy("deny-path", "bookinfo", action, rules)  # type: ignore[arg-type]  # one of the two actions
        with bookinfo.world.having(service_policies={"bookinfo/reviews": (held,)}):
            answered(bookinfo)

    return call


def refused_by_destination(bookinfo: Bookinfo) -> None:
    """A request that the destination's ztunnel refuses."""
    nobody = L4Policy("nobody", "bookinfo", "Namespace", "ALLOW", ())
    with bookinfo.world.having(l4_policies={nobody.key: nobody}):
        answered(bookinfo)


def on_a_route(path: str, timeout: float | None = None) -> Callable[[Bookinfo], None]:
    """A request that a route sends on."""

    def call(bookinfo: Bookinfo) -> None:
        world, rules = bookinfo.world, (RouteRule((RouteMatch(),), (REVIEWS_V1,), request_timeout=timeout),)
        target = replace(world.mesh.services["bookinfo/reviews-v1"], waypoint=bookinfo.to_reviews.waypoint)
        waypoint = replace(bookinfo.waypoint, services=(*bookinfo.waypoint.services, target.key))
        with world.having(
            routes={"bookinfo/reviews": (Route("reviews", "bookinfo", "", 9080, rules),)},
            services={**world.mesh.services, target.key: target},
            waypoints={waypoint.key: waypoint},
        ):
            world.call(bookinfo.curl, bookinfo.to_reviews, path)

    return call


def not_captured(bookinfo: Bookinfo) -> None:
    """A request for an endpoint outside the mesh."""
    world = bookinfo.world
    echo = replace(bookinfo.to_echo, waypoint=WaypointRef("bookinfo", "waypoint"))
    waypoint = replace(bookinfo.waypoint, services=(*bookinfo.waypoint.services, echo.key))
    with world.having(services={**world.mesh.services, echo.key: echo}, waypoints={waypoint.key: waypoint}):
        world.call(bookinfo.curl, echo)


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("answered", answered),
        ("none-allowed", with_policy(action="ALLOW")),
        ("denied", with_policy(L7Rule((), (Operation(paths=("/reviews/0",)),)), action="DENY")),
        ("refused-by-destination", refused_by_destination),
        ("tunnel-refused", refused_by_destination),
        ("routed", on_a_route("/reviews/0")),
        ("not-captured", not_captured),
        ("timeout", on_a_route("/delay/1", 0.1)),
    ],
)
def test_waypoint_line(bookinfo: Bookinfo, kind: str, call: Callable[[Bookinfo], None]) -> None:
    """Each kind of recorded line of a waypoint's access log is written here too."""
    wanted = waypoint_shape(WAYPOINT_LINES[kind])
    before = len(bookinfo.world.logs.get(WAYPOINT, ()))
    call(bookinfo)
    bookinfo.world.logged(WAYPOINT, "nothing like it", within=0.1)
    assert wanted in {waypoint_shape(each) for each in bookinfo.world.logs[WAYPOINT][before:]}


def waypoint_shape(line: str) -> str:
    """A waypoint's line with its times, addresses, names and sizes left out."""
    line = re.sub(r"^\[\S+Z\]", "TIME", line)
    line = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", line)
    line = re.sub(r'"GET \S+ ', '"GET ', line)
    line = re.sub(r'(" )(\d+) (\d+) (\d+) (-|\d+) ', lambda m: f"{m[1]}N N N {'-' if m[5] == '-' else 'N'} ", line)
    line = re.sub(r"\d+\.\d+\.\d+\.\d+:\d+", "IP", line)
    line = re.sub(r"\|(\d+)\|http\|[\w-]+\.[\w-]+\.svc", "|N|http|SERVICE.svc", line)
    line = re.sub(r'"[\w-]+\.[\w-]+:\d+"', '"HOST"', line)
    return re.sub(r"bookinfo\.\w+\.0$", "ROUTE", line)
