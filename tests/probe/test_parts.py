"""Rules that replace several parts of a mesh: one by one, and so on the way back; what never comes to run is told."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.manifest import Manifests
from pytest_ambient.testing import merged
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, Word
from tests.probe.bench import QUICK, Bench, Reply
from tests.probe.rules import REVIEWS, bench_of, judged

PART = """\
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: {name}, namespace: istio-system}}
spec: {{template: {{metadata: {{annotations: {{version: new}}}}}}}}
"""
PARTS = ("agents", "tunnels")
SERVED = Answered(200)
STILL = Case("is-answered", "curl", REVIEWS, SERVED, SERVED, unchanged=True, scope="mesh")
ROLLED = {"observedGeneration": 2, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1}


class Parts:
    """Two DaemonSets that take some looks to replace their pods; `never` does not come to run."""

    def __init__(self, folder: Path, never: str = "", answer: Reply | None = None) -> None:
        (folder / "test_rule.yaml").write_text("".join(PART.format(name=name) for name in PARTS))
        self.manifests = Manifests.beside(folder / "test_rule.py")
        self.bench: Bench = bench_of(self._answer)
        self.story: list[str] = []
        self._reply, self._never, self._looks = answer or Reply(), never, dict.fromkeys(PARTS, 0)
        kube = self.bench.kube
        for name in PARTS:
            kube.objects["apps/v1/DaemonSet", "istio-system", name] = {
                "metadata": {"name": name, "namespace": "istio-system", "generation": 2},
                "spec": {"template": {"metadata": {"annotations": {"version": "old"}}}},
                "status": ROLLED,
            }
        self._get, self._apply, self._patch = kube.get, kube.apply, kube.patch
        kube.get, kube.apply, kube.patch = self.get, self.apply, self.patch  # type: ignore[assignment, method-assign]  # doubles

    def judged(self) -> Any:
        """What came of the only case."""
        (found,) = judged(self.bench, self.manifests, STILL, selected=(STILL,), timing=replace(QUICK, setup=0.3))
        return found

    @property
    def new(self) -> bool:
        """Whether both parts are of the new version."""
        return all(self.version(name) == "new" for name in PARTS)

    def version(self, name: str) -> object:
        """What a part's pods are to be."""
        item = self.bench.kube.objects["apps/v1/DaemonSet", "istio-system", name]
        return item["spec"]["template"]["metadata"]["annotations"].get("version")

    def _answer(self, where: str, bench: Bench) -> Reply:
        return self._reply if self.new else Reply()

    def _changed(self, name: str) -> None:
        self._looks[name] = 0
        self.story.append(f"{name} {self.version(name)}")

    def apply(self, obj: dict[str, Any], **how: Any) -> dict[str, Any]:
        """As the API does it; it takes some looks until that runs."""
        found = self._apply(obj, **how)
        if obj.get("spec"):
            self._changed(obj["metadata"]["name"])
        return found

    def patch(self, kind: str, name: str, namespace: str | None, body: Any, **how: Any) -> dict[str, Any]:
        """Likewise."""
        found = self._patch(kind, name, namespace, body, **how)
        self._changed(name)
        return found

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The part as it is at this look."""
        found = self._get(kind, name, namespace)
        if found is None or name not in PARTS:
            return found
        self._looks[name] += 1
        runs = self._looks[name] > 3 and not (name == self._never and self.version(name) == "new")
        if runs and self._looks[name] == 4 and self.story:
            self.story.append(f"{name} runs {self.version(name)}")
        return found if runs else merged(found, {"status": {"updatedNumberScheduled": 0}})


def test_each_part_runs_before_the_next_ones_turn_comes(tmp_path: Path) -> None:
    """In the manifest's order, and in the other one on the way back."""
    parts = Parts(tmp_path)
    assert parts.judged().word is Word.HOLDS
    assert parts.story == [
        "agents new", "agents runs new", "tunnels new", "tunnels runs new",
        "tunnels old", "tunnels runs old", "agents old", "agents runs old",
    ]  # fmt: skip


@pytest.mark.parametrize(("never", "changed"), [("agents", 1), ("tunnels", 2)])
def test_a_part_that_never_runs_proves_nothing(tmp_path: Path, never: str, changed: int) -> None:
    """Old pods that serve on are no new version that holds; no other part is changed after it, and all is put back."""
    parts = Parts(tmp_path, never)
    found = parts.judged()
    assert found.word is Word.INCONCLUSIVE
    when = r"not within 0\.3 s \(.* s\); last: 0 of 1 updatedNumberScheduled"
    words = rf"DaemonSet istio-system/{never} to be ready: {when}: it never ran as the rule needs it; "
    assert re.fullmatch(f"{words}--ambient-timeout=setup=SECONDS gives it longer", found.reason)
    assert [line for line in parts.story if line.endswith(" new") and "runs" not in line] == [
        f"{name} new" for name in PARTS[:changed]
    ]
    assert {parts.version(name) for name in PARTS} == {"old"}


def test_what_breaks_meanwhile_is_broken_all_the_same(tmp_path: Path) -> None:
    """An answer that must not come is none the better for a part that does not run."""
    parts = Parts(tmp_path, "tunnels", Reply(status=500))
    assert parts.judged().word is Word.BROKEN


def test_what_breaks_for_want_of_an_image_proves_nothing(tmp_path: Path) -> None:
    """A node that gets no image is no broken promise, whatever is answered meanwhile; the reason names the pod."""
    parts = Parts(tmp_path, "tunnels", Reply(status=500))
    daemons = parts.bench.kube.objects["apps/v1/DaemonSet", "istio-system", "tunnels"]
    daemons["spec"]["selector"] = {"matchLabels": {"app": "tunnels"}}
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}}
    parts.bench.kube.objects["v1/Pod", "istio-system", "tunnels-x"] = {
        "metadata": {"name": "tunnels-x", "namespace": "istio-system", "labels": {"app": "tunnels"}},
        "spec": {},
        "status": {"containerStatuses": [{"name": "c", "image": "hub/p:1", "state": waiting}]},
    }
    found = parts.judged()
    assert found.word is Word.INCONCLUSIVE
    assert "; pod istio-system/tunnels-x does not get image hub/p:1: it never ran as the rule needs it" in found.reason
