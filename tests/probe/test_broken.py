"""Rules that break something that was there: given back and running again, also when they are interrupted."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient import stuck
from pytest_ambient.errors import NotInTime
from pytest_ambient.manifest import Manifests
from pytest_ambient.probe.result import CaseResult
from pytest_ambient.testing import ManualClock
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, DeniedL4, Steady, Word
from pytest_ambient.verdict.pairing import pair
from tests.probe.bench import DENIED, QUICK, Bench, Reply
from tests.probe.rules import REVIEWS, bench_of, judged

AWAY = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: istiod
  namespace: ${ISTIOD_NAMESPACE}
spec:
  replicas: 0
"""
SERVED, REFUSED = Answered(200), DeniedL4(by="only-curl")
GOES_ON = Case("goes-on", "curl", REVIEWS, Steady(SERVED), SERVED, scope="mesh")
NEVER = Case("never-passes", "details-v1", REVIEWS, Steady(REFUSED), REFUSED, scope="mesh", twin="goes-on")
STILL = Case("is-answered", "curl", REVIEWS, SERVED, SERVED, unchanged=True, scope="mesh")
TABLE = pair([STILL, GOES_ON, NEVER])
STEPS = 20
KEY = ("apps/v1/Deployment", "istio-system", "istiod")


class Gradual(ManualClock):
    """A clock that lets time pass bit by bit: a jump between two batches of a stream would be seen by none of them."""

    def sleep(self, seconds: float) -> None:
        """Let that time pass, and the streams have their turns."""
        for _ in range(STEPS):
            super().sleep(seconds / STEPS)
            time.sleep(0.002)


@dataclass
class World:
    """A mesh with an istiod, and the rule that takes it away."""

    bench: Bench
    manifests: Manifests

    @property
    def replicas(self) -> object:
        """How many istiods are wanted."""
        return self.bench.kube.objects[KEY]["spec"]["replicas"]

    def judged(self, *cases: Case, streams: bool = True) -> list[CaseResult]:
        """What comes of the cases."""
        return judged(self.bench, self.manifests, *cases, selected=TABLE if streams else cases)


def world(folder: Path, answer: Callable[[str, Bench], Reply]) -> World:
    """A mesh that answers so."""
    (folder / "test_rule.yaml").write_text(AWAY)
    bench = bench_of(answer)
    bench.clock = Gradual()
    fields: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
    managed = [{"manager": "helm", "operation": "Update", "fieldsV1": fields}]
    status = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
    meta: dict[str, Any] = {"name": "istiod", "namespace": "istio-system", "managedFields": managed}
    bench.kube.objects[KEY] = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"replicas": 1}, "status": status,
    }  # fmt: skip
    return World(bench, Manifests.beside(folder / "test_rule.py"))


def enforced(where: str, bench: Bench) -> Reply:
    """Only details is refused, istiod or not."""
    return DENIED if "details" in where else Reply()


def away(bench: Bench) -> bool:
    """Whether no istiod is wanted now."""
    return bool(bench.kube.objects[KEY]["spec"]["replicas"] == 0)


def test_streams_run_before_meanwhile_and_after(tmp_path: Path) -> None:
    """Their numbers are in the result and its evidence; what was taken away is there again."""
    seen: set[bool] = set()

    def answer(where: str, bench: Bench) -> Reply:
        if threading.current_thread().name == "ambient-goes-on":
            seen.add(away(bench))
        elif away(bench):
            time.sleep(0.05)
        return enforced(where, bench)

    here = world(tmp_path, answer)
    still, going, never = here.judged(*TABLE)
    assert [one.word for one in (still, going, never)] == [Word.HOLDS] * 3, going.text + never.text
    assert still.stream is None
    assert going.stream is not None
    assert going.stream.good == going.stream.requests >= 30
    assert (going.phase, going.attempts) == ("throughout", going.stream.requests)
    assert going.evidence[0].startswith("stream: ")
    assert seen == {True, False}
    assert here.replicas == 1


def test_a_denied_call_that_passes_once_is_broken(tmp_path: Path) -> None:
    """Even where the ordinary probes see nothing of it."""
    passed = threading.Event()

    def answer(where: str, bench: Bench) -> Reply:
        if away(bench) and "details" in where:
            passed.set()
            return Reply()
        if away(bench) and threading.current_thread().name.startswith("ambient-probe"):
            passed.wait(5)  # no time passes here: the stream must have its turn
        return enforced(where, bench)

    here = world(tmp_path, answer)
    going, never = here.judged(GOES_ON, *(one for one in TABLE if one.id == "never-passes"))
    assert (going.word, never.word) == (Word.HOLDS, Word.BROKEN)
    assert "requests let through, the first at +" in never.reason
    assert "  wanted   all the time: denied at L4" in never.text
    assert " requests in " in never.text.splitlines()[2]
    assert "  said     stream: " in never.text


