"""The error rates of a traffic split's test, by exact computation: nothing here is drawn at random."""

import math
import time
from collections.abc import Mapping
from fractions import Fraction

import pytest

from pytest_ambient.verdict.distribution import Split, Statuses
from pytest_ambient.verdict.outcome import Lost, Outcome
from pytest_ambient.verdict.split import (
    FALSE_ALARM,
    MISS,
    at_least,
    at_most,
    comparisons,
    interval,
    passes,
    region,
    sample_size,
    shifts,
    weigh,
)

NINETY_TEN = (0.9, 0.1)
HALVES = (0.5, 0.5)
THREE = (0.8, 0.1, 0.1)


def answers(counts: Mapping[str, int]) -> list[Outcome]:
    """So many answers of each pod."""
    return [Outcome(0, 200, body=f'{{"podname": "{pod}"}}') for pod, count in counts.items() for _ in range(count)]


def exactly(counts: range, size: int, share: Fraction) -> Fraction:
    """The probability of these counts, in exact fractions."""
    return sum((math.comb(size, k) * share**k * (1 - share) ** (size - k) for k in counts), Fraction(0))


@pytest.mark.parametrize(("size", "share"), [(40, Fraction(1, 10)), (57, Fraction(1, 2)), (91, Fraction(17, 20))])
def test_tails_are_those_of_exact_fractions(size: int, share: Fraction) -> None:
    """The floating-point tails agree with the fractions to twelve digits."""
    for count in range(-1, size + 2):
        upper = float(exactly(range(max(0, count), size + 1), size, share))
        lower = float(exactly(range(min(count, size) + 1), size, share))
        assert at_least(count, size, float(share)) == pytest.approx(upper, rel=1e-12, abs=1e-15)
        assert at_most(count, size, float(share)) == pytest.approx(lower, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("shares", "size"),
    [
        (NINETY_TEN, 2728),
        (HALVES, 6355),
        (THREE, 4640),
        ((0.99, 0.01), 691),
        ((1.0, 0.0), 135),
        ((1.0,), 135),
        ((0.9, 0.1, 0.0), 2728),
    ],
    ids=str,
)
def test_size_of_a_sample(shares: tuple[float, ...], size: int) -> None:
    """About 2,800 answers for 90/10 and 6,400 for 50/50; where nothing is left to chance, 135."""
    assert sample_size(shares) == size


@pytest.mark.parametrize("shares", [NINETY_TEN, HALVES, THREE, (0.7, 0.3), (0.99, 0.01)], ids=str)
def test_no_smaller_sample_meets_both_error_rates(shares: tuple[float, ...]) -> None:
    """At the chosen size every shift of five points is caught; at any of the hundred sizes below one is missed."""
    alpha = FALSE_ALARM / comparisons(shares)

    def caught(size: int) -> bool:
        return all(passes(share, off, size, alpha) <= MISS for share in set(shares) for off in shifts(share))

    size = sample_size(shares)
    assert caught(size)
    assert not any(caught(smaller) for smaller in range(size - 100, size))


@pytest.mark.parametrize("shares", [NINETY_TEN, HALVES, THREE, (0.99, 0.01), (1 / 3, 1 / 3, 1 / 3)], ids=str)
def test_false_alarm_is_at_most_one_in_a_million(shares: tuple[float, ...]) -> None:
    """A split that is as wanted fails that seldom, all its backends together."""
    size, number = sample_size(shares), comparisons(shares)
    alarms = []
    for share in shares:
        low, high = region(share, size, FALSE_ALARM / number)
        tails = at_most(low - 1, size, share), at_least(high + 1, size, share)
        assert max(tails) <= FALSE_ALARM / number / 2
        alarms.append(sum(tails))
    assert sum(alarms) / len(alarms) * number <= FALSE_ALARM


