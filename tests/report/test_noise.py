"""The tests behind `report compare`: known values, symmetry, and what they say of chance alone."""

import itertools
import math
import random

import pytest

from pytest_ambient.report.noise import fisher, modified_z, signed_rank


@pytest.mark.parametrize(
    ("first", "of_first", "second", "of_second", "p"),
    [
        (3, 4, 1, 4, 0.48571428571428577),  # Fisher's lady tasting tea, two-sided
        (8, 10, 1, 6, 0.034965034965034965),
        (0, 10, 0, 20, 1.0),
        (10, 10, 20, 20, 1.0),
        (0, 0, 3, 9, 1.0),
        (5, 10, 5, 10, 1.0),
    ],
)
def test_fisher_has_the_known_values(first: int, of_first: int, second: int, of_second: int, p: float) -> None:
    """Of tables whose probabilities are known; a share that is none or all is no trouble."""
    assert fisher(first, of_first, second, of_second) == pytest.approx(p)
    assert fisher(second, of_second, first, of_first) == pytest.approx(p)


def test_fisher_counts_like_the_definition() -> None:
    """Beside the sum over all tables with the same margins."""
    for first, second in itertools.product(range(13), range(10)):
        hits, ways = first + second, math.comb(21, first + second)
        chances = [math.comb(12, k) * math.comb(9, hits - k) / ways for k in range(max(0, hits - 9), min(12, hits) + 1)]
        seen = math.comb(12, first) * math.comb(9, second) / ways
        wanted = sum(one for one in chances if one <= seen * (1 + 1e-7))
        assert fisher(first, 12, second, 9) == pytest.approx(wanted)


def test_fisher_sees_a_share_that_moved_and_none_that_did_not() -> None:
    """At the sizes of real samples, fast."""
    assert fisher(2520, 2800, 2380, 2800) < 1e-6  # 90 % became 85 %
    assert fisher(2520, 2800, 2516, 2800) > 0.5
    assert fisher(2800, 2800, 0, 2800) == pytest.approx(0, abs=1e-20)


def test_signed_ranks_have_the_known_values() -> None:
    """All to one side: two of all ways to deal out signs; ties share ranks, zeros say nothing."""
    assert signed_rank([1, 2, 3, 4, 5]) == pytest.approx(2 / 2**5)
    assert signed_rank([-1, -2, -3, -4, -5]) == pytest.approx(2 / 2**5)
    assert signed_rank([1, -1, 0]) == 1.0
    assert signed_rank([]) == signed_rank([0.0, 0.0]) == 1.0
    assert signed_rank([1, 1, 1, -1]) == pytest.approx(2 * (1 + 4) / 2**4)


def test_signed_ranks_count_like_the_definition() -> None:
    """Beside all ways to deal out signs, with ties that share the mean of their ranks."""
    sizes = [1, 1, 2, 3, 3, 3, 5]
    ranks = [1.5, 1.5, 3, 5, 5, 5, 7]
    every = [sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign > 0) for signs in SIGNS]
    for signs in SIGNS:
        seen = [size * sign for size, sign in zip(sizes, signs, strict=True)]
        plus = sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign > 0)
        far = min(plus, sum(ranks) - plus)
        assert signed_rank(seen) == pytest.approx(min(1.0, 2 * sum(one <= far for one in every) / len(SIGNS)))


SIGNS = list(itertools.product((1, -1), repeat=7))


def test_the_normal_form_continues_the_exact_one() -> None:
    """Where counting out ends there is no step."""
    chance = random.Random(7)
    some = [chance.gauss(0.4, 1) for _ in range(50)]
    exact = signed_rank(some)
    assert signed_rank([*some, 1e-9]) == pytest.approx(exact, rel=0.2)


def test_chance_alone_is_seldom_told() -> None:
    """Of a thousand pairs of equal runs about ten are below one in a hundred."""
    chance = random.Random(11)
    low = sum(signed_rank([chance.gauss(0, 1) for _ in range(20)]) < 0.01 for _ in range(1000))
    assert low <= 25


def test_an_outlier_is_far_from_the_rest() -> None:
    """In robust deviations; values that are all equal have none."""
    scores = modified_z([1.0, 1.1, 0.9, 1.05, 0.95, 9.0])
    assert [abs(score) > 3.5 for score in scores] == [False] * 5 + [True]
    assert modified_z([2.0] * 9) == [0.0] * 9
    assert modified_z([0.0] * 9 + [5.0])[-1] > 3.5
