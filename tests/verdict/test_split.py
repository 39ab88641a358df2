"""The error rates of a traffic split's test, by exact computation: nothing here is drawn at random."""

import math
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from pytest_ambient.verdict.distribution import Split
from pytest_ambient.verdict.outcome import Lost, Outcome
from pytest_ambient.verdict.split import (
    END,
    FALSE_ALARM,
    MISS,
    Looks,
    alarm,
    comparisons,
    log_ratio,
    looks,
    others,
    weigh,
)

NINETY_TEN = (0.9, 0.1)
HALVES = (0.5, 0.5)
THREE = (0.8, 0.1, 0.1)


def answers(counts: Mapping[str, int]) -> list[Outcome]:
    """So many answers of each pod."""
    return [Outcome(0, 200, body=f'{{"podname": "{pod}"}}') for pod, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("shares", "at"),
    [
        (NINETY_TEN, Looks(634, 159, 8058)),
        (HALVES, Looks(1375, 344, 18539)),
        (THREE, Looks(987, 247, 13162)),
        ((0.99, 0.01), Looks(207, 52, 4629)),
        ((1.0, 0.0), Looks(135, 34, 880)),
        ((1.0,), Looks(135, 34, 853)),
        ((0.9, 0.1, 0.0), Looks(634, 159, 8135)),
    ],
    ids=str,
)
def test_looks_at_a_sample(shares: tuple[float, ...], at: Looks) -> None:
    """First after so many answers as a split that is as wanted needs about, and at last after a number with an end."""
    assert looks(shares) == at


@dataclass(frozen=True)
class Course:
    """How the test of one share ends, computed exactly for a true share: probabilities, and the answers it takes."""

    passes: float
    alarms: float
    open: float
    answers: float


def course(wanted: float, actual: float, shares: tuple[float, ...]) -> Course:
    """Goes from look to look with the probability of each count that leaves it open."""
    at, limit, accepted = looks(shares), alarm(shares), math.log(MISS)
    counts, total, size = {0: 1.0}, 0, at.first
    passes = alarms = answers = 0.0
    while counts and total < at.last:
        answers += sum(counts.values()) * size
        total += size
        more = [about(count, size, actual) for count in range(size + 1)]
        likely = [(count, chance) for count, chance in enumerate(more) if chance > 1e-25]
        after: dict[int, float] = defaultdict(float)
        for count, chance in counts.items():
            for step, once in likely:
                after[count + step] += chance * once
        counts = {}
        for count, chance in after.items():
            ratio = max(log_ratio(count, total, wanted, other) for other in others(wanted))
            if ratio >= limit:
                alarms += chance
            elif ratio <= accepted:
                passes += chance
            elif chance > 1e-25:
                counts[count] = chance
        size = at.every
    return Course(passes, alarms, sum(counts.values()), answers)


def about(count: int, size: int, share: float) -> float:
    """The probability of a count."""
    if share in (0, 1):
        return float(count == size * share)
    ways = math.lgamma(size + 1) - math.lgamma(count + 1) - math.lgamma(size - count + 1)
    return math.exp(ways + count * math.log(share) + (size - count) * math.log1p(-share))


@pytest.mark.parametrize(
    ("shares", "answers"), [(NINETY_TEN, 871), (HALVES, 2318), (THREE, 1486), ((0.99, 0.01), 269)], ids=str
)
def test_false_alarm_is_at_most_one_in_a_million(shares: tuple[float, ...], answers: float) -> None:
    """A split that is as wanted fails that seldom, whichever backend and look; it takes so many answers."""
    courses = [course(share, share, shares) for share in shares]
    failed = [one.alarms + one.open for one in courses]
    assert sum(failed) / len(failed) * comparisons(shares) <= FALSE_ALARM
    assert max(one.open for one in courses) <= FALSE_ALARM * END
    assert courses[0].answers == pytest.approx(answers, rel=0.01)


@pytest.mark.parametrize("shares", [NINETY_TEN, HALVES, THREE, (0.7, 0.3)], ids=str)
def test_a_shift_of_five_points_is_missed_once_in_a_thousand(shares: tuple[float, ...]) -> None:
    """Whichever backend is off, and to whichever side."""
    missed = [course(share, other, shares).passes for share in set(shares) for other in others(share)]
    assert max(missed) <= MISS


@pytest.mark.parametrize("shares", [(0.99, 0.01), (0.97, 0.03)], ids=str)
def test_a_backend_with_a_tiny_share_that_never_answers_is_found(shares: tuple[float, ...]) -> None:
    """Its share is less than the shift, and still none is not a little."""
    found = course(shares[1], 0.0, shares)
    assert (found.passes, found.alarms) == (0.0, 1.0)
    assert found.answers == pytest.approx(alarm(shares) / shares[1], rel=0.15)


