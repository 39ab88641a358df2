"""What traffic meets while no istiod is there: pods of which nobody told, and pods that are gone."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pytest_ambient.embedded.dataplane import untold
from pytest_ambient.embedded.istiod.model import Endpoint, Identity, L4Match, Mesh, StringMatch, WaypointRef, Workload
from pytest_ambient.embedded.istiod.outage import held

from .conftest import Bookinfo
from .l4 import policy
from .world import World, eventually

CLOSED = (52, 56)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five seconds would be long here."""
    monkeypatch.setattr(untold, "WAIT", 0.2)


@contextmanager
def outage(world: World, now: Mesh) -> Iterator[None]:
    """While no istiod is there it becomes like that."""
    with world.having(**vars(held(now, world.mesh))):
        yield


def newcomer(world: World, name: str, *ports: int, captured: bool = True) -> tuple[Workload, Mesh]:
    """A pod of which the world's own mesh does not know, and the mesh with it."""
    before = world.mesh
    pod = world.pod(name, *ports, captured=captured)
    now, world.mesh = world.mesh, before
    return pod, now


def test_its_calls_and_those_to_it_are_taken_and_closed(bookinfo: Bookinfo) -> None:
    """Whoever calls, tunnelled or not; once it is told of all are answered."""
    world = bookinfo.world
    late, now = newcomer(world, "late-v1", 9080)
    to_it = f"http://{late.address}:9080/"
    with outage(world, now):
        assert world.plane.serves(late.address)
        assert world.plane.waits(late.address)
        taken = [world.call(late, each) for each in (bookinfo.to_details, bookinfo.to_reviews)]
        taken += [world.curl(late, f"http://{bookinfo.details.address}:9080/")]
        taken += [world.curl(each, to_it) for each in (bookinfo.curl, bookinfo.outside)]
        assert [(each.connected, each.exit in CLOSED) for each in taken] == [(True, True)] * 5
        assert world.call(bookinfo.curl, bookinfo.to_details).status == 200
    with world.having(workloads=now.workloads):
        assert not world.plane.waits(late.address)
        assert world.call(late, bookinfo.to_details).status == 200
        assert world.curl(bookinfo.curl, to_it).status == 200


def test_what_others_have_open_goes_on(bookinfo: Bookinfo) -> None:
    """A pod that comes, and is told of, ends no connection of theirs."""
    world, asked = bookinfo.world, b"GET / HTTP/1.1\r\nHost: details\r\n\r\n"
    _, now = newcomer(world, "later-v1", 9080)
    with socket.create_connection((bookinfo.to_details.vip, 9080), 4, (bookinfo.curl.address, 0)) as opened:
        for mesh in (world.mesh, held(now, world.mesh), now, world.mesh):
            world.push(mesh)
            opened.sendall(asked)
            assert opened.recv(4096).startswith(b"HTTP/1.1 200")


def test_ztunnel_says_of_whom_it_was_not_told(bookinfo: Bookinfo) -> None:
    """At either side of the connection; the caller's ztunnel has passed it on and knows no more than the address."""
    world = bookinfo.world
    late, now = newcomer(world, "lost-v1", 9080)
    with outage(world, now):
        world.curl(bookinfo.curl, f"http://{late.address}:15008/", host="10.0.0.9:9999")
        world.call(late, bookinfo.to_details)
    why = 'error="failed to fetch information about local workload: lost.bookinfo (lost-v1-abc)"'
    log = "istio-system/ztunnel-abc"
    assert "\twarn\t" in world.logged(log, f"dst.addr={late.address}:9999", 'direction="inbound"', why)[0]
    (passed,) = world.logged(log, f"dst.addr={late.address}:9999", 'direction="outbound"', "bytes_recv=0")
    assert "dst.workload" not in passed
    details = f"dst.addr={bookinfo.to_details.vip}:9080"
    assert "src.workload" not in world.logged(log, f"src.addr={late.address}", details, 'direction="outbound"', why)[0]


def test_only_callers_without_a_ztunnel_are_led_to_it(bookinfo: Bookinfo) -> None:
    """Nodes know that it is behind a Service; ztunnels go on with the pods of before."""
    world = bookinfo.world
    late, now = newcomer(world, "next-v1", 9080)
    details = bookinfo.to_details
    replaced = replace(details, endpoints=(Endpoint(late.uid, {9080: 9080}),))
    now = replace(now, services={**now.services, details.key: replaced})
    with outage(world, now):
        assert world.call(bookinfo.outside, details).exit in CLOSED
        assert world.call(bookinfo.curl, details).pod == "details-v1"


