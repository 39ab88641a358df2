"""Of which requests and connections a waypoint's access log tells, and that all of them are counted."""

import time
from dataclasses import replace

from pytest_ambient.embedded.istiod.model import Destination, L4Policy, Operation, Policy

from .conftest import Bookinfo
from .test_waypoint import WAYPOINT
from .test_waypoint_policy import denied, policy, rule

REVIEWS, TCP, OWN = "Service/bookinfo/reviews", "Service/bookinfo/tcp", "Gateway/bookinfo/waypoint"


def test_requests_that_are_counted_but_not_logged(bookinfo: Bookinfo) -> None:
    """A Service without access log is silent; the waypoint's counter goes on."""
    world = bookinfo.world
    with world.having(unlogged=frozenset({"Service/bookinfo/reviews"})):
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/quiet").status == 200
    assert world.call(bookinfo.curl, bookinfo.to_reviews, "/loud").status == 200
    assert world.logged(WAYPOINT, '"GET /loud')
    assert not world.logged(WAYPOINT, "/quiet", within=0.1)


def test_an_expression_chooses_the_requests(bookinfo: Bookinfo) -> None:
    """Each that fulfils it is told once, in a line as always, the others never; one that makes no sense of it neither.

    All are counted, once.
    """
    world = bookinfo.world
    posts = policy(rule(None, Operation(methods=("POST",))), action="DENY")
    world.call(bookinfo.curl, bookinfo.to_reviews, "/first")
    assert world.logged(WAYPOINT, "/first")
    before, _ = world.counted("waypoint-abc")
    filters = {REVIEWS: "response.code >= 400 || request.headers['x-tell'] == 'yes'"}
    with world.having(log_filters=filters, service_policies={"bookinfo/reviews": (posts,)}):
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews, "/chosen/a", "-X", "POST"))
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/chosen/b", "-H", "x-tell: yes").status == 200
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/left/a", "-H", "x-tell: no").status == 200
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/left/b").status == 200
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/chosen/c", "-H", "x-tell: yes").status == 200
    assert world.logged(WAYPOINT, "/chosen/c")
    told = [line for line in world.logs[WAYPOINT] if "/chosen/" in line or "/left/" in line]
    assert [line.split('"')[1] for line in told] == [
        "POST /chosen/a HTTP/1.1",
        "GET /chosen/b HTTP/1.1",
        "GET /chosen/c HTTP/1.1",
    ]
    assert all(line.startswith("[2") for line in told)
    assert world.counted("waypoint-abc") == (before + 5, before + 5)


def test_an_expression_chooses_connections(bookinfo: Bookinfo) -> None:
    """Those that are copied by the Service's expression, those that failed by the waypoint's own."""
    world = bookinfo.world
    nobody = L4Policy("nobody", "bookinfo", "Namespace", "ALLOW", ())
    unknown = replace(bookinfo.waypoint, services=())
    for own, seen in (("false", False), ("true", True)):
        world.logs[WAYPOINT] = []
        with world.having(log_filters={TCP: own, OWN: own}, l4_policies={nobody.key: nobody}):
            assert world.call(bookinfo.curl, bookinfo.to_tcp).status == 0
        with world.having(log_filters={OWN: own}, waypoints={unknown.key: unknown}):
            assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 0
        soon = {"bookinfo/reviews": Destination(Policy(idle=0.05))}
        with world.having(log_filters={OWN: own}, destinations=soon):
            assert world.call(bookinfo.curl, bookinfo.to_reviews, "/well").status == 200
            time.sleep(0.3)  # the tunnel is over then
        assert not any(" connect_originate " in line and " UF" not in line for line in world.logs[WAYPOINT])
        within = 2.0 if seen else 0.3
        assert bool(world.logged(WAYPOINT, '"- - -" 0 ', "inbound-vip|9000|tcp|", within=within)) is seen
        assert bool(world.logged(WAYPOINT, '"- - -" 0 UF', "connect_originate - ", within=within)) is seen
        assert bool(world.logged(WAYPOINT, '"- - -" 0 NR filter_chain_not_found', within=within)) is seen