def test_what_somebody_changes_back_proves_nothing(tmp_path: Path) -> None:
    """An operator that puts istiod back meanwhile: neither held nor broken, and told who."""

    def operator(where: str, bench: Bench) -> Reply:
        if away(bench):
            bench.kube.objects[KEY]["spec"]["replicas"] = 1
        return enforced(where, bench)

    (still,) = world(tmp_path, operator).judged(STILL)
    assert still.word is Word.INCONCLUSIVE
    assert still.reason.startswith("helm changed spec.replicas of Deployment istio-system/istiod back meanwhile")


@pytest.mark.parametrize("how", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interruption_gives_everything_back(tmp_path: Path, how: type[BaseException]) -> None:
    """Wherever it comes: the value is the old one, and it is waited for until it runs as before."""

    def interrupt(where: str, bench: Bench) -> Reply:
        if away(bench):
            raise how
        return enforced(where, bench)

    here = world(tmp_path, interrupt)
    asked: list[object] = []
    get = here.bench.kube.get

    def noted(kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        if (kind, name) == ("apps/v1/Deployment", "istiod"):
            asked.append(here.replicas)
        return get(kind, name, namespace)

    here.bench.kube.get = noted  # type: ignore[method-assign]  # a double
    with pytest.raises(how):
        here.judged(STILL, streams=False)
    assert here.replicas == 1
    assert asked[-1] == 1  # looked at again after it was given back


def test_pods_that_end_their_work_are_waited_for(tmp_path: Path) -> None:
    """A Deployment without replicas is not away before its last pod is."""
    here = world(tmp_path, enforced)
    here.bench.kube.objects[KEY]["spec"]["selector"] = {"matchLabels": {"app": "istiod"}}
    pod = {"metadata": {"name": "istiod-x", "namespace": "istio-system", "labels": {"app": "istiod"}}, "spec": {}}
    key = ("v1/Pod", "istio-system", "istiod-x")
    here.bench.kube.objects[key] = pod
    counted: list[int] = []
    listing = here.bench.kube.list

    def noted(kind: str, *rest: Any, **more: Any) -> list[dict[str, Any]]:
        if (rest, more) == (("istio-system",), {"labels": "app=istiod"}):
            counted.append(len(counted))
            if len(counted) > 2:
                here.bench.kube.objects.pop(key, None)
        return listing(kind, *rest, **more)

    here.bench.kube.list = noted  # type: ignore[method-assign]  # a double
    (still,) = here.judged(STILL, streams=False)
    assert still.word is Word.HOLDS
    assert len(counted) >= 3


UNPULLED = """\
apiVersion: v1
kind: Pod
metadata:
  name: unpulled
  namespace: ${NAMESPACE}
spec:
  containers: []
"""


def test_a_pod_of_a_rule_that_gets_no_image_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has broken a promise: the rule ends with what helps as soon as that is known, and is undone."""
    monkeypatch.setattr(stuck, "PULLED_WITHIN", 0.1)
    (tmp_path / "test_rule.yaml").write_text(UNPULLED)
    bench = bench_of(lambda where, bench: Reply())
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}
    read = bench.kube.get

    def get(kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        found = read(kind, name, namespace)
        if found is not None and name == "unpulled":
            found["status"] = {"containerStatuses": [{"name": "c", "image": "hub/p:1", "state": waiting}]}
        return found

    bench.kube.get = get  # type: ignore[method-assign]  # as the kubelet would say
    words = (
        r"^Pod shop/unpulled to be ready: gave up waiting \(.* s\); last: pod shop/unpulled does not get image hub/p:1 "
        r"for \d+ s: ErrImagePull: no such host: take images from a mirror with --ambient-hub, or bring this one "
        "to the nodes$"
    )
    with pytest.raises(NotInTime, match=words):
        judged(bench, Manifests.beside(tmp_path / "test_rule.py"), STILL, timing=replace(QUICK, setup=5))
    assert "unpulled" not in str(sorted(bench.kube.objects))
