"""The arithmetic of a rollout, step by step."""

import pytest

from pytest_ambient.embedded.controllers.rollout import Limits, recreating, rolling
from pytest_ambient.embedded.objects import Object


def replicas(name: str, size: int, available: int) -> Object:
    """A ReplicaSet of some size."""
    return {"metadata": {"name": name}, "spec": {"replicas": size}, "status": {"availableReplicas": available}}


@pytest.mark.parametrize(
    ("count", "rolling_update", "surge", "unavailable"),
    [
        (1, {}, 1, 0), (4, {}, 1, 1), (10, {}, 3, 2), (3, {"maxSurge": 0, "maxUnavailable": 1}, 0, 1),
        (3, {"maxSurge": 0, "maxUnavailable": 0}, 0, 1), (4, {"maxSurge": "100%", "maxUnavailable": "50%"}, 4, 2),
    ],
)  # fmt: skip
def test_limits(count: int, rolling_update: Object, surge: int, unavailable: int) -> None:
    """Percentages round up for the surge and down for what may be missing; both zero is one missing."""
    spec = {"replicas": count, "strategy": {"rollingUpdate": rolling_update}}
    assert Limits.of(spec) == Limits(count, surge, unavailable)


@pytest.mark.parametrize(
    ("limits", "new", "old", "sizes"),
    [
        (Limits(1, 1, 0), (0, 0), (0, 0), {"new": 1, "old": 0}),
        (Limits(1, 1, 0), (0, 0), (1, 1), {"new": 1, "old": 1}),
        (Limits(1, 1, 0), (1, 0), (1, 1), {"new": 1, "old": 1}),
        (Limits(1, 1, 0), (1, 1), (1, 1), {"new": 1, "old": 0}),
        (Limits(4, 1, 1), (0, 0), (4, 4), {"new": 1, "old": 4}),
        (Limits(4, 1, 1), (1, 0), (4, 4), {"new": 1, "old": 3}),
        (Limits(4, 1, 1), (1, 1), (4, 4), {"new": 1, "old": 2}),
        (Limits(1, 1, 0), (1, 0), (1, 0), {"new": 1, "old": 1}),
        (Limits(1, 1, 0), (1, 1), (1, 0), {"new": 1, "old": 0}),
        (Limits(3, 0, 1), (0, 0), (3, 3), {"new": 0, "old": 2}),
        (Limits(3, 0, 1), (0, 0), (2, 2), {"new": 1, "old": 2}),
        (Limits(2, 1, 0), (5, 5), (0, 0), {"new": 2, "old": 0}),
    ],
)
def test_rolling(limits: Limits, new: tuple[int, int], old: tuple[int, int], sizes: dict[str, int]) -> None:
    """New pods come as far as the surge allows; old ones go as far as enough stay available."""
    assert rolling(limits, replicas("new", *new), [replicas("old", *old)]) == sizes


def test_useless_pods_go_first() -> None:
    """Old pods that serve nobody are given up before those that do."""
    sizes = rolling(Limits(2, 1, 0), replicas("new", 1, 1), [replicas("a", 1, 1), replicas("b", 1, 0)])
    assert sizes == {"new": 1, "a": 1, "b": 0}


def test_recreating() -> None:
    """With strategy Recreate the new pods wait until the last old one has gone."""
    new, old = replicas("new", 0, 0), replicas("old", 2, 2)
    limits = Limits(2, 1, 0)
    assert recreating(limits, new, [old], pods_left=True) == {"new": 0, "old": 0}
    assert recreating(limits, new, [old], pods_left=False) == {"new": 2, "old": 0}