def test_ratio_is_that_of_the_likelihoods() -> None:
    """Three of ten: by halves against by tenths, as logarithms; what cannot be is infinitely less likely."""
    expected = math.log(0.5**10 / (0.1**3 * 0.9**7))
    assert log_ratio(3, 10, 0.1, 0.5) == pytest.approx(expected)
    assert log_ratio(1, 10, 0.03, 0.0) == -math.inf
    assert log_ratio(0, 10, 0.03, 0.0) == pytest.approx(-10 * math.log(0.97))
    assert log_ratio(9, 10, 1.0, 0.95) == math.inf


@pytest.mark.parametrize(
    ("weights", "counts", "reason"),
    [
        ({"v1": 90, "v2": 10}, {"v1-a": 571, "v2-b": 63}, None),
        ({"v1": 90, "v2": 10}, {"v1-a": 578, "v2-b": 56}, None),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 608, "v2-b": 26},
            "v1 answered 95.9% of 634 [93.4%, 97.7%], wanted 90%, p = 5.1e-08",
        ),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 393, "v2-b": 241},
            "v1 answered 62.0% of 634 [56.9%, 66.9%], wanted 90%, p < 1e-12",
        ),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 396, "v2-b": 238},
            "v1 answered 62.5% of 634 [57.3%, 67.4%], wanted 90%, p < 1e-12",
        ),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 634},
            "v1 answered 100.0% of 634 [99.2%, 100.0%], wanted 90%, p < 1e-12",
        ),
        (
            {"v1": 8, "v2": 1, "v3": 1},
            {"v1-a": 790, "v2-b": 197},
            "v3 answered 0.0% of 987 [0.0%, 0.5%], wanted 10%, p < 1e-12",
        ),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 7051, "v2-b": 1007},
            "v1 answered 87.5% of 8,058 [86.5%, 88.4%], wanted 90%, p < 1e-12",
        ),
        ({"v1": 1, "v2": 0}, {"v1-a": 135}, None),
        (
            {"v1": 1, "v2": 0},
            {"v1-a": 134, "v2-b": 1},
            "1 of 135 answers don't belong to the split, the first: answered by v2-b, wanted v1",
        ),
        (
            {"v1": 90, "v2": 10},
            {"v1-a": 571, "v2-b": 62, "v3-c": 1},
            "1 of 634 answers don't belong to the split, the first: answered by v3-c, wanted v1 or v2",
        ),
    ],
    ids=str,
)
def test_a_sample_is_judged(weights: dict[str, float], counts: dict[str, int], reason: str | None) -> None:
    """A sample passes or names the backend that is off; a stray answer is never averaged away."""
    sample = Split(weights).sample(answers(counts))
    assert sample.reason == reason
    assert sample.doubt is None
    assert sample.more == 0


@pytest.mark.parametrize(
    ("counts", "more"),
    [({}, 634), ({"v1-a": 3}, 631), ({"v1-a": 525, "v2-b": 109}, 159), ({"v1-a": 607, "v2-b": 27}, 159)],
    ids=str,
)
def test_answers_that_leave_it_open_ask_for_more(counts: dict[str, int], more: int) -> None:
    """Three good answers are luck; what is neither as wanted nor five points off is looked at again."""
    sample = Split({"v1": 90, "v2": 10}).sample(answers(counts))
    assert sample.doubt == f"a sample of {sum(counts.values())} answers decides nothing, {more} more are needed"
    assert (sample.more, sample.reason) == (more, None)


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


@pytest.mark.parametrize(("cut", "decides"), [(3, False), (4, True)])
def test_a_first_look_forgives_what_a_whole_sample_does(cut: int, decides: bool) -> None:
    """Connections that are stale are met as the sample begins, however early it is looked at."""
    observed = answers({"v1-a": 571, "v2-b": 63 - cut})
    sample = Split({"v1": 90, "v2": 10}).sample([*observed, *[Outcome(28, connect_ms=1.0, total_ms=5000.0)] * cut])
    assert (sample.total, sample.more) == (634, 0)
    assert (sample.reason is not None) is decides
    assert (sample.doubt is not None) is not decides


def test_an_empty_sample_decides_nothing() -> None:
    """No division by zero, no verdict."""
    sample = Split({"v1": 90, "v2": 10}).sample([])
    assert sample.doubt == "a sample of 0 answers decides nothing, 634 more are needed"
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


def test_what_fails_has_the_p_value_of_a_failure() -> None:
    """The ratio of likelihoods is stricter: at every look all counts that fail are rarer than the false alarm."""
    for total in (634, 793, 2705):
        samples = [weigh({"v1": 0.9, "v2": 0.1}, {"v1": one, "v2": total - one}, total) for one in range(0, total, 9)]
        assert all(sample.p_value <= FALSE_ALARM for sample in samples if sample.reason)


def test_computing_a_sample_is_quick() -> None:
    """A look at the largest usual sample is weighed in well under a second, even on a busy machine."""
    looks.cache_clear()
    started = time.process_time()
    weigh({"v1": 0.5, "v2": 0.5}, {"v1": 9200, "v2": 9300}, 18500)
    assert time.process_time() - started < 0.25
