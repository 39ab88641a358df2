"""T5 against a Jaeger of our own making: green where it has the whole way, red row by row where it has not."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from conformance.telemetry import test_tracing as suite
from pytest_ambient.errors import NotFound
from pytest_ambient.manifest import Manifests
from pytest_ambient.probe.config import tracers_at_waypoint
from pytest_ambient.probe.converge import Clock
from pytest_ambient.probe.result import CaseResult
from pytest_ambient.probe.rule import RuleRun
from pytest_ambient.probe.source import Sources
from pytest_ambient.probe.spans import carrying, fresh
from pytest_ambient.probe.timing import Timing
from pytest_ambient.verdict.call import GET
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Word
from tests.probe.bench import PLACES, RUN, Bench, Reply, pod

(MARK,) = [mark for mark in suite.test_tracing.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]  # set by the mark
CASES: tuple[Case, ...] = tuple(param.values[0] for param in MARK.args[1])
TELEMETRY = ("telemetry.istio.io/v1/Telemetry", "waypoint-traces")
TIMING = Timing(witness=0.02, shortest=1, longest=10, control=2, becomes=3, undo=2, rounds=3, stays=4, spans=0.02)
NODE = "waypoint~10.0.0.1~traced-waypoint-x.shop~shop.svc.cluster.local"
WAY = ("productpage", "reviews", "ratings")
Shown = Callable[[str], Sequence[tuple[str, str, str]]]
"""The spans of a trace, each with a name, an identity and a parent's."""


def whole(trace: str) -> Sequence[tuple[str, str, str]]:
    """All that a healthy mesh sends."""
    return [(name, str(number), str(number - 1)) for number, name in enumerate(WAY, 1)]


def dump(*, told: bool = True) -> str:
    """The waypoint's configuration."""
    kind = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    manager = {"typed_config": {"@type": kind, "tracing": {"provider": {"name": "z"}} if told else {}}}
    chains = [
        {"name": f"inbound-vip|9080|http|{name}.shop.svc.cluster.local", "filters": [manager]}
        for name in (*WAY, "unasked")
    ]
    return json.dumps({"configs": [{"dynamic_listeners": [{"active_state": {"listener": {"filter_chains": chains}}}]}]})


def jaeger(shown: Shown, *, there: bool = True, told: bool = True) -> Bench:
    """A bench whose Jaeger has spans of every trace while the Telemetry is there."""
    bench = Bench(lambda where, method, url: Reply())
    keep = bench.kube.objects
    waypoint = pod("shop", "traced-waypoint-x", "traced-waypoint", "traced-waypoint")
    waypoint["metadata"]["labels"] = {"gateway.networking.k8s.io/gateway-name": "traced-waypoint"}
    keep["v1/Pod", "shop", "traced-waypoint-x"] = waypoint
    if there:
        running = pod("istio-system", "jaeger-1", "jaeger", "default")
        keep["v1/Pod", "istio-system", "jaeger-1"] = running | {"status": {"phase": "Running"}}
    bench.kube.pages["shop/traced-waypoint-x", "/config_dump"] = dump(told=told)
    pages = bench.kube.pod_http

    def page(namespace: str, pod: str, port: int, path: str, *, timeout: float = 10) -> str:
        if pod != "jaeger-1":
            return pages(namespace, pod, port, path)
        assert (namespace, port) == ("istio-system", 16686)
        trace = path.removeprefix("/jaeger/api/traces/")
        headers = [word for _, argv in bench.execs for word in argv]
        assert any(word.startswith(f"traceparent: 00-{trace}-") and word.endswith("-01") for word in headers)
        assert f"x-b3-traceid: {trace}" in headers
        spans = shown(trace) if bench.there(*TELEMETRY) else ()
        if not spans:
            raise NotFound(f"{path} answered 404: trace not found")
        return json.dumps({"data": [{"traceID": trace, "spans": [_span(*one) for one in spans]}]})

    bench.kube.pod_http = page  # type: ignore[method-assign]  # a double of a double
    return bench


def _span(service: str, identity: str, parent: str) -> dict[str, object]:
    return {
        "spanID": identity,
        "operationName": f"{service}.shop.svc.cluster.local:9080/*",
        "references": [{"refType": "CHILD_OF", "spanID": parent}],
        "tags": [{"key": "node_id", "type": "string", "value": NODE}, {"key": "upstream_cluster", "value": "c"}],
    }