@pytest.mark.parametrize(
    ("wanted", "actual", "passing"),
    [
        ((0.9, 0.1), (0.85, 0.15), 9.825e-4),
        ((0.9, 0.1), (0.95, 0.05), 1.403e-7),
        ((0.9, 0.1), (0.62, 0.38), 7.469e-188),
        ((0.5, 0.5), (0.45, 0.55), 9.945e-4),
        ((0.8, 0.1, 0.1), (0.75, 0.15, 0.1), 9.588e-8),
        ((0.8, 0.1, 0.1), (0.75, 0.125, 0.125), 9.905e-4),
        ((0.8, 0.1, 0.1), (0.8, 0.05, 0.15), 1.654e-16),
        ((1.0, 0.0), (0.95, 0.05), 9.833e-4),
    ],
    ids=str,
)
def test_power(wanted: tuple[float, ...], actual: tuple[float, ...], passing: float) -> None:
    """The probability that a split which is off passes: bounded by its worst backend's, computed exactly."""
    size, alpha = sample_size(wanted), FALSE_ALARM / comparisons(wanted)
    pairs = [(want, true) for want, true in zip(wanted, actual, strict=True) if want != true]
    worst = min(passes(want, true, size, alpha) for want, true in pairs)
    assert worst == pytest.approx(passing, rel=1e-3)
    assert worst <= MISS


@pytest.mark.parametrize(
    ("weights", "counts", "reason"),
    [
        ({"v1": 90, "v2": 10}, {"v1-a": 2455, "v2-b": 273}, None),
        ({"v1": 90, "v2": 10}, {"v1-a": 2376, "v2-b": 352}, None),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 2375, "v2-b": 353},
            "v1 answered 87.1% of 2,728 [85.3%, 88.7%], wanted 90%, p = 9.7e-07",
        ),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 1691, "v2-b": 1037},
            "v1 answered 62.0% of 2,728 [59.6%, 64.4%], wanted 90%, p < 1e-12",
        ),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 2728},
            "v1 answered 100.0% of 2,728 [99.8%, 100.0%], wanted 90%, p < 1e-12",
        ),
        (
            {"v1": 8, "v2": 1, "v3": 1},
            {"v1-a": 3712, "v2-b": 928},
            "v3 answered 0.0% of 4,640 [0.0%, 0.1%], wanted 10%, p < 1e-12",
        ),
        ({"v1": 1, "v2": 0}, {"v1-a": 135}, None),
        (
            {"v1": 1, "v2": 0},
            {"v1-a": 134, "v2-b": 1},
            "1 of 135 answers don't belong to the split, the first: answered by v2-b, wanted v1",
        ),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 2455, "v2-b": 272, "v3-c": 1},
            "1 of 2,728 answers don't belong to the split, the first: answered by v3-c, wanted v1 or v2",
        ),
    ],
    ids=str,
)
def test_a_sample_is_judged(weights: dict[str, float], counts: dict[str, int], reason: str | None) -> None:
    """A sample passes or names the backend that is off; a stray answer is never averaged away."""
    split = Split(weights)
    observed = answers(counts)
    assert len(observed) == split.size
    sample = split.sample(observed)
    assert sample.reason == reason
    assert sample.doubt is None


def test_a_sample_says_its_shares() -> None:
    """The report's words: share, interval, p-value."""
    sample = Split({"reviews-v1": 90, "reviews-v2": 10}).sample(answers({"reviews-v1-a": 2440, "reviews-v2-b": 288}))
    assert str(sample) == (
        "2,728 answers: reviews-v1 89.4% [87.8%, 90.9%] of 90%, reviews-v2 10.6% [9.1%, 12.2%] of 10%; p = 0.35"
    )
    assert [share.share for share in sample.shares] == [2440 / 2728, 288 / 2728]


def test_a_sample_with_lost_probes_decides_nothing() -> None:
    """Answers that are missing may have been anybody's."""
    split = Split({"v1": 1, "v2": 0})
    sample = split.sample([*answers({"v1-a": 134}), Lost("curl ended before this request")])
    assert sample.doubt == "1 of 135 probes proved nothing: curl ended before this request"


@pytest.mark.parametrize(("cut", "decides"), [(1, False), (3, False), (4, True)])
def test_a_few_stale_connections_decide_nothing(cut: int, decides: bool) -> None:
    """A healthy waypoint answers 503 now and then for a connection that has just ended; more than that is no chance."""
    text = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
    observed = answers({"v1-a": 2728 - cut})
    sample = Split({"v1": 1}).sample([*observed, *[Outcome(0, 503, {"server": ("istio-envoy",)}, text)] * cut])
    reason = f"{cut} of 2,728 answers don't belong to the split, the first: HTTP 503 made by a proxy, body "
    assert (sample.reason or "").startswith(reason) is decides
    assert (sample.doubt or "").startswith(reason) is not decides
    late = Split({"v1": 1}).sample([*observed, *[Outcome(28, connect_ms=1.0, total_ms=5000.0)] * cut])
    assert (late.reason or "").endswith("the first: no answer within 5.0 s, TCP connected (curl exit 28)") is decides
    other = Split({"v1": 1}).sample([*observed, *[Outcome(0, 500, {"server": ("istio-envoy",)})] * cut])
    assert other.reason is not None
    assert other.doubt is None


