"""R9 against a Kiali of our own making: green where it shows the mesh, red row by row where it does not."""

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from conformance.telemetry import test_kiali_graph as suite
from pytest_ambient.manifest import Manifests
from pytest_ambient.probe.converge import Clock
from pytest_ambient.probe.result import CaseResult
from pytest_ambient.probe.rule import RuleRun
from pytest_ambient.probe.source import Sources
from pytest_ambient.probe.timing import Timing
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Word
from tests.probe.bench import PLACES, RUN, Bench, Reply
from tests.verdict.kiali import BOOKINFO, WORKLOADS, Edge, graph, workloads

(MARK,) = [mark for mark in suite.test_kiali_graph.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]  # set by the mark
CASES: tuple[Case, ...] = tuple(param.values[0] for param in MARK.args[1])
ALL = {case.id for case in CASES}
VISITOR = ("apps/v1/Deployment", "visitor")
TIMING = Timing(witness=0.05, shortest=1, control=2, becomes=3, undo=2, rounds=3, stays=4, setup=0.01)

Shown = Callable[[float], Sequence[Edge]]
"""What is drawn so many seconds after the visitor came."""


def kiali(shown: Shown, listed: Sequence[tuple[str, str, str]] = WORKLOADS) -> Bench:
    """A bench whose Kiali draws nothing before there is a visitor."""
    since: list[float] = []

    def answer(where: str, method: str, url: str) -> Reply:
        parts = urlsplit(url)
        assert parts.netloc == "kiali.istio-system:20001"
        if parts.path == "/kiali/api/clusters/workloads":
            return Reply(body=workloads(listed))
        assert parts.path == "/kiali/api/namespaces/graph"
        assert parse_qs(parts.query)["namespaces"] == [PLACES.namespace]
        if not bench.there(*VISITOR):
            return Reply(body=graph([]))
        since.append(bench.clock.now) if not since else None
        return Reply(body=graph(shown(bench.clock.now - since[0])))

    bench = Bench(answer)
    apply = bench.kube.apply

    def applied(obj: dict[str, object], **more: object) -> dict[str, object]:
        ready = {"observedGeneration": 1, "availableReplicas": 1, "updatedReplicas": 1}
        return apply({**obj, "status": ready} if obj["kind"] == "Deployment" else obj, **more)  # type: ignore[arg-type]  # as given

    bench.kube.apply = applied  # type: ignore[method-assign]  # a double of a double
    return bench


def judged(bench: Bench) -> dict[str, CaseResult]:
    """What comes of every row; the waypoint of the set-up is taken as ready."""
    manifests = Manifests.beside(Path(suite.__file__))
    sources = Sources(bench.real, PLACES, RUN, image="curl", within=1)
    bare = Manifests(None, manifests.states)
    run = RuleRun(
        bench.real, PLACES, bare, CASES, sources=sources, timing=TIMING, clock=Clock(bench.clock, bench.clock.sleep)
    )
    try:
        return {case.id: run.result(case) for case in CASES}
    finally:
        run.close()


def red(results: dict[str, CaseResult]) -> dict[str, str]:
    """The rows that do not hold, with their reasons."""
    assert all(result.word in (Word.HOLDS, Word.BROKEN) for result in results.values())
    return {name: result.reason for name, result in results.items() if result.word is Word.BROKEN}


def test_every_row_holds_where_kiali_shows_the_mesh() -> None:
    """And the visitor is gone after it."""
    bench = kiali(lambda seconds: BOOKINFO)
    assert red(judged(bench)) == {}
    assert not bench.there(*VISITOR)


def test_what_is_shown_only_after_two_scrapes_is_waited_for() -> None:
    """Longer than the time-out `becomes` of this run, which is three seconds."""
    bench = kiali(lambda seconds: BOOKINFO if seconds > 45 else BOOKINFO[:1])
    results = judged(bench)
    assert red(results) == {}
    stable = results["productpage-calls-details"].stable_ms
    assert stable is not None
    assert stable > 45_000


def test_a_graph_that_stays_empty_turns_all_of_it_red() -> None:
    """After the rows' own deadline; what Kiali knows of workloads holds all the same."""
    bench = kiali(lambda seconds: [])
    results = judged(bench)
    assert set(red(results)) == {*ALL} - {"waypoint-is-known", "ztunnel-is-known"}
    late = results["reviews-calls-ratings"]
    assert late.reason == "a graph without traffic from reviews to ratings, and with no traffic at all"
    assert 115 < late.seconds < 130
    assert "wanted   Kiali's graph shows traffic from reviews to ratings" in late.text


@pytest.mark.parametrize(
    ("without", "rows"),
    [
        (0, {"visitor-calls-productpage"}),
        (1, {"productpage-calls-details", "details-is-called-over-mtls"}),
        (2, {"productpage-calls-reviews"}),
        (3, {"waypoint-is-called"}),
        (4, {"waypoint-calls-reviews"}),
        (5, {"reviews-calls-ratings", "ratings-is-called-over-mtls"}),
    ],
)
def test_each_edge_has_its_own_rows(without: int, rows: set[str]) -> None:
    """One edge missing is those rows red and no others."""
    shown = [edge for index, edge in enumerate(BOOKINFO) if index != without]
    assert set(red(judged(kiali(lambda seconds: shown)))) == rows


def test_plaintext_is_seen() -> None:
    """By the rows about mutual TLS alone."""
    shown = [(source, target, "0" if target == "ratings-v1" else share) for source, target, share in BOOKINFO]
    assert red(judged(kiali(lambda seconds: shown))) == {
        "ratings-is-called-over-mtls": "traffic from reviews to ratings of which 0 % is shown as mutual TLS"
    }


@pytest.mark.parametrize(("without", "rows"), [(0, {"ztunnel-is-known"}), (1, {"waypoint-is-known"}), (2, set())])
def test_each_workload_has_its_own_row(without: int, rows: set[str]) -> None:
    """One that Kiali does not list is that row red."""
    listed = [item for index, item in enumerate(WORKLOADS) if index != without]
    assert set(red(judged(kiali(lambda seconds: BOOKINFO, listed)))) == rows
