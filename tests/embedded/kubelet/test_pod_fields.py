"""Fields of a pod's spec that its node heeds, or says that it does not."""

import os
from pathlib import Path

import pytest

from pytest_ambient.embedded.objects import Object, name_of

from .bench import POD, Bench, is_ready, play
from .seen import EVENT, reasons
from .specs import CURL, container, pod

GATE = "example.com/ok"


def ready(bench: Bench) -> Object:
    """The Ready condition of the pod `curl`."""
    found = bench.pods("curl")[0]["status"].get("conditions") or ()
    return next((each for each in found if each["type"] == "Ready"), {})


def test_a_readiness_gate(tmp_path: Path) -> None:
    """A pod is Ready once the condition that it names holds, too; the kubelet leaves that condition to others."""

    async def scenario(bench: Bench) -> None:
        def tell(status: str) -> None:
            told = bench.pods("curl")[0]["status"]
            others = [each for each in told["conditions"] if each["type"] != GATE]
            state = {**told, "conditions": [*others, {"type": GATE, "status": status}]}
            bench.store.set_status(POD, "curl", bench.space, state)

        bench.store.create(POD, pod("curl", CURL, readinessGates=[{"conditionType": GATE}]))
        await bench.until(lambda: ready(bench).get("reason") == "ReadinessGatesNotReady")
        assert ready(bench)["message"] == f'corresponding condition of pod readiness gate "{GATE}" does not exist.'
        conditions = {each["type"]: each["status"] for each in bench.pods("curl")[0]["status"]["conditions"]}
        assert conditions["ContainersReady"] == "True"
        tell("False")
        await bench.until(
            lambda: ready(bench)["message"] == f'the status of pod readiness gate "{GATE}" is not "True", but False'
        )
        tell("True")
        await bench.until(lambda: is_ready(bench.pods("curl")[0]))
        assert bench.pods("curl")[0]["status"]["conditions"][-1] == {"type": GATE, "status": "True"}

    play(tmp_path, scenario)


def test_a_working_directory(tmp_path: Path) -> None:
    """`/tmp` is the pod's own: a container's command starts there, and so does what is run beside it."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("curl", container("busybox", "sh", "-c", "pwd; sleep 99", workingDir="/tmp")))
        made = await bench.ready_pod("curl")
        own = f"{tmp_path}/pods/{made['metadata']['uid']}/tmp"
        log = bench.kubelet.log(made, "main")
        await bench.until(lambda: log.lines)
        assert log.lines[0].text == own
        assert (await bench.run(made, "pwd"))[1] == f"{own}\n"
        assert "NoWorkingDir" not in reasons(bench, "curl")

    play(tmp_path, scenario)


@pytest.mark.parametrize("command", [("sh", "-c", "pwd; sleep 99"), ("sleep", "inf")])
def test_a_working_directory_that_is_not_there(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Commands start in the pod's own folder then, and an event says so."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("curl", container("busybox", *command, workingDir="/root")))
        made = await bench.ready_pod("curl")
        assert (await bench.run(made, "pwd"))[1] == f"{tmp_path}/pods/{made['metadata']['uid']}/home\n"
        events = [each for each in bench.store.list(EVENT, bench.space) if each["reason"] == "NoWorkingDir"]
        (told,) = [each["message"] for each in events if each["involvedObject"]["name"] == name_of(made)]
        assert told == "workingDir '/root' of container main is not there: its commands start in a folder of the pod"

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("whole", "own", "told"),
    [
        ({"runAsUser": 4242}, {}, "runAsUser 4242"),
        ({"runAsUser": 4242}, {"runAsUser": os.geteuid(), "runAsNonRoot": False}, ""),
        ({}, {"runAsUser": 4243, "runAsNonRoot": True}, "runAsUser 4243"),
        ({"runAsNonRoot": True}, {}, "" if os.geteuid() else "runAsNonRoot"),
        ({}, {}, ""),
    ],
)
def test_a_user_that_is_not_taken(tmp_path: Path, whole: Object, own: Object, told: str) -> None:
    """Commands run as the user of this machine; a pod that asks for another one is taken, and an event says so."""

    async def scenario(bench: Bench) -> None:
        running = container("busybox", "sh", "-c", "sleep 99", name="curl", securityContext=own)
        bench.store.create(POD, pod("curl", running, securityContext=whole))
        await bench.ready_pod("curl")
        events = [each["message"] for each in bench.store.list(EVENT, bench.space) if each["reason"] == "UserNotTaken"]
        text = f"{told} of container curl is not heeded: commands run as user {os.geteuid()} of this machine"
        assert events == ([text] if told else [])

    play(tmp_path, scenario)


@pytest.mark.parametrize("hook", ["postStart", "preStop"])
def test_a_hook_that_is_not_run(tmp_path: Path, hook: str) -> None:
    """The pod is taken, and an event says so."""

    async def scenario(bench: Bench) -> None:
        lifecycle = {hook: {"exec": {"command": ["true"]}}}
        bench.store.create(POD, pod("curl", CURL | {"lifecycle": lifecycle}))
        await bench.ready_pod("curl")
        events = [each["message"] for each in bench.store.list(EVENT, bench.space) if each["reason"] == "HookNotRun"]
        assert events == [f"{hook} of container curl is not run: embedded containers have no hooks"]

    play(tmp_path, scenario)
