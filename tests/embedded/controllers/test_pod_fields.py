"""Fields of a pod that decide whether it is taken, and whether it is ever put on a node."""

from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.embedded.api.columns_pod import status as word
from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.objects import Object

from ..kubelet.bench import POD, Bench, play
from ..kubelet.seen import reasons
from ..kubelet.specs import CURL, pod


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        ({"priorityClassName": "nope"}, 'pods "curl" is forbidden: no PriorityClass with name nope was found'),
        ({"runtimeClassName": "foo"}, 'pods "curl" is forbidden: pod rejected: RuntimeClass "foo" not found'),
    ],
)
def test_refused_by_name(tmp_path: Path, spec: Object, refusal: str) -> None:
    """What is not there or would not be acted on is refused at creation."""

    async def scenario(bench: Bench) -> None:
        made = pod("curl", CURL)
        made["spec"] |= spec
        with pytest.raises(ApiError) as refused:
            bench.store.create(POD, made)
        assert refused.value.message == refusal

    play(tmp_path, scenario)


@pytest.mark.parametrize("name", ["system-cluster-critical", "system-node-critical"])
def test_the_systems_priorities(tmp_path: Path, name: str) -> None:
    """They are there in every cluster."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("curl", CURL, priorityClassName=name))
        await bench.ready_pod("curl")

    play(tmp_path, scenario)


async def passed_over(bench: Bench) -> Object:
    """The pod `curl` once another one, made after it, runs."""
    bench.store.create(POD, pod("other", CURL))
    await bench.ready_pod("other")
    return bench.pods("curl")[0]


@pytest.mark.parametrize("spec", [{"schedulerName": "mine"}, {"nodeName": "nowhere"}])
def test_nobodys_pod(tmp_path: Path, spec: dict[str, Any]) -> None:
    """A pod of another scheduler, or of a node that is not there, stays pending, without a word, and can be deleted."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("curl", CURL, **spec))
        left = await passed_over(bench)
        assert (left["status"]["phase"], left["spec"].get("nodeName")) == ("Pending", spec.get("nodeName"))
        assert (left["status"].get("conditions"), reasons(bench, "curl")) == (None, [])
        bench.store.delete(POD, "curl", bench.space)
        await bench.gone(POD, "curl")

    play(tmp_path, scenario)


def test_a_gated_pod(tmp_path: Path) -> None:
    """It waits, and says so, until the last gate is removed."""

    async def scenario(bench: Bench) -> None:
        gates = [{"name": "example.com/one"}, {"name": "example.com/two"}]
        bench.store.create(POD, pod("curl", CURL, schedulingGates=gates))
        while gates:
            left = await passed_over(bench)
            (told,) = left["status"]["conditions"]
            assert (left["status"]["phase"], word(left)) == ("Pending", "SchedulingGated")
            assert (told["type"], told["status"], told["reason"]) == ("PodScheduled", "False", "SchedulingGated")
            assert told["message"] == "Scheduling is blocked due to non-empty scheduling gates"
            gates.pop()
            opened = copied(left)
            opened["spec"]["schedulingGates"] = list(gates)
            bench.store.replace(POD, opened)
            bench.store.delete(POD, "other", bench.space, grace=0)
        await bench.ready_pod("curl")

    play(tmp_path, scenario)
