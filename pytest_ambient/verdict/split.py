"""Exact tests of a traffic split: how many answers are needed and whether their shares are the wanted ones."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

FALSE_ALARM = 1e-6
"""The greatest probability with which a split that is as wanted fails."""
MISS = 1e-3
"""The greatest probability with which a split that is off by SHIFT passes."""
SHIFT = 0.05
CONFIDENCE = 0.99


@dataclass(frozen=True)
class Share:
    """One backend's part of a sample."""

    backend: str
    wanted: float
    served: int
    total: int
    low: float
    """Lower end of the exact (Clopper-Pearson) confidence interval of the true share."""
    high: float
    p_value: float
    """Two-sided: the probability of a sample at least this far off if the share were as wanted."""

    @property
    def share(self) -> float:
        """The share that was seen, 0 to 1."""
        return self.served / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.backend} {self.share:.1%} {self.interval} of {self.wanted * 100:.3g}%"

    @property
    def interval(self) -> str:
        """The confidence interval in words."""
        return f"[{self.low:.1%}, {self.high:.1%}]"


@dataclass(frozen=True)
class Sample:
    """What one sample of answers says about a split."""

    total: int
    needed: int
    shares: tuple[Share, ...]
    p_value: float
    """Of the whole split: the smallest of its backends' times their number, at most 1."""
    reason: str | None
    """None when the split is as wanted; else why not."""
    doubt: str | None = None
    """Why the sample decides nothing, when it does not."""

    def __str__(self) -> str:
        return f"{self.total:,} answers: {', '.join(map(str, self.shares))}; {p_words(self.p_value)}"


@cache
def sample_size(shares: tuple[float, ...]) -> int:
    """The fewest answers that meet both error rates for these shares, which add up to 1."""
    tested = {share for share in shares if 0 < share < 1}
    alpha = FALSE_ALARM / comparisons(shares)
    size = max([1, *(_nearly_enough(share, alpha) for share in tested)])
    if len(tested) < len(set(shares)):  # a backend that must get all or nothing: one stray answer decides
        size = max(size, math.ceil(math.log(MISS) / math.log1p(-SHIFT)))
    while any(passes(share, shifted, size, alpha) > MISS for share in tested for shifted in shifts(share)):
        size += 1
    return size


def comparisons(shares: tuple[float, ...]) -> int:
    """How many tests share the false alarm: one a backend, but two backends are one test seen from both sides.

    A backend that must get all or nothing can't be off by chance and counts for none.
    """
    by_chance = sum(0 < share < 1 for share in shares)
    return 1 if by_chance <= 2 else by_chance


def shifts(share: float) -> list[float]:
    """The possible shares that are SHIFT away."""
    return [shifted for shifted in (share - SHIFT, share + SHIFT) if 0 <= shifted <= 1]


def passes(wanted: float, actual: float, size: int, alpha: float) -> float:
    """The probability that a backend whose true share is `actual` passes the test of `wanted` at level `alpha`."""
    low, high = region(wanted, size, alpha)
    if actual > wanted:
        return at_most(high, size, actual) - at_most(low - 1, size, actual)
    return at_least(low, size, actual) - at_least(high + 1, size, actual)


def region(share: float, size: int, alpha: float) -> tuple[int, int]:
    """The counts, both ends included, that pass the two-sided test: each tail outside them has at most alpha / 2."""
    return _lowest(share, size, alpha / 2), size - _lowest(1 - share, size, alpha / 2)


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


def weigh(wanted: Mapping[str, float], served: Mapping[str, int], total: int) -> Sample:
    """Tests the counts of one sample; answers that no backend claims are the caller's to judge."""
    number = comparisons(tuple(wanted.values()))
    shares = tuple(_share(backend, share, served.get(backend, 0), total) for backend, share in wanted.items())
    worst = min(shares, key=lambda share: share.p_value)
    p_value = min(1.0, worst.p_value * number)
    needed = sample_size(tuple(wanted.values()))
    doubt = None if total >= needed else f"a sample of {total:,} answers, {needed:,} are needed"
    reason = None
    if p_value <= FALSE_ALARM:
        share = f"{worst.share:.1%} of {total:,} {worst.interval}, wanted {worst.wanted * 100:.3g}%"
        reason = f"{worst.backend} answered {share}, {p_words(p_value)}"
    return Sample(total, needed, shares, p_value, reason, doubt)


def p_words(p_value: float) -> str:
    """A p-value as people read it."""
    return f"p = {p_value:.2g}" if p_value >= 1e-12 else "p < 1e-12"


def _share(backend: str, wanted: float, served: int, total: int) -> Share:
    low, high = interval(served, total)
    tail = min(at_least(served, total, wanted), at_most(served, total, wanted))
    return Share(backend, wanted, served, total, low, high, min(1.0, 2 * tail))


def _nearly_enough(share: float, alpha: float) -> int:
    """A size a little below the need, by the normal approximation; the exact search starts there."""
    wanted, miss = _quantile(alpha / 2) * math.sqrt(share * (1 - share)), _quantile(MISS)
    needs = ((wanted + miss * math.sqrt(shifted * (1 - shifted))) / SHIFT for shifted in shifts(share))
    return max(1, math.floor(0.98 * max(needs) ** 2))


def _exactly(count: int, size: int, share: float) -> float:
    if share <= 0 or share >= 1:
        return float(count == size * (share >= 1))
    ways = math.lgamma(size + 1) - math.lgamma(count + 1) - math.lgamma(size - count + 1)
    return math.exp(ways + count * math.log(share) + (size - count) * math.log1p(-share))


def _lowest(share: float, size: int, tail: float) -> int:
    """The smallest count whose lower tail, itself included, is more than `tail`."""
    deviation = math.sqrt(size * share * (1 - share))
    count = max(-1, math.floor(size * share - _quantile(tail) * deviation))
    below = at_most(count, size, share)
    while below > tail:
        below -= _exactly(count, size, share)
        count -= 1
    while below + (step := _exactly(count + 1, size, share)) <= tail:
        below += step
        count += 1
    return count + 1


@cache
def _quantile(tail: float) -> float:
    """The distance from the mean, in standard deviations, beyond which a normal variable has that tail."""
    return _bisect(0.0, 40.0, lambda x: math.erfc(x / math.sqrt(2)) / 2 > tail)


def _edge(served: int, total: int, tail: float) -> float:
    """The smallest share for which so many answers or more are not rarer than `tail`."""
    return _bisect(0.0, 1.0, lambda share: at_least(served, total, share) < tail) if served else 0.0


def _bisect(low: float, high: float, still_below: Callable[[float], bool]) -> float:
    for _ in range(52):
        middle = (low + high) / 2
        low, high = (middle, high) if still_below(middle) else (low, middle)
    return low