def test_a_sample_that_is_too_small_decides_nothing() -> None:
    """Three good answers are luck."""
    assert Split({"v1": 90, "v2": 10}).sample(answers({"v1-a": 3})).doubt == ("a sample of 3 answers, 2,728 are needed")


def test_an_empty_sample_decides_nothing() -> None:
    """No division by zero, no verdict."""
    sample = Split({"v1": 90, "v2": 10}).sample([])
    assert sample.doubt == "a sample of 0 answers, 2,728 are needed"
    assert (sample.shares[0].low, sample.shares[0].high) == (0.0, 1.0)


def test_every_answer_must_carry_the_routes_header() -> None:
    """An answer from before the route took effect is not part of the sample."""
    split = Split({"v1": 1}, header=("x-route", "new"))
    observed = [Outcome(0, 200, {"x-route": ("new",)}, '{"podname": "v1-a"}')] * 134
    sample = split.sample([*observed, *answers({"v1-a": 1})])
    assert sample.reason == (
        "1 of 135 answers don't belong to the split, the first: "
        "HTTP 200 from the application in v1-a; wanted header x-route: new, got none of that name"
    )


@pytest.mark.parametrize(
    ("served", "total", "low", "high"),
    [(0, 10, 0.0, 0.41130), (10, 10, 0.58870, 1.0), (5, 10, 0.12830, 0.87170)],
)
def test_interval_is_clopper_and_pearsons(served: int, total: int, low: float, high: float) -> None:
    """Both ends leave half a per cent outside, by the binomial distribution itself."""
    found = interval(served, total)
    assert found == pytest.approx((low, high), abs=2e-5)
    for end, tail in ((found[0], at_least), (found[1], at_most)):
        if 0 < end < 1:
            assert tail(served, total, end) == pytest.approx(0.005, rel=1e-6)


def test_p_values_and_region_agree() -> None:
    """A count is outside the region exactly when its p-value is at most the false alarm."""
    low, high = region(0.9, 2728, FALSE_ALARM)
    for count, fails in ((low - 1, True), (low, False), (high, False), (high + 1, True)):
        sample = weigh({"v1": 0.9, "v2": 0.1}, {"v1": count, "v2": 2728 - count}, 2728)
        assert (sample.reason is not None) is fails


def test_computing_a_sample_is_quick() -> None:
    """The largest usual sample is sized in well under a second, even on a busy machine."""
    sample_size.cache_clear()
    started = time.process_time()
    sample_size(HALVES)
    assert time.process_time() - started < 0.25


NEW = {"x-share": ("tenth",)}
ABORTED = Outcome(0, 418, {"server": ("istio-envoy",)}, "fault filter abort")
TENTH = Statuses({"200": 90, "418": 10}, header=("x-share", "tenth"))


@pytest.mark.parametrize(
    ("aborted", "reason"),
    [(288, None), (0, "200 answered 100.0% of 2,728 [99.8%, 100.0%], wanted 90%")],
)
def test_statuses_are_shared_out_too(aborted: int, reason: str | None) -> None:
    """A proxy's own answers count beside those of the application."""
    sample = TENTH.sample([ABORTED] * aborted + [Outcome(0, 200, NEW, "{}")] * (2728 - aborted))
    assert sample.reason is None if reason is None else reason in str(sample.reason)


@pytest.mark.parametrize(
    ("stray", "reason"),
    [
        (Outcome(0, 200), "wanted header x-share: tenth, got none of that name"),
        (Outcome(0, 418), "HTTP 418 from the application"),
        (Outcome(0, 503, {"server": ("istio-envoy",)}), "HTTP 503 made by a proxy"),
    ],
)
def test_a_status_must_be_made_by_whom_it_must(stray: Outcome, reason: str) -> None:
    """Answers of before, and those that the application or another mechanism makes, do not belong to it."""
    assert TENTH.explain(ABORTED) is None
    assert reason in str(TENTH.explain(stray))
