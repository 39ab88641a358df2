"""Waypoints whose Envoy does not take what istiod made of a route: they go on with what they had, and say so."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from pytest_ambient.embedded.dataplane.encoding import Unwritable
from pytest_ambient.embedded.dataplane.envoy import Envoy
from pytest_ambient.embedded.dataplane.resources import Resources
from pytest_ambient.embedded.istiod.model import Backend, Identity, Route, RouteMatch, RouteRule, WaypointRef

from .world import World

BOTH = ("bookinfo/details", "bookinfo/reviews")
REJECTED = "listener.v3.Listener rejected: Error adding/updating listener(s) main_internal: missing ]: ["


@pytest.fixture
def world() -> Iterator[World]:
    """Two Services, each with a waypoint."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        made = World(Path(folder))
        try:
            made.pod("curl")
            for name in ("details", "reviews"):
                made.service(name, made.pod(f"{name}-v1", 9080), waypoint=WaypointRef("bookinfo", name))
                made.waypoint(name, services=(f"bookinfo/{name}",))
            made.push()
            yield made
        finally:
            made.close()


def only(path: str) -> dict[str, Any]:
    """Routes that let a path that is like that through, to either Service."""
    match = RouteMatch(path, "RegularExpression")
    rules = {key: RouteRule((match,), (Backend(key, 9080),)) for key in BOTH}
    return {key: (Route("r", "bookinfo", "", None, (rule,)),) for key, rule in rules.items()}


def seen(world: World, name: str) -> list[int]:
    """The statuses of /a and /b."""
    curl = next(each for each in world.mesh.workloads.values() if each.name == "curl-abc")
    return [world.call(curl, world.mesh.services[f"bookinfo/{name}"], path).status for path in ("/a", "/b")]


def test_a_refused_route_leaves_what_was(world: World) -> None:
    """Of that waypoint; others follow, and a route that is mended is followed at once."""
    with world.having(routes=only("/a")):
        assert seen(world, "details") == seen(world, "reviews") == [200, 404]
        bad = {**only("/b"), "bookinfo/details": only("/[")["bookinfo/details"]}
        with world.having(routes=bad):
            assert seen(world, "details") == [200, 404]
            assert seen(world, "reviews") == [404, 200]
            (line,) = world.logged("bookinfo/details-abc", "envoy config", REJECTED)
            assert line.split("\t")[1] == "warning"
            assert world.logged("bookinfo/reviews-abc", REJECTED, within=0) == []
        with world.having(routes=only("/b")):
            assert seen(world, "details") == [404, 200]


def test_a_waypoint_that_never_took_anything_does_not_serve(world: World) -> None:
    """It runs, says why, and serves as soon as it can."""
    plane, pod = world.plane, ("details-new", "bookinfo")
    with world.having(routes=only("/[")):
        world.run(plane.start_waypoint(*pod, world.addresses.pods.take(), Identity("bookinfo", "details")))
        assert not plane.proxy_serves(*pod)
        assert plane.proxy_serves("details-abc", "bookinfo")
        assert len(world.logged("bookinfo/details-new", REJECTED)) == 1
        world.push(replace(world.mesh, routes=only("/[") | {"bookinfo/reviews": ()}))  # nothing that concerns it
        assert not plane.proxy_serves(*pod)
    assert plane.proxy_serves(*pod)
    world.run(plane.stop_waypoint(*pod))
    assert not plane.proxy_serves(*pod)


def test_one_that_can_not_be_written_keeps_no_other_from_following(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error comes when all others have followed: nothing goes on behind the back of whoever pushes next."""
    followed = []

    async def apply(envoy: Envoy, resources: Resources) -> None:
        if any("|details." in each["name"] for each in resources.clusters):
            raise Unwritable("details")
        await asyncio.sleep(0.05)
        followed.append(envoy)

    with monkeypatch.context() as patched:
        patched.setattr(Envoy, "apply", apply)
        with pytest.raises(Unwritable, match="details"):
            world.push()
        assert len(followed) == 2, "ztunnel and the waypoint of reviews"