def judged(bench: Bench) -> dict[str, CaseResult]:
    """What comes of every row; the waypoint of the set-up is taken as ready."""
    bare = Manifests(None, Manifests.beside(Path(suite.__file__)).states)
    sources = Sources(bench.real, PLACES, RUN, image="curl", within=1)
    clock = Clock(bench.clock, bench.clock.sleep)
    run = RuleRun(bench.real, PLACES, bare, CASES, sources=sources, timing=TIMING, clock=clock)
    try:
        return {case.id: run.result(case) for case in CASES}
    finally:
        run.close()


def test_every_row_holds_where_jaeger_has_the_whole_way() -> None:
    """Each request under a trace of its own, which is evidence."""
    traces: list[str] = []

    def shown(trace: str) -> Sequence[tuple[str, str, str]]:
        traces.append(trace)
        return whole(trace)

    bench = jaeger(shown)
    results = judged(bench)
    assert {result.word for result in results.values()} == {Word.HOLDS}
    assert len(set(traces)) == len(CASES) * TIMING.rounds
    trace, _, told = results["ratings-is-under-reviews"].evidence[0].partition(": ")
    assert trace.removeprefix("trace ") in traces
    assert told == ", ".join(f"{name}.shop.svc.cluster.local:9080/* by traced-waypoint-x.shop" for name in WAY)


@pytest.mark.parametrize(
    ("shown", "red"),
    [
        (lambda trace: whole(trace)[:2], {"ratings-is-under-reviews"}),
        (lambda trace: whole(trace)[:1], {"reviews-is-under-productpage", "ratings-is-under-reviews"}),
        (lambda trace: [(name, identity, "0") for name, identity, _ in whole(trace)],
         {"reviews-is-under-productpage", "ratings-is-under-reviews"}),
    ],
    ids=["reviews-hands-nothing-on", "productpage-hands-nothing-on", "waypoint-hands-nothing-on"],
)  # fmt: skip
def test_a_way_that_breaks_off_is_red(shown: Shown, red: set[str]) -> None:
    """From there on."""
    results = judged(jaeger(shown))
    assert {name for name, result in results.items() if result.word is Word.BROKEN} == red
    assert {name for name, result in results.items() if result.word is Word.HOLDS} == set(results) - red


@pytest.mark.parametrize(
    ("there", "told", "word", "reason"),
    [
        (True, False, Word.BROKEN, "Jaeger has no span of its trace, traced-waypoint is not told where to send them"),
        (True, True, Word.INCONCLUSIVE, "Jaeger has no span of its trace, traced-waypoint is told where to send them"),
        (False, True, Word.INCONCLUSIVE, "Jaeger could not be asked for its trace"),
    ],
)
def test_silence(there: bool, told: bool, word: Word, reason: str) -> None:
    """It is the mesh's where the waypoint's own configuration says so."""
    results = judged(jaeger(lambda trace: (), there=there, told=told))
    found = {(result.word, result.reason) for result in results.values()}
    assert found == {(word, f"HTTP 200 from the application; {reason}")}


def test_a_jaeger_that_talks_nonsense_proves_nothing() -> None:
    """Its answer is no trace."""
    bench = jaeger(whole)
    bench.kube.pod_http = lambda *where, **more: "<html>"  # type: ignore[method-assign]  # a double of a double
    assert {result.word for result in judged(bench).values()} == {Word.INCONCLUSIVE}


def test_a_trace_of_ones_own() -> None:
    """No two are alike, 128 bits each; the caller's own headers stay."""
    one, other = fresh(), fresh()
    assert (one != other, len(one), len(other)) == (True, 32, 32)
    sent = dict(carrying(GET("http://a/", headers={"x-a": "b"}), one).headers)
    assert (sent["x-a"], sent["x-b3-traceid"], sent["x-b3-sampled"]) == ("b", one, "1")
    assert sent["traceparent"] == f"00-{one}-{sent['x-b3-spanid']}-01"


def test_what_a_waypoint_is_told() -> None:
    """Of the Service's own chains alone; none for what it does not serve."""
    assert tracers_at_waypoint(json.loads(dump()), "reviews.shop.svc.") == [True]
    assert tracers_at_waypoint(json.loads(dump(told=False)), "reviews.shop.svc.") == [False]
    assert tracers_at_waypoint(json.loads(dump()), "views.shop.svc.") == []
    assert tracers_at_waypoint({}, "reviews.shop.svc.") == []
