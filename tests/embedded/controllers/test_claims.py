"""Pods and ReplicaSets change hands with their labels."""

from pathlib import Path

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object, labels_of, name_of

from ..kubelet.bench import DEPLOYMENT, POD, Bench, play
from ..kubelet.seen import complete
from ..kubelet.specs import CURL, deployment

SET = find("ReplicaSet", "apps")


def relabelled(bench: Bench, name: str, **labels: str) -> None:
    """Give a pod other labels, as `kubectl label --overwrite` does."""
    changed = copied(bench.store.get(POD, name, bench.space) or {})
    changed["metadata"]["labels"] |= labels
    bench.store.replace(POD, changed)


def owners(bench: Bench, name: str) -> list[str]:
    """The names of a pod's owners."""
    pod = bench.store.get(POD, name, bench.space) or {}
    return [each["name"] for each in pod.get("metadata", {}).get("ownerReferences") or ()]


def test_a_pod_that_no_longer_matches_is_let_go_and_replaced(tmp_path: Path) -> None:
    """It lives on without an owner beside its successor; taken back, it is one too many."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("curl", CURL))
        await bench.until(lambda: complete(bench, "curl"))
        alone = name_of(bench.pods("curl")[0])
        relabelled(bench, alone, app="alone")
        await bench.count("curl", 2)
        assert owners(bench, alone) == []
        await bench.until(lambda: complete(bench, "curl"))
        relabelled(bench, alone, app="curl")
        await bench.count("curl", 1)
        assert owners(bench, name_of(bench.pods("curl")[0])) == [name_of(bench.store.list(SET, bench.space)[0])]

    play(tmp_path, scenario)


def test_what_was_orphaned_is_taken_in_by_who_comes_next(tmp_path: Path) -> None:
    """A Deployment made again takes its ReplicaSet and pods back, as a ReplicaSet does its pods."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("curl", CURL, replicas=2))
        await bench.until(lambda: complete(bench, "curl"))
        names = {name_of(each) for each in bench.pods("curl")}
        name = name_of(bench.store.list(SET, bench.space)[0])
        bench.store.delete(SET, name, bench.space, propagation="Orphan")
        await bench.until(lambda: all(owners(bench, each) == [name] for each in names))
        bench.store.delete(DEPLOYMENT, "curl", bench.space, propagation="Orphan")
        assert not _set(bench, name)["metadata"].get("ownerReferences")
        bench.store.create(DEPLOYMENT, deployment("curl", CURL, replicas=2))
        await bench.until(lambda: complete(bench, "curl"))
        assert _set(bench, name)["metadata"]["ownerReferences"][0]["name"] == "curl"
        assert {name_of(each) for each in bench.pods("curl")} == names
        assert all(labels_of(each)["app"] == "curl" for each in bench.pods("curl"))

    play(tmp_path, scenario)


def _set(bench: Bench, name: str) -> Object:
    return bench.store.get(SET, name, bench.space) or {}
