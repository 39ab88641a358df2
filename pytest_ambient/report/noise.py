"""What two runs may differ in by chance: three tests, pure, without a library."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import median

NEGLIGIBLE = 1e-30
"""A term this small beside the largest changes no probability that anybody looks at."""
SAME = 1 + 1e-7
"""Two probabilities are equal within this factor."""
EXACT = 50
"""Up to so many differences the signed ranks are counted out; beyond, their sum is as good as normal."""


def fisher(first: int, of_first: int, second: int, of_second: int) -> float:
    """Fisher's exact test, two-sided: the probability of shares at least this far apart if there is but one share.

    `first` of `of_first` answers in one sample, `second` of `of_second` in the other.
    """
    hits, total = first + second, of_first + of_second
    low, high = max(0, hits - of_second), min(hits, of_first)
    mode = min(high, max(low, (hits + 1) * (of_first + 1) // (total + 2)))
    weights = {mode: 1.0}
    for step, end in ((1, high), (-1, low)):
        count = mode
        while count != end and weights[count] > NEGLIGIBLE:
            weights[count + step] = weights[count] * _ratio(count, step, hits, of_first, total)
            count += step
    seen = weights.get(first, 0.0) * SAME
    return min(1.0, sum(weight for weight in weights.values() if weight <= seen) / sum(weights.values()))


def _ratio(count: int, step: int, hits: int, drawn: int, total: int) -> float:
    """How much more probable one hit more, or one fewer, is than `count` among `drawn`."""
    if step < 0:
        return 1 / _ratio(count - 1, 1, hits, drawn, total)
    return (hits - count) * (drawn - count) / ((count + 1) * (total - hits - drawn + count + 1))


def signed_rank(differences: Sequence[float]) -> float:
    """Wilcoxon's signed-rank test, two-sided: the probability that differences lean this far to one side by chance."""
    left = [one for one in differences if one]
    if not left:
        return 1.0
    ranks = _ranks([abs(one) for one in left])
    plus = sum(rank for rank, one in zip(ranks, left, strict=True) if one > 0)
    far = min(plus, sum(ranks) - plus)
    if len(left) <= EXACT:
        ways = _sums(ranks)
        return min(1.0, 2 * sum(number for rank, number in ways.items() if rank <= far) / 2.0 ** len(left))
    middle, spread = sum(ranks) / 2, math.sqrt(sum((rank / 2) ** 2 for rank in ranks))
    return math.erfc((middle - far - 1) / spread / math.sqrt(2)) if far + 1 < middle else 1.0


def _ranks(sizes: Sequence[float]) -> list[int]:
    """The rank of each, twice over, so that those that are equal share a whole number."""
    number = Counter(sizes)
    below, rank = 0, dict[float, int]()
    for size in sorted(number):
        rank[size] = 2 * below + number[size] + 1
        below += number[size]
    return [rank[size] for size in sizes]


def _sums(ranks: Sequence[int]) -> Counter[int]:
    """In how many ways signs can be dealt out for the positive ranks to have each sum."""
    ways = Counter({0: 1})
    for rank in ranks:
        more = Counter(ways)
        for total, number in ways.items():
            more[total + rank] += number
        ways = more
    return ways


def modified_z(values: Sequence[float]) -> list[float]:
    """How far each is from their median, in robust standard deviations (Iglewicz and Hoaglin).

    Where more than half are equal the mean deviation stands in for the median one; where all are, none is far.
    """
    middle = median(values)
    away = [abs(value - middle) for value in values]
    spread = median(away) / 0.6745 or sum(away) / len(away) * 1.253314
    return [(value - middle) / spread if spread else 0.0 for value in values]
