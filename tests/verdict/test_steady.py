"""Steady streams: what of one request breaks a promise, times without service, and when nothing is proved."""

from collections.abc import Sequence

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.table import case, cases
from pytest_ambient.verdict.call import GET, POST
from pytest_ambient.verdict.expectation import Answered, DeniedL4, DeniedL7, Steady, Word, judge
from pytest_ambient.verdict.outcome import Lost, Observation, Outcome
from pytest_ambient.verdict.pairing import pair
from pytest_ambient.verdict.steady import Request, Stream

GOOD = Outcome(0, 200, connect_ms=1, total_ms=5)
DIRECT = Outcome(0, 200, {"server": ("gunicorn",)}, connect_ms=1)
THROUGH = Outcome(0, 200, {"server": ("istio-envoy",), "x-envoy-upstream-service-time": ("1",)}, connect_ms=1)
NO_NAME, RESET, CLOSED, REFUSED = Outcome(6), Outcome(56, connect_ms=1), Outcome(52, connect_ms=1), Outcome(7)
SLOW, SLOW_NAME = Outcome(28, total_ms=2000), Outcome(28, error="Resolving timed out after 2000 milliseconds")
BY_PROXY = Outcome(0, 503, {"server": ("istio-envoy",)}, body="no healthy upstream", connect_ms=1)
DENIAL = Outcome(0, 403, {"server": ("istio-envoy",)}, body="RBAC: access denied", connect_ms=1)
HIDDEN = Outcome(0, 403, body="RBAC: access denied", connect_ms=1)
CUT = Outcome(56, 200, connect_ms=1)
SERVED, BY_ZTUNNEL, BY_WAYPOINT = Steady(Answered(200)), Steady(DeniedL4(by="a")), Steady(DeniedL7(by="a"))
RATINGS = GET("http://ratings:9080/")


def stream(seen: Sequence[Observation], every: float = 0.1) -> list[Request]:
    """Requests one after another, the manifest being applied with the sixth."""
    return [Request(100 + index * every, 100.01 + index * every, one) for index, one in enumerate(seen)]


def weighed(expectation: Steady, *seen: Observation, beside: Stream | None = None) -> Stream:
    """What came of them."""
    return expectation.weigh(stream(seen), 100.5, beside)


TWIN = weighed(SERVED, *[GOOD] * 20)


def test_all_is_well() -> None:
    """Its words are the numbers."""
    assert (TWIN.reason, TWIN.doubt, TWIN.good, TWIN.requests, TWIN.gaps) == (None, None, 20, 20, ())
    assert str(TWIN) == "stream: 20 requests in 1.9 s (10.5/s), 20 as wanted"


def test_failures_are_counted_by_kind_and_timed() -> None:
    """A gap lasts from the first request without an answer to the next one with; its start counts from the apply."""
    seen = [*[GOOD] * 6, NO_NAME, RESET, CLOSED, *[GOOD] * 5, REFUSED, SLOW, SLOW_NAME, BY_PROXY, CUT, GOOD]
    found = weighed(SERVED, *seen)
    assert (found.reason, found.doubt, found.good) == (None, None, 12)
    assert found.errors == {
        "no address": 2, "reset": 2, "closed": 1, "refused": 1, "timeout": 1, "503": 1,
    }  # fmt: skip
    assert [(round(gap.start, 3), round(gap.seconds, 3)) for gap in found.gaps] == [(0.1, 0.3), (0.9, 0.5)]
    assert round(found.longest, 3) == 0.5
    assert str(found).endswith("without service 300 ms from +0.1 s, 500 ms from +0.9 s")
    assert "8 failed (40.0 %: 1 503, 1 closed, 2 no address, 1 refused, 2 reset, 1 timeout)" in str(found)


def test_a_time_without_service_may_be_too_long() -> None:
    """Also one that has not ended; None allows any."""
    seen = [*[GOOD] * 6, *[NO_NAME] * 14]
    found = weighed(Steady(Answered(200), gap=1), *seen)
    assert found.reason == "no service for 1.3 s, from +0.1 s on: the name has no address (curl exit 6)"
    assert weighed(Steady(Answered(200), gap=None), *seen).reason is None


@pytest.mark.parametrize("through", [GOOD, Outcome(0, 404, connect_ms=1), CUT, THROUGH])
@pytest.mark.parametrize("expectation", [BY_ZTUNNEL, BY_WAYPOINT])
def test_a_denied_call_that_an_application_answers_breaks_the_promise(expectation: Steady, through: Outcome) -> None:
    """One is enough, whatever the application says and however much of it comes."""
    found = weighed(expectation, *[RESET if expectation is BY_ZTUNNEL else DENIAL] * 19, through, beside=TWIN)
    assert found.reason is not None
    assert found.reason.startswith("1 of 20 requests let through, the first at +1.4 s: HTTP ")
    assert judge(expectation, through).word is Word.BROKEN


