"""The binomial distribution, exactly: its tails, and the interval of a share that was seen."""

import math
from collections.abc import Callable

CONFIDENCE = 0.99


def at_least(count: int, size: int, share: float) -> float:
    """The probability of `count` or more out of `size`."""
    if count <= 0:
        return 1.0
    if count > size:
        return 0.0
    if count < size * share:
        return 1.0 - at_most(count - 1, size, share)
    total = term = _exactly(count, size, share)
    odds = share / (1 - share) if share < 1 else math.inf
    while count < size and term > total * 1e-17:
        term *= (size - count) / (count + 1) * odds
        count += 1
        total += term
    return min(1.0, total)


def at_most(count: int, size: int, share: float) -> float:
    """The probability of `count` or fewer out of `size`."""
    return at_least(size - count, size, 1 - share)


def interval(served: int, total: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact (Clopper-Pearson) confidence interval of a share."""
    tail = (1 - confidence) / 2
    return _edge(served, total, tail), 1 - _edge(total - served, total, tail)


def _exactly(count: int, size: int, share: float) -> float:
    if share <= 0 or share >= 1:
        return float(count == size * (share >= 1))
    ways = math.lgamma(size + 1) - math.lgamma(count + 1) - math.lgamma(size - count + 1)
    return math.exp(ways + count * math.log(share) + (size - count) * math.log1p(-share))


def _edge(served: int, total: int, tail: float) -> float:
    """The smallest share for which so many answers or more are not rarer than `tail`."""
    return _bisect(0.0, 1.0, lambda share: at_least(served, total, share) < tail) if served else 0.0


def _bisect(low: float, high: float, still_below: Callable[[float], bool]) -> float:
    for _ in range(52):
        middle = (low + high) / 2
        low, high = (middle, high) if still_below(middle) else (low, middle)
    return low
