"""The tails of the binomial distribution and the intervals that follow from them, against exact fractions."""

import math
from fractions import Fraction

import pytest

from pytest_ambient.verdict.binomial import at_least, at_most, interval


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
