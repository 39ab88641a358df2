"""What a run gives its lanes: Bookinfos of their own, and none where they would not help."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_ambient import _ahead, _asking, _kube, _probing
from pytest_ambient.places import Places

from .conftest import ROW, WITHIN, B, Bench


def test_a_lane_has_namespaces_of_its_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside those of the run, with a client of its own that is closed at the end; the run says what it was told."""
    seen: list[object] = []

    def bookinfo(kube: object, places: Places, *words: Any) -> object:
        seen.append(places.ours)
        words[-1]("a Bookinfo")
        return SimpleNamespace(curl="curl")

    @contextmanager
    def probes(*words: object) -> Iterator[object]:
        yield SimpleNamespace(cluster="cluster", number=2)

    monkeypatch.setattr(_kube, "Kube", lambda *words: SimpleNamespace(close=lambda: seen.append("closed")))
    monkeypatch.setattr(_probing, "bookinfo", bookinfo)
    monkeypatch.setattr(_asking, "probes", probes)
    run = SimpleNamespace(id="r1", say=bench.told.append, role="alone")
    cluster = SimpleNamespace(kubeconfig="kubeconfig", context="context")
    ours = SimpleNamespace(places=Places("a", "a-other", "a-outside"), cluster=cluster, run=run)
    with _ahead.lanes(cast(Any, ours), cast(Any, None), cast(Any, SimpleNamespace(side_by_side=2))) as lanes:
        assert lanes is not None
        lanes.begin([(B, [ROW])])
        assert bench.began.wait(WITHIN)
    assert seen == [("a-2", "a-2-other", "a-2-outside"), "closed"]
    assert bench.told == ["a Bookinfo"]


@pytest.mark.parametrize(("role", "side_by_side"), [("worker", 2), ("alone", 1)])
def test_nobody_is_beside_a_worker_or_one_lane(role: str, side_by_side: int) -> None:
    """A worker knows of no module but the one that it was dealt."""
    ours = SimpleNamespace(run=SimpleNamespace(role=role))
    settings = SimpleNamespace(side_by_side=side_by_side)
    with _ahead.lanes(cast(Any, ours), cast(Any, None), cast(Any, settings)) as lanes:
        assert lanes is None
