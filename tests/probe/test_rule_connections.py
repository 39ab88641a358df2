"""Connections that are open when a manifest comes, against a mesh of doubles."""

import time
from pathlib import Path

import pytest

from pytest_ambient.manifest import Manifests
from pytest_ambient.verdict import outlives
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, DeniedL4, Outlives, Word
from pytest_ambient.verdict.pairing import pair
from tests.probe.bench import Bench, Reply
from tests.probe.rules import ANSWERED, MANIFEST, POLICY, REVIEWS, bench_of, enforced, judged

SLOW = "http://reviews:9080/delay/6"
OUTLIVES = Outlives(SLOW, DeniedL4(by="only-curl"))


@pytest.fixture
def manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifests:
    """A rule with one manifest, and no need to watch for a second."""
    monkeypatch.setattr(outlives, "AFTER", 0.05)
    (tmp_path / "test_rule.yaml").write_text(MANIFEST)
    return Manifests.beside(tmp_path / "test_rule.py")


def kept(where: str, bench: Bench, *, cut: bool = False) -> Reply:
    """A mesh that denies new connections, and ends those that are open or does not."""
    for _ in range(100):
        if bench.there(POLICY, "only-curl"):
            break
        time.sleep(0.01)
    time.sleep(0.2)
    return Reply(status=0, body="", exit=52, seconds=5.0) if cut else Reply(seconds=5.0)


@pytest.mark.parametrize(
    ("cut", "word", "reason"),
    [(False, Word.HOLDS, ""), (True, Word.BROKEN, "the connection opened before: connected, then closed without")],
)
def test_a_connection_is_opened_before_and_watched(manifests: Manifests, cut: bool, word: Word, reason: str) -> None:
    """It is opened before the apply, and its end is judged beside the denial of new ones."""
    bench = bench_of()
    bench.answer = lambda where, _, url: kept(where, bench, cut=cut) if url == SLOW else enforced(where, bench)
    case = Case("open-one-goes-on", "details-v1", REVIEWS, OUTLIVES, Answered(200))
    table = pair([ANSWERED, case])
    (result,) = judged(bench, manifests, table[1], selected=table)
    assert (result.word, result.reason.startswith(reason)) == (word, True)
    assert sum(SLOW in argv for _, argv in bench.execs) == 1


def test_where_new_connections_are_let_in_it_is_broken(manifests: Manifests) -> None:
    """A policy that denies nobody says nothing about open connections."""
    case = Case("open-one-goes-on", "details-v1", REVIEWS, OUTLIVES, Answered(200))
    table = pair([ANSWERED, case])
    (result,) = judged(bench_of(lambda where, bench: Reply()), manifests, table[1], selected=table)
    assert (result.word, result.reason) == (Word.BROKEN, "HTTP 200 from the application")