def test_a_new_pod_without_a_ztunnel_goes_where_it_will(bookinfo: Bookinfo) -> None:
    """Nobody has to be told of it."""
    world = bookinfo.world
    plain, now = newcomer(world, "plain-v1", 9080, captured=False)
    with outage(world, now):
        assert world.call(plain, bookinfo.to_details).status == 200
        assert world.curl(bookinfo.curl, f"http://{plain.address}:9080/").pod == "plain-v1"


def test_ztunnels_go_on_with_a_pod_that_is_gone(bookinfo: Bookinfo) -> None:
    """Whoever it was replaced by is called by those without a ztunnel alone; all others, waypoints too, fail."""
    world = bookinfo.world
    plain, there = newcomer(world, "after-v1", 9080, captured=False)
    gone = {bookinfo.details.uid, *(each.uid for each in bookinfo.reviews)}
    services = dict(there.services)
    for each in (bookinfo.to_details, bookinfo.to_reviews):
        services[each.key] = replace(each, endpoints=(Endpoint(plain.uid, {9080: 9080}),))
    left = {uid: each for uid, each in there.workloads.items() if uid not in gone}
    with outage(world, replace(there, workloads=left, services=services)):
        failed = world.call(bookinfo.curl, bookinfo.to_details)
        assert failed.exit in CLOSED
        # its tunnels stay open for a moment, and here its program lives on
        assert eventually(lambda: world.call(bookinfo.curl, bookinfo.to_reviews).status == 503)
        (said,) = world.logged("istio-system/ztunnel-abc", f"src.addr={bookinfo.curl.address}:{failed.port} ")
        assert 'dst.workload="details-v1-abc"' in said
        assert said.endswith('error="connection failed: No route to host (os error 113)"')
        assert not world.plane.serves(bookinfo.details.address)
        assert world.curl(bookinfo.outside, f"http://{bookinfo.details.address}:9080/").exit == 7
        for each in (bookinfo.to_details, bookinfo.to_reviews):
            assert world.call(bookinfo.outside, each).pod == "after-v1"
        assert world.call(bookinfo.curl, bookinfo.to_echo).status == 200
    assert world.call(bookinfo.curl, bookinfo.to_details).status == 200


def test_a_new_service_is_passed_on_and_led_to_its_pods(bookinfo: Bookinfo) -> None:
    """Past the waypoint and without an identity, as nobody told ztunnel what it is; STRICT refuses that."""
    world, before = bookinfo.world, bookinfo.world.mesh
    fresh = world.service("fresh", bookinfo.details, waypoint=WaypointRef("bookinfo", "waypoint"))
    empty = world.service("empty")
    now, world.mesh = world.mesh, before
    with outage(world, now):
        for each in (bookinfo.curl, bookinfo.outside):
            assert world.call(each, fresh).pod == "details-v1"
        log, inside = "istio-system/ztunnel-abc", f"src.addr={bookinfo.curl.address}:"
        (said,) = world.logged(log, inside, f"dst.addr={fresh.vip}:9080", 'direction="outbound"')
        assert "dst.service" not in said
        assert "src.identity" not in world.logged(log, inside, "dst.addr=" + bookinfo.details.address, "inbound")[-1]
        assert world.call(bookinfo.curl, empty).exit in CLOSED
        refused = f"dst.addr={empty.vip}:9080", "connection failed: Connection refused (os error 111)"
        assert world.logged(log, inside, *refused, 'direction="outbound"')
    strict = policy("DENY", L4Match(not_principals=(StringMatch("presence"),)))
    with world.having(**vars(held(now, replace(before, l4_policies=strict)))):
        assert world.call(bookinfo.curl, fresh).exit in CLOSED
        assert world.call(bookinfo.curl, bookinfo.to_details).status == 200


def test_a_waypoint_that_starts_meanwhile_is_not_ready(bookinfo: Bookinfo) -> None:
    """It waits for its first configuration."""
    world = bookinfo.world
    with outage(world, world.mesh):
        address = world.addresses.pods.take()
        new = ("waypoint-def", "bookinfo")
        world.run(world.plane.start_waypoint(*new, address, Identity("bookinfo", "waypoint")))
        world.push(held(replace(world.mesh, localities={"node-1": ("r", "z", "")}), world.mesh))
        assert not world.plane.proxy_serves(*new)
        assert world.plane.proxy_serves("waypoint-abc", "bookinfo")
    assert world.plane.proxy_serves(*new)
    world.run(world.plane.stop_waypoint(*new))
