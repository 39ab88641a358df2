"""How containers end: the time that they are given, and what is said of them afterwards."""

import time
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.embedded.api.columns_pod import status as word
from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.kubelet.log import ContainerLog
from pytest_ambient.embedded.objects import Object

from .bench import POD, Bench, play
from .seen import reasons, state
from .specs import ECHO, container, pod

LINGERING = "trap 'echo asked; sleep 2.2; echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"
STUBBORN = "trap 'echo asked' TERM; echo up; while :; do sleep 0.05; done"


async def running(bench: Bench, script: str, **spec: Any) -> ContainerLog:
    """What the pod `shell` with that script writes, once it has begun to."""
    bench.store.create(POD, pod("shell", container("busybox", "sh", "-c", script), **spec))
    log = bench.kubelet.log(await bench.ready_pod("shell"), "main")
    await bench.until(lambda: log.lines)
    return log


def words(log: ContainerLog) -> list[str]:
    """Its lines."""
    return [each.text for each in log.lines]


def test_a_command_has_its_pods_grace_to_end_in(tmp_path: Path) -> None:
    """What handles SIGTERM may take as long as the pod says."""

    async def scenario(bench: Bench) -> None:
        log = await running(bench, LINGERING, terminationGracePeriodSeconds=10)
        bench.store.delete(POD, "shell", bench.space)
        await bench.gone(POD, "shell")
        assert words(log) == ["up", "asked", "bye"]

    play(tmp_path, scenario)


@pytest.mark.parametrize("graces", [(1,), (20, 1)])
def test_a_command_is_killed_after_the_grace_of_its_deletion(tmp_path: Path, graces: tuple[int, ...]) -> None:
    """The time of the deletion counts, not that of the pod, and a later deletion may shorten it."""

    async def scenario(bench: Bench) -> None:
        log = await running(bench, STUBBORN, terminationGracePeriodSeconds=30)
        began = time.monotonic()
        for each in graces:
            bench.store.delete(POD, "shell", bench.space, grace=each)
            await bench.until(lambda: "asked" in words(log))
        await bench.gone(POD, "shell")
        assert 0.9 < time.monotonic() - began < 1.8

    play(tmp_path, scenario)


def test_a_command_without_grace_is_not_asked(tmp_path: Path) -> None:
    """Of a pod that is deleted by force nothing is left to say a word."""

    async def scenario(bench: Bench) -> None:
        log = await running(bench, STUBBORN, terminationGracePeriodSeconds=30)
        bench.store.delete(POD, "shell", bench.space, grace=0)
        await bench.until(lambda: not any((tmp_path / "pods").iterdir()), 1)
        assert words(log) == ["up"]

    play(tmp_path, scenario)


def test_a_command_that_knows_no_term_ends_at_once(tmp_path: Path) -> None:
    """Whatever its pod's grace."""

    async def scenario(bench: Bench) -> None:
        await running(bench, "echo up; sleep 99", terminationGracePeriodSeconds=30)
        began = time.monotonic()
        bench.store.delete(POD, "shell", bench.space)
        await bench.gone(POD, "shell")
        assert time.monotonic() - began < 1

    play(tmp_path, scenario)


def test_the_clusters_end_waits_for_no_grace(tmp_path: Path) -> None:
    """Nor for that of a pod which is ending already."""

    began = list[float]()

    async def scenario(bench: Bench) -> None:
        log = await running(bench, STUBBORN, terminationGracePeriodSeconds=30)
        bench.store.delete(POD, "shell", bench.space)
        await bench.until(lambda: "asked" in words(log))
        began.append(time.monotonic())

    play(tmp_path, scenario)
    assert time.monotonic() - began[0] < 3


async def terminated(bench: Bench) -> Object:
    """How the pod's container ended."""
    found: Object = await bench.until(lambda: state(bench, "shell").get("state", {}).get("terminated"))
    return found


@pytest.mark.parametrize(
    ("script", "code"),
    [("trap 'exit 0' TERM; while :; do sleep 0.05; done", 0), (LINGERING, 7), (STUBBORN, 137), ("sleep 99", 143)],
)
def test_what_is_said_of_a_command_that_the_kubelet_ended(tmp_path: Path, script: str, code: int) -> None:
    """Its own exit code, or that of the signal which ended it; the pod past its deadline has failed all the same."""

    async def scenario(bench: Bench) -> None:
        spec: Any = {"restartPolicy": "Never", "activeDeadlineSeconds": 1, "terminationGracePeriodSeconds": 3}
        bench.store.create(POD, pod("shell", container("busybox", "sh", "-c", script), **spec))
        ended = await terminated(bench)
        assert (ended["exitCode"], ended["reason"]) == (code, "Error" if code else "Completed")
        status = bench.pods("shell")[0]["status"]
        assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("made", "event", "phase", "reason", "why"),
    [
        (container("busybox", "sh", "-c", "sleep 99"), "Started", "Failed", "Error", "PodFailed"),
        (ECHO, "Started", "Succeeded", "Completed", "PodCompleted"),
        (container("busybox", "sh", "-c", "exit 3"), "BackOff", "Failed", "Error", "PodFailed"),
        (container("nobody/knows", "x"), "Failed", "Failed", "ContainerStatusUnknown", "PodFailed"),
    ],
)
def test_a_pod_that_is_held_after_its_end(
    tmp_path: Path, made: Object, event: str, phase: str, reason: str, why: str
) -> None:
    """A finalizer keeps it, with the status of one whose containers have ended."""

    async def scenario(bench: Bench) -> None:
        held = pod("shell", made, terminationGracePeriodSeconds=5)
        held["metadata"]["finalizers"] = ["example.com/held"]
        bench.store.create(POD, held)
        await bench.until(lambda: event in reasons(bench, "shell"))
        bench.store.delete(POD, "shell", bench.space)
        await bench.until(lambda: bench.pods("shell")[0]["status"]["phase"] in ("Succeeded", "Failed"))
        status = bench.pods("shell")[0]["status"]
        assert (status["phase"], (await terminated(bench))["reason"]) == (phase, reason)
        assert word(bench.pods("shell")[0]) == reason
        told = {each["type"]: (each["status"], each.get("reason")) for each in status["conditions"]}
        assert told["Ready"] == told["ContainersReady"] == ("False", why)
        freed = copied(bench.pods("shell")[0])
        del freed["metadata"]["finalizers"]
        bench.store.replace(POD, freed)
        await bench.gone(POD, "shell")

    play(tmp_path, scenario)
