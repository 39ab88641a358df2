"""Which node takes a pod, and what is said when none does."""

from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.controllers.fitting import NOTHING, SPREAD, fits, obstacle, refusal, requests, used
from pytest_ambient.embedded.objects import Object
from pytest_ambient.embedded.quantities import quantity

from ..kubelet.bench import POD, Bench, play
from ..kubelet.specs import CURL, pod

NODE = find("Node")


def node(**spec: Any) -> Object:
    """A node with two processors and a gibibyte."""
    status = {"allocatable": {"cpu": "2", "memory": "1Gi"}}
    return {"metadata": {"name": "n", "labels": {"disk": "ssd"}}, "spec": spec, "status": status}


def asking(**asked: str) -> Object:
    """A container that asks for so much."""
    return {"resources": {"requests": asked}}


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), ("250m", 0.25), ("1Ki", 1024), ("3Mi", 3 * 1024**2), ("1G", 1e9), ("1.5Gi", 1.5 * 1024**3), ("x", 0)],
)
def test_quantities(text: str, number: float) -> None:
    """Units are powers of 1000 or, with an i, of 1024."""
    assert quantity(text) == number


@pytest.mark.parametrize(
    ("spec", "place", "reason", "lasting"),
    [
        ({}, node(unschedulable=True), "node(s) were unschedulable", True),
        (
            {}, node(taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}]),
            "node(s) had untolerated taint {k: v}", True,
        ),
        ({"nodeSelector": {"disk": "hdd"}}, node(), "node(s) didn't match Pod's node affinity/selector", True),
        ({"containers": [asking(cpu="1500m"), asking(cpu="1")]}, node(), "Insufficient cpu", False),
        ({"containers": [asking(memory="2Gi")]}, node(), "Insufficient memory", False),
    ],
)  # fmt: skip
def test_obstacles(spec: Object, place: Object, reason: str, lasting: bool) -> None:
    """Each in the scheduler's words, and whether other pods could make room."""
    found = obstacle(spec, place, NOTHING)
    assert found is not None
    assert (found.reasons, found.lasting) == ((reason,), lasting)


def test_what_others_ask_for_is_taken() -> None:
    """Pods that have ended ask for nothing any more; a container that comes first asks beside no other."""
    spec = {"initContainers": [asking(cpu="2")], "containers": [asking(cpu="1")], "nodeName": "n"}
    assert requests(spec)["cpu"] == 2
    running, ended = {"spec": spec}, {"spec": spec, "status": {"phase": "Failed"}}
    assert used([running, ended])["n"]["cpu"] == 2
    assert obstacle({"containers": [asking(cpu="1")]}, node(), used([running])["n"])
    assert obstacle({"containers": [asking(cpu="1")]}, node(), used([ended]).get("n", NOTHING)) is None
    cordoned = node(unschedulable=True)
    assert fits({}, cordoned)
    tolerates = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]
    assert obstacle({"tolerations": tolerates}, cordoned, NOTHING) is None


def test_refusal() -> None:
    """Reasons are counted, and whether preemption would help is told for each node."""
    cordoned, full = (obstacle(spec, each, NOTHING) for spec, each in (
        ({}, node(unschedulable=True)), ({"containers": [asking(cpu="9", memory="9Gi")]}, node()),
    ))  # fmt: skip
    assert cordoned
    assert full
    assert refusal(3, [cordoned, full, full]) == (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu, 2 Insufficient memory. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )
    assert refusal(1, [SPREAD]).startswith("0/1 nodes are available: 1 node(s) didn't match pod topology spread")


def test_a_cordoned_node_gets_no_pods(tmp_path: Path) -> None:
    """Until it is uncordoned; a pod that waits for that is bound then."""

    async def scenario(bench: Bench) -> None:
        for each in bench.store.list(NODE):
            closed = copied(each)
            closed["spec"]["unschedulable"] = True
            bench.store.replace(NODE, closed)
        bench.store.create(POD, pod("waits", CURL))
        await bench.until(lambda: bool(bench.pods("waits")[0].get("status", {}).get("conditions")))
        told = bench.pods("waits")[0]["status"]["conditions"][0]["message"]
        assert told.startswith("0/1 nodes are available: 1 node(s) were unschedulable.")
        for each in bench.store.list(NODE):
            open_ = copied(each)
            del open_["spec"]["unschedulable"]
            bench.store.replace(NODE, open_)
        await bench.ready_pod("waits")

    play(tmp_path, scenario)
