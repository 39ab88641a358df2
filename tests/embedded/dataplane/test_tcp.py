"""Real connections through a waypoint that are not known to be HTTP: TCPRoutes, and ports that say nothing."""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pytest_ambient.embedded.istiod.model import (
    Backend,
    L7Policy,
    L7Rule,
    Mesh,
    Operation,
    Route,
    RouteMatch,
    RouteRule,
    Service,
    Workload,
)

from .conftest import Bookinfo

WAYPOINT = "bookinfo/waypoint-abc"
V1, V2 = Backend("bookinfo/reviews-v1", 9080), Backend("bookinfo/reviews-v2", 9080)
NOBODY = Backend(None, 9080, missing="nosuch.bookinfo.svc.cluster.local")


@contextmanager
def routed(bookinfo: Bookinfo, *backends: Backend, port: int | None = None, sniffed: bool = False) -> Iterator[Mesh]:
    """The mesh with a TCPRoute on Service tcp, whose port says what it speaks or does not."""
    service = bookinfo.to_tcp
    if sniffed:
        service = replace(service, ports=(replace(service.ports[0], protocol="HTTP", sniffed=True),))
    route = Route("r", "bookinfo", "", port, (RouteRule((RouteMatch(),), backends),), tcp=True)
    services = {**bookinfo.world.mesh.services, service.key: service}
    with bookinfo.world.having(routes={"bookinfo/tcp": (route,)} if backends else {}, services=services) as mesh:
        yield mesh


def said(source: Workload, service: Service, data: bytes) -> bytes:
    """The first bytes that come back, none when the connection is closed."""
    with socket.create_connection(
        (service.vip, service.ports[0].port), timeout=4, source_address=(source.address, 0)
    ) as connection:
        connection.sendall(data)
        try:
            return connection.recv(4096)
        except ConnectionResetError:
            return b""


def test_a_route_chooses_the_backend(bookinfo: Bookinfo) -> None:
    """One backend gets all, whatever else has weight 0; a route for another port none."""
    world = bookinfo.world
    with routed(bookinfo, V1, replace(V2, weight=0)):
        assert {world.call(bookinfo.curl, bookinfo.to_tcp).pod for _ in range(8)} == {"reviews-v1"}
    assert world.logged(WAYPOINT, '"- - -" 0 - - -', "outbound|9080||reviews-v1.bookinfo.svc.cluster.local")
    with routed(bookinfo, V2, port=9000):
        assert world.call(bookinfo.curl, bookinfo.to_tcp).pod == "reviews-v2"
    with routed(bookinfo, V2, port=9001):
        assert world.call(bookinfo.curl, bookinfo.to_tcp).pod == "details-v1"


def test_weights_are_the_shares_of_connections(bookinfo: Bookinfo) -> None:
    """Each connection goes to one of the backends; a share for one that is not there is hung up on."""
    world = bookinfo.world
    with routed(bookinfo, replace(V1, weight=3), replace(V2, weight=1)):
        found = Counter(world.call(bookinfo.curl, bookinfo.to_tcp).pod for _ in range(60))
    assert found["reviews-v1"] > found["reviews-v2"] > 0
    with routed(bookinfo, V1, NOBODY):
        statuses = {world.call(bookinfo.curl, bookinfo.to_tcp).status for _ in range(30)}
    assert statuses == {0, 200}


@pytest.mark.parametrize("backends", [(NOBODY,), (replace(V1, weight=0), replace(V2, weight=0))])
def test_nowhere_to_go(bookinfo: Bookinfo, backends: tuple[Backend, ...]) -> None:
    """A backend that is not there, and no weight at all, end the connection without a byte."""
    with routed(bookinfo, *backends):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_tcp)
    assert reply.exit in (52, 56)
    assert reply.connected
    assert bookinfo.world.logged(WAYPOINT, '"- - -" 0 NC ')


def test_connections_show_what_they_are(bookinfo: Bookinfo) -> None:
    """On a port that says nothing requests are requests; the rest is copied, and a TCPRoute is for the rest alone."""
    world = bookinfo.world
    with routed(bookinfo, V2, sniffed=True):
        reply = world.call(bookinfo.curl, bookinfo.to_tcp, "/seen")
        assert (reply.pod, reply.headers["server"]) == ("details-v1", "istio-envoy")
        assert b'"reviews-v2"' in said(bookinfo.curl, bookinfo.to_tcp, b"GETS / x\r\n\r\n")
    assert world.logged(WAYPOINT, '"GET /seen HTTP/1.1" 200')
    assert world.logged(WAYPOINT, '"- - -" 0 - - -', "outbound|9080||reviews-v2")


def test_policies_hold_for_what_connections_are(bookinfo: Bookinfo) -> None:
    """A DENY by method reads the method where there is one, and denies what has none."""
    world = bookinfo.world
    no_post = L7Policy("no-post", "bookinfo", "DENY", (L7Rule((), (Operation(methods=("POST",)),), ()),))
    with (
        routed(bookinfo, sniffed=True) as mesh,
        world.having(services=mesh.services, service_policies={"bookinfo/tcp": (no_post,)}),
    ):
        assert world.call(bookinfo.curl, bookinfo.to_tcp).status == 200
        assert world.call(bookinfo.curl, bookinfo.to_tcp, "/", "-X", "POST").status == 403
        assert said(bookinfo.curl, bookinfo.to_tcp, b"anything else\r\n\r\n") == b""
