"""What is kept of the templates of DaemonSets and StatefulSets."""

from pathlib import Path

import pytest

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object, annotations_of, labels_of, name_of

from ..kubelet.bench import Bench, play
from ..kubelet.specs import CURL

REVISION = find("ControllerRevision", "apps")


def template(number: int) -> Object:
    """The pod template of that round."""
    meta = {"labels": {"app": "x"}, "annotations": {"round": str(number)}}
    return {"metadata": meta, "spec": {"containers": [CURL], "terminationGracePeriodSeconds": 0}}


def kept(bench: Bench) -> dict[int, str]:
    """Of each revision its number and the round of its template."""
    found = bench.store.list(REVISION, bench.space)
    return {each["revision"]: annotations_of(each["data"]["spec"]["template"])["round"] for each in found}


@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet"])
def test_templates_are_kept_and_gone_back_to(tmp_path: Path, kind: str) -> None:
    """Each has a number; going back makes the old one the newest; the oldest go beyond the limit."""
    resource = find(kind, "apps")

    async def scenario(bench: Bench) -> None:
        spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template(1), "revisionHistoryLimit": 1}
        meta = {"name": "x", "namespace": bench.space, "annotations": {"kubernetes.io/change-cause": "first"}}
        made = bench.store.create(resource, {"metadata": meta, "spec": spec})
        await bench.until(lambda: kept(bench) == {1: "1"})
        (first,) = bench.store.list(REVISION, bench.space)
        assert name_of(first).startswith("x-")
        assert labels_of(first)["app"] == "x"
        assert annotations_of(first)["kubernetes.io/change-cause"] == "first"
        assert first["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]

        def change(new: Object) -> None:
            current = copied(bench.store.get(resource, "x", bench.space) or {})
            bench.store.replace(resource, current | {"spec": current["spec"] | {"template": new}})

        change(template(2))
        await bench.until(lambda: kept(bench) == {1: "1", 2: "2"})
        change(template(1))
        await bench.until(lambda: kept(bench) == {2: "2", 3: "1"})
        change(template(4))
        await bench.until(lambda: kept(bench) == {3: "1", 4: "4"})
        bench.store.delete(resource, "x", bench.space)
        await bench.until(lambda: not kept(bench))

    play(tmp_path, scenario)