@pytest.mark.parametrize("refused", [RESET, CLOSED, REFUSED, NO_NAME, SLOW, BY_PROXY, DENIAL, HIDDEN])
@pytest.mark.parametrize("expectation", [BY_ZTUNNEL, BY_WAYPOINT])
def test_no_answer_lets_nobody_through(expectation: Steady, refused: Outcome) -> None:
    """Failures on the way, a proxy's own answers, and a refusal whose maker hides his headers."""
    own = RESET if expectation is BY_ZTUNNEL else DENIAL
    found = weighed(expectation, *[own] * 19, refused, beside=TWIN)
    assert (found.reason, found.doubt, found.gaps) == (None, None, ())
    assert judge(expectation, refused).word is Word.HOLDS


def test_another_answer_than_the_one_wanted_breaks_the_promise() -> None:
    """As past a waypoint; an error's status is a failure only."""
    expectation = Steady(Answered(200, through="waypoint"))
    found = weighed(expectation, *[THROUGH] * 19, DIRECT)
    assert found.reason is not None
    assert found.reason.startswith("1 of 20 requests answered otherwise, the first at +1.4 s: HTTP 200 from the appl")
    assert weighed(expectation, *[THROUGH] * 19, Outcome(0, 404)).errors == {"404": 1}


def test_what_proves_nothing_is_doubted() -> None:
    """Too few requests, long times without asking, a denial beside a dead twin, only time-outs."""
    assert (weighed(SERVED, *[GOOD] * 5).doubt or "").startswith("only 5 requests in 0.4 s")
    lost = weighed(SERVED, *[GOOD] * 6, *[Lost("exec lost")] * 30, *[GOOD] * 6)
    assert (lost.doubt, lost.lost) == ("only 12 requests in 4.1 s, nothing for 3.1 s: exec lost", 30)
    assert "its twin's stream" in (weighed(BY_ZTUNNEL, *[RESET] * 20).doubt or "")
    dead = weighed(SERVED, *[NO_NAME] * 20)
    assert "its twin's stream" in (weighed(BY_ZTUNNEL, *[RESET] * 20, beside=dead).doubt or "")
    assert (weighed(BY_ZTUNNEL, *[SLOW] * 20, beside=TWIN).doubt or "").startswith("no request was denied at L4")
    assert weighed(SERVED).doubt is not None


def test_a_stream_is_controlled_by_what_it_is_of() -> None:
    """Before the manifest its call gets the same, asked as any other row's; the twin of a denial is a stream too."""
    table = pair(
        [
            case("is-answered", "curl", RATINGS, Answered(200), unchanged=True),
            case("goes-on", "curl", RATINGS, SERVED),
            case("never-passes", "details-v1", RATINGS, BY_ZTUNNEL),
        ]
    )
    assert [one.before for one in table] == [Answered(200), Answered(200), DeniedL4(by="a")]
    assert table[2].twin == "goes-on"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([case("x", "curl", RATINGS, SERVED, before=Answered(404)), ("y", BY_ZTUNNEL, {"twin": "z"})], "twin 'z'"),
        ([("x", BY_ZTUNNEL, {})], "a denial needs twin="),
    ],
)
def test_a_denied_stream_needs_an_answered_one(rows: list[object], words: str) -> None:
    """An ordinary answer beside it would not say that the stream could have been answered."""
    table = [case("is-answered", "curl", RATINGS, Answered(200), unchanged=True)]
    for row in rows:
        table.append(case(row[0], "details-v1", RATINGS, row[1], **row[2]) if isinstance(row, tuple) else row)  # type: ignore[arg-type]  # a table of the test
    with pytest.raises(pytest.Collector.CollectError, match=words):
        cases(*table)


def test_mistakes_are_told() -> None:
    """A count, a stream for a control, a gap of no length."""
    with pytest.raises(pytest.Collector.CollectError, match="a Steady chooses the number of its answers itself"):
        case("x", "curl", POST("http://a/", count=3), SERVED)
    with pytest.raises(pytest.Collector.CollectError, match="before can't be a Steady"):
        case("x", "curl", RATINGS, Answered(200), before=SERVED)
    with pytest.raises(ValueError, match="gap must be seconds above 0"):
        Steady(Answered(200), gap=0)
    assert issubclass(Misuse, ValueError)


def test_its_words() -> None:
    """What is wanted, for a person."""
    assert str(SERVED) == "all the time: HTTP 200 from the application, or no answer for 30 s at most"
    assert str(Steady(Answered(200), gap=None)) == "all the time: HTTP 200 from the application, or no answer"
    assert str(BY_WAYPOINT) == "all the time: denied at L7: HTTP 403 from the waypoint, by a, or no answer"
