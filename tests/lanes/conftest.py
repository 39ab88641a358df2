"""Rules without a cluster, for lanes to judge."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_ambient import GET, Answered, _asking, _halt, case
from pytest_ambient._lanes import Lanes
from pytest_ambient.verdict.case import Case

ROW = case("it-is-answered", "curl", GET("http://reviews:9080/"), Answered(200), unchanged=True)
A, B, C = (Path(f"test_{name}.py") for name in "abc")
WITHIN = 60.0
"""Seconds that a test waits for another thread before it fails."""


class Bench:
    """Rules that remember who judged them, and fail or wait where they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.judged: list[tuple[str, str]] = []
        self.back: list[str] = []
        self.told: list[str] = []
        self.closed: list[int] = []
        self.missing: BaseException | None = None
        self.fails: dict[Path, BaseException] = {}
        self.stays: dict[Path, BaseException] = {}
        self.waits: dict[Path, threading.Event] = {}
        self.busy: Exception | None = None
        self.began = threading.Event()
        monkeypatch.setattr(_asking, "rule", self._rule)
        monkeypatch.setattr(_asking, "turn", self._turn)

    def lanes(self, number: int = 1) -> Lanes:
        """Lanes over these rules."""
        return Lanes(cast(Any, self._open), number, self.told.append)

    @contextmanager
    def _open(self, number: int) -> Iterator[object]:
        if self.missing is not None:
            raise self.missing
        yield SimpleNamespace(cluster="cluster", number=number)
        self.closed.append(number)

    @contextmanager
    def _turn(self, cluster: object, *, alone: bool) -> Iterator[None]:
        assert (cluster, alone) == ("cluster", False)
        if self.busy is not None:
            self.began.set()
            raise self.busy
        yield

    def result(self, module: Path, row: Case) -> str:
        """Judge a case of a module."""
        self.began.set()
        if module in self.waits:
            while not self.waits[module].is_set():
                _halt.sleep(0.01)
        self.judged.append((module.stem, row.id))
        if module in self.fails:
            raise self.fails[module]
        return row.id

    @contextmanager
    def _rule(self, ours: Any, module: Path, selected: Sequence[Case]) -> Iterator[object]:
        try:
            yield SimpleNamespace(result=partial(self.result, module), lane=ours.number)
        finally:
            self.back.append(module.stem)
        if module in self.stays:
            raise self.stays[module]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Rules without a cluster."""
    return Bench(monkeypatch)
