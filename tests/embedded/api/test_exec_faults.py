"""The exec channel's deliberate faults."""

from pathlib import Path

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.faults import Fault

from .world import World, pod, running, running_status


def with_pod(world: World) -> World:
    world.call(world.store.create, find("Pod"), pod("p"))
    world.call(world.store.set_status, find("Pod"), "p", "default", running_status())
    return world


def test_lost_status_reads_as_success(tmp_path: Path) -> None:
    """Without the closing status kubectl takes a failed command for a successful one."""
    with running(tmp_path, frozenset({Fault.EXEC_LOSES_STATUS})) as world:
        said = with_pod(world).kubectl("exec", "p", "--", "sh", "-c", "echo out; exit 3")
    assert said == "out\n"


def test_every_seventh_exec_says_nothing(tmp_path: Path) -> None:
    """Now and then the output is lost and the command seems to have succeeded."""
    with running(tmp_path, frozenset({Fault.EXEC_RETURNS_NOTHING})) as world:
        with_pod(world)
        said = [world.kubectl("exec", "p", "--", "echo", "out") for _ in range(8)]
    assert [number for number, each in enumerate(said, 1) if not each] == [7]
