"""What the mesh does with a fault of the data plane switched on."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pytest_ambient.embedded.faults import WOULD_DENY, Fault
from pytest_ambient.embedded.istiod.model import L4Match, Operation, Source, StringMatch

from .conftest import Bookinfo, bookinfo_in
from .l4 import CURL, ZTUNNEL, policy, refused
from .test_waypoint import WAYPOINT
from .test_waypoint_policy import policy as l7_policy
from .test_waypoint_policy import rule
from .world import World

Start = Callable[[Fault], Bookinfo]


@contextmanager
def broken(fault: Fault) -> Iterator[Bookinfo]:
    """A mesh with that fault."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        world = World(Path(folder), frozenset({fault}))
        try:
            yield bookinfo_in(world)
        finally:
            world.close()


@pytest.fixture(scope="module")
def meshes() -> Iterator[Start]:
    """Starts a mesh with a fault, each once."""
    with ExitStack() as stack:
        started: dict[Fault, Bookinfo] = {}

        def start(fault: Fault) -> Bookinfo:
            if fault not in started:
                started[fault] = stack.enter_context(broken(fault))
            return started[fault]

        yield start


def test_unavailable_at_ztunnel(meshes: Start) -> None:
    """Whom a policy would deny is cut off as before, but no ztunnel speaks of a policy; the others are answered."""
    bookinfo = meshes(Fault.UNAVAILABLE_NOT_DENIED)
    world = bookinfo.world
    only = L4Match(principals=(StringMatch("exact", "cluster.local/ns/bookinfo/sa/reviews"),))
    with world.having(l4_policies=policy("ALLOW", only)):
        assert refused(world.call(bookinfo.curl, bookinfo.to_details))
        assert refused(world.call(bookinfo.outside, bookinfo.to_details))
        assert world.call(bookinfo.reviews[0], bookinfo.to_details).status == 200
    with world.having(l4_policies=policy("DENY", L4Match(principals=(CURL,)))):
        assert refused(world.call(bookinfo.curl, bookinfo.to_details))
    assert world.logged(ZTUNNEL, 'direction="outbound"', 'error="http status: 503 Service Unavailable"')
    assert world.logged(ZTUNNEL, f"src.addr={bookinfo.outside.address}", 'error="connection failed: ')
    assert not [line for line in world.logs[ZTUNNEL] if "policy rejection" in line]


def test_unavailable_at_waypoint(meshes: Start) -> None:
    """Whom a policy would deny gets a 503 for want of a backend, and the log names no policy."""
    bookinfo = meshes(Fault.UNAVAILABLE_NOT_DENIED)
    world = bookinfo.world
    only_get = l7_policy(rule(None, Operation(methods=("GET",))))
    with world.having(service_policies={"bookinfo/reviews": (only_get,)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        reply = world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-X", "POST")
    assert (reply.status, reply.body) == (503, "no healthy upstream")
    assert world.logged(WAYPOINT, '"POST / HTTP/1.1" 503 ')
    assert not [line for line in world.logs[WAYPOINT] if "rbac" in line]


def test_application_makes_403(meshes: Start) -> None:
    """The waypoint denies nobody; it points out to the application whom it should deny, and nobody else can."""
    bookinfo = meshes(Fault.APPLICATION_MAKES_403)
    world = bookinfo.world
    name, denied = WOULD_DENY
    only_curl = l7_policy(rule(Source(principals=("cluster.local/ns/bookinfo/sa/curl",))))
    with world.having(service_policies={"bookinfo/reviews": (only_curl,)}):
        told = world.call(bookinfo.details, bookinfo.to_reviews)
        untold = world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-H", f"{name}: {denied}")
    assert (told.status, json.loads(told.body)["headers"][name]) == (200, denied)
    assert (untold.status, name in json.loads(untold.body)["headers"]) == (200, False)


def test_plaintext_not_hbone(meshes: Start) -> None:
    """Captured pods talk plaintext: answered, but without tunnel, identity or waypoint, and STRICT refuses them."""
    bookinfo = meshes(Fault.PLAINTEXT_NOT_HBONE)
    world = bookinfo.world
    reply = world.call(bookinfo.curl, bookinfo.to_details)
    assert reply.pod == "details-v1"
    (line,) = world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:{reply.port} ")
    assert "identity" not in line
    assert "hbone" not in line
    assert "server" not in world.call(bookinfo.curl, bookinfo.to_reviews).headers
    strict = policy("DENY", L4Match(not_principals=(StringMatch("presence"),)))
    with world.having(l4_policies=strict):
        assert refused(world.call(bookinfo.curl, bookinfo.to_details))


def test_the_same_mesh_without_fault(bookinfo: Bookinfo) -> None:
    """What these tests do gives the mesh's own verdict when nothing is broken."""
    world = bookinfo.world
    only_get = l7_policy(rule(None, Operation(methods=("GET",))))
    with world.having(service_policies={"bookinfo/reviews": (only_get,)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-X", "POST").status == 403
    strict = policy("DENY", L4Match(not_principals=(StringMatch("presence"),)))
    with world.having(l4_policies=strict):
        assert world.call(bookinfo.curl, bookinfo.to_details).status == 200
