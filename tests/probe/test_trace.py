"""What a dead run has changed where others live is given back once, never over what came after it."""

from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.probe import trace
from pytest_ambient.testing import FakeKube

KEY = ("apps/v1/Deployment", "istio-system", "istiod")
CHANGE: dict[str, Any] = {
    "kind": "apps/v1/Deployment", "name": "istiod", "namespace": "istio-system", "manager": "pytest-ambient",
    "created": False, "replaced": {"helm": {"spec": {"replicas": 1}}},
}  # fmt: skip


def istiod(replicas: int, *operations: str) -> FakeKube:
    """A mesh whose istiod wants so many pods, with so much of ours on it."""
    kube = FakeKube()
    managed = [{"manager": "pytest-ambient", "operation": operation} for operation in operations]
    meta: dict[str, Any] = {"name": "istiod", "namespace": "istio-system", "managedFields": managed}
    kube.objects[KEY] = {"metadata": meta, "spec": {"replicas": replicas}, "status": {"availableReplicas": 1}}
    return kube


def test_what_is_applied_still_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """And named; it is waited for no longer than it may take."""
    monkeypatch.setattr(trace, "RUNS_AGAIN", 0.1)
    kube = istiod(0, "Apply")
    assert trace.take_back(cast(Kube, kube), "r1", [CHANGE]) == ["Deployment istio-system/istiod"]
    assert kube.objects[KEY]["spec"]["replicas"] == 1


@pytest.mark.parametrize("operations", [(), ("Update",)])
def test_what_was_given_back_is_left_to_who_came_after(operations: tuple[str, ...]) -> None:
    """A value that nobody had owned leaves our name on it: that is no reason to write it again."""
    kube = istiod(3, *operations)
    assert trace.take_back(cast(Kube, kube), "r1", [CHANGE]) == []
    assert kube.objects[KEY]["spec"]["replicas"] == 3


def test_it_is_waited_for_until_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was given back."""
    asked: list[tuple[list[str], float]] = []
    monkeypatch.setattr(trace, "ready", lambda kube, items, within: asked.append(([*map(str, items)], within)))
    trace.take_back(cast(Kube, istiod(0, "Apply")), "r1", [CHANGE])
    trace.take_back(cast(Kube, istiod(1)), "r1", [CHANGE])
    assert asked == [(["Deployment istio-system/istiod"], trace.RUNS_AGAIN), ([], trace.RUNS_AGAIN)]
