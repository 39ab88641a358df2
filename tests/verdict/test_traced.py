"""What Jaeger must have of a request's trace, and the words for what it has in its place."""

from dataclasses import replace

import pytest

from pytest_ambient.table import case
from pytest_ambient.verdict.call import GET
from pytest_ambient.verdict.expectation import Answered, Traced, Word, judge
from pytest_ambient.verdict.outcome import Outcome, Span, Spans

PROXY = "traced-waypoint-7d9c-x.shop"
SUFFIX = "shop.svc.cluster.local:9080/*"
PAGE = Span("1", "0", f"productpage.{SUFFIX}", PROXY)
REVIEWS = Span("2", "1", f"reviews.{SUFFIX}", PROXY)
RATINGS = Span("3", "2", f"ratings.{SUFFIX}", PROXY)
ALL = Spans("abc", (RATINGS, PAGE, REVIEWS))


def traced(service: str, under: str | None = None) -> Traced:
    """The expectation, its namespace filled in."""
    return Traced(service, "traced-waypoint", under, namespace="shop", root="istio-system")


def outcome(spans: Spans | None) -> Outcome:
    """An answer with that trace."""
    return Outcome(0, 200, connect_ms=1.0, spans=spans)


@pytest.mark.parametrize(
    "expected",
    [traced("productpage"), traced("reviews", "productpage"), traced("ratings", "reviews"),
     traced("ratings", "productpage")],
    ids=str,
)  # fmt: skip
def test_a_way_that_is_told_holds(expected: Traced) -> None:
    """One below the other, directly or through others."""
    assert judge(expected, outcome(ALL)).word is Word.HOLDS


def test_a_span_is_known_by_its_cluster_too() -> None:
    """Where a route gives it a name of its own."""
    named = replace(PAGE, operation="canary", cluster="inbound-vip|9080|http|productpage.shop.svc.cluster.local")
    assert judge(traced("productpage"), outcome(Spans("a", (named,)))).word is Word.HOLDS


@pytest.mark.parametrize(
    ("expected", "spans", "reason"),
    [
        (
            traced("reviews"),
            (PAGE,),
            f"no span of traced-waypoint tells of a call to reviews, but there are productpage.{SUFFIX} by {PROXY}",
        ),
        (
            traced("reviews"),
            (replace(REVIEWS, proxy="traced-waypoint-7d9c-x.other"), replace(REVIEWS, proxy="other-waypoint-1.shop")),
            f"no span of traced-waypoint tells of a call to reviews, but there are reviews.{SUFFIX} by "
            f"traced-waypoint-7d9c-x.other, reviews.{SUFFIX} by other-waypoint-1.shop",
        ),
        (
            traced("reviews"),
            tuple(Span(str(n), "", f"op{n}", "") for n in range(8)),
            "no span of traced-waypoint tells of a call to reviews, but there are op0 by no proxy, op1 by no proxy, "
            "op2 by no proxy, op3 by no proxy, op4 by no proxy, op5 by no proxy and 2 more",
        ),
        (
            traced("ratings", "productpage"),
            (PAGE, replace(RATINGS, parent="0")),
            "the span of ratings hangs on none of productpage, but on no span that is there",
        ),
        (
            traced("ratings", "productpage"),
            (PAGE, replace(REVIEWS, parent="3"), RATINGS),
            f"the span of ratings hangs on none of productpage, but on reviews.{SUFFIX} by {PROXY}",
        ),
    ],
    ids=["missing", "by-others", "many", "orphan", "circle"],
)
def test_what_is_missing_is_told_with_what_is_there(expected: Traced, spans: tuple[Span, ...], reason: str) -> None:
    """Where some spans came, the others are missing."""
    judgement = judge(expected, outcome(Spans("a", spans, traces=None)))
    assert (judgement.word, judgement.reason) == (Word.BROKEN, f"HTTP 200 from the application; {reason}")


@pytest.mark.parametrize(
    ("spans", "word", "reason"),
    [
        (None, Word.INCONCLUSIVE, "Jaeger could not be asked for its trace"),
        (Spans("a"), Word.INCONCLUSIVE, "Jaeger has no span of its trace"),
        (
            Spans("a", traces=True),
            Word.INCONCLUSIVE,
            "Jaeger has no span of its trace, traced-waypoint is told where to send them",
        ),
        (
            Spans("a", traces=False),
            Word.BROKEN,
            "Jaeger has no span of its trace, traced-waypoint is not told where to send them",
        ),
    ],
)
def test_silence_is_the_meshs_only_where_its_configuration_is(spans: Spans | None, word: Word, reason: str) -> None:
    """A collector may have lost them as well as a waypoint that has one."""
    judgement = judge(traced("reviews"), outcome(spans))
    assert (judgement.word, judgement.reason) == (word, f"HTTP 200 from the application; {reason}")


def test_the_answer_comes_first() -> None:
    """A call that went wrong says nothing about its trace."""
    judgement = judge(traced("reviews"), Outcome(0, 500, connect_ms=1.0, spans=ALL))
    assert (judgement.word, judgement.reason) == (Word.BROKEN, "HTTP 500 from the application")
    expected = replace(traced("reviews"), of=Answered(500))
    assert judge(expected, Outcome(0, 500, connect_ms=1.0, spans=ALL)).word is Word.HOLDS


def test_what_is_wanted_reads_as_a_sentence() -> None:
    """As the failure shows it."""
    assert str(traced("reviews")) == (
        "HTTP 200 from the application; Jaeger has a span of traced-waypoint about the call to reviews"
    )
    assert str(traced("ratings", "reviews")).endswith("about the call to ratings, under that of reviews")


def test_one_trace_is_of_one_request() -> None:
    """Several would share it."""
    with pytest.raises(
        pytest.Collector.CollectError, match="case 'a-b': a Traced is about one request; leave out count"
    ):
        case("a-b", "curl", GET("http://a/", count=2), traced("a"))
