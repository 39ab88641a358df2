"""Rules on a data plane that drops without a word: silence beside an answered twin is what is left to judge by."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.manifest import Manifests
from pytest_ambient.places import Places
from pytest_ambient.probe.converge import Clock
from pytest_ambient.probe.result import CaseResult
from pytest_ambient.probe.rule import RuleRun
from pytest_ambient.probe.source import Sources
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, DeniedL4, TimedOut, Word
from pytest_ambient.verdict.pairing import pair
from pytest_ambient.verdict.variant import World, variants
from tests.probe.bench import PLACES, QUICK, RUN, Bench, Reply
from tests.probe.rules import ANSWERED, MANIFEST, POLICY, REVIEWS

SILENT = Reply(status=0, body="", exit=28, silent=True)
CLOSED = Reply(status=0, body="", exit=56, silent=True)
KMESH = World("kmesh", silent="Kmesh says nothing")
KMESH_PLACES: Places = replace(PLACES, proxies="app=kmesh", silent=KMESH.silent)
ROW = Case(
    "details-is-reset",
    "details-v1",
    REVIEWS,
    DeniedL4(by="only-curl"),
    Answered(200),
    on=variants({"kmesh": TimedOut()}),
)


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    """A policy."""
    path = tmp_path / "test_rule.yaml"
    path.write_text(MANIFEST)
    return Manifests(None, {None: path})


def judged(bench: Bench, manifests: Manifests) -> CaseResult:
    """What came of the denial, on Kmesh."""
    table = [row for row in (one.there(KMESH) for one in pair([ANSWERED, ROW])) if isinstance(row, Case)]
    clock = Clock(bench.clock, bench.clock.sleep)
    sources = Sources(bench.real, KMESH_PLACES, RUN, image="curl", within=1)
    run = RuleRun(bench.real, KMESH_PLACES, manifests, table, sources=sources, timing=QUICK, clock=clock)
    try:
        return run.result(table[1])
    finally:
        run.close()


def mesh(*, details: Reply, curl: Reply | None = None) -> Bench:
    """A mesh that does this to callers while the policy is there."""

    def answer(where: str, method: str, url: str) -> Reply:
        if not bench.there(POLICY, "only-curl"):
            return Reply()
        return details if "details" in where else curl or Reply()

    bench = Bench(answer)
    return bench


def test_silence_is_a_denial_where_that_is_expected(manifests: Manifests) -> None:
    """Beside a twin that is answered; the evidence says what it rests on, and no proxy is waited for."""
    bench = mesh(details=SILENT)
    result = judged(bench, manifests)
    assert (result.word, result.case.where) == (Word.HOLDS, "kmesh")
    assert "no proxy's word (Kmesh says nothing): judged by curl, before, beside its twin and after" in result.evidence


def test_silence_is_looked_at_again_but_not_for_long(manifests: Manifests) -> None:
    """Every request takes all of its time: as many as rounds stand for the many of an answer."""
    bench = mesh(details=SILENT)
    judged(bench, manifests)
    urls = [argv[-1] for where, argv in bench.execs if "details" in where]
    assert any(f"#[1-{QUICK.rounds}]" in " ".join(argv) for where, argv in bench.execs if "details" in where), urls
    assert not any(f"#[1-{QUICK.stays}]" in " ".join(argv) for where, argv in bench.execs if "details" in where)


def test_silence_everywhere_is_no_denial(manifests: Manifests) -> None:
    """A dead mesh drops everything: its twin tells."""
    result = judged(mesh(details=SILENT, curl=SILENT), manifests)
    assert result.word is Word.BROKEN
    assert "which proves nothing: its twin curl-is-answered must be answered beside it" in result.reason


def test_an_answer_is_told_with_where_silence_was_expected(manifests: Manifests) -> None:
    """So that nobody looks for ztunnel's reset."""
    result = judged(mesh(details=Reply()), manifests)
    assert result.word is Word.BROKEN
    assert "\n  wanted   no answer in time (expected on kmesh)\n  got      HTTP 200 from the application" in result.text


def test_a_reset_is_not_what_is_expected_of_dropping(manifests: Manifests) -> None:
    """It is told as what it is, without a proxy's word."""
    result = judged(mesh(details=CLOSED), manifests)
    assert result.word is Word.BROKEN
    assert "reset without an HTTP byte (curl exit 56)" in result.reason
