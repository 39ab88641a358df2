"""Sequential tests of a traffic split: whether its shares are the wanted ones, and how many answers tell.

Each backend's share is weighed against those that are SHIFT away by the ratio of their likelihoods (Wald's sequential
probability ratio test). Looking at the answers again and again costs nothing: by Ville's inequality the ratio of a
wrong share to the true one ever comes to x with a probability of at most 1/x, however often and whenever one looks.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from pytest_ambient.verdict.binomial import at_least, at_most, interval

FALSE_ALARM = 1e-6
"""The greatest probability with which a split that is as wanted fails."""
MISS = 1e-3
"""The greatest probability with which a split that is off by SHIFT passes."""
SHIFT = 0.05
END = 0.01
"""The part of FALSE_ALARM for splits that no number of answers has decided by the last look."""
PARTS = 4
"""In how many parts of the first look the answers after it come."""


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
    """What the answers so far say about a split."""

    total: int
    shares: tuple[Share, ...]
    p_value: float
    """Of the whole split: the smallest of its backends' times their number, at most 1."""
    reason: str | None
    """None when the split is as wanted; else why not."""
    doubt: str | None = None
    """Why the sample decides nothing, when it does not."""
    more: int = 0
    """How many further answers to weigh with these, where they leave it open."""

    def __str__(self) -> str:
        return f"{self.total:,} answers: {', '.join(map(str, self.shares))}; {p_words(self.p_value)}"


@dataclass(frozen=True)
class Looks:
    """After how many answers a split is looked at: first, then every so many, the last time when all of it must end."""

    first: int
    every: int
    last: int


@cache
def looks(shares: tuple[float, ...]) -> Looks:
    """The looks at these shares, which add up to 1.

    A split that is as wanted takes about as many answers as the first has; at the last it is open as seldom as END
    says (Chernoff's bound).
    """
    pairs = [(share, other) for share in shares for other in others(share)]
    first = max(1, *(math.ceil(-math.log(MISS) / _told(*pair)) for pair in pairs))
    open_ = FALSE_ALARM * END / len(pairs)
    last = max(math.ceil(math.log(open_ * math.sqrt(MISS)) / math.log(_alike(*pair))) for pair in pairs)
    return Looks(first, math.ceil(first / PARTS), max(first, last))


def comparisons(shares: tuple[float, ...]) -> int:
    """How many tests share the false alarm: one a backend, but two backends are one test seen from both sides.

    A backend that must get all or nothing can't be off by chance and counts for none.
    """
    by_chance = sum(0 < share < 1 for share in shares)
    return 1 if by_chance <= 2 else by_chance


def others(share: float) -> list[float]:
    """The shares that are SHIFT away, or as far as there are any: a share of one per cent may be none."""
    return [other for other in (max(0.0, share - SHIFT), min(1.0, share + SHIFT)) if other != share]


def log_ratio(served: int, total: int, wanted: float, other: float) -> float:
    """How much likelier these answers are by another share than by the wanted one, as a natural logarithm."""
    return _log_likelihood(served, total, other) - _log_likelihood(served, total, wanted)


def alarm(shares: tuple[float, ...]) -> float:
    """The ratio, as a logarithm, at which a split is not as wanted: each backend may be off in two directions."""
    return math.log(2 * comparisons(shares) / (FALSE_ALARM * (1 - END)))


def weigh(wanted: Mapping[str, float], served: Mapping[str, int], total: int) -> Sample:
    """Tests the counts of one sample so far; answers that no backend claims are the caller's to judge."""
    split = tuple(wanted.values())
    shares = tuple(_share(backend, share, served.get(backend, 0), total) for backend, share in wanted.items())
    worst = min(shares, key=_rarity)
    sample = Sample(total, shares, min(1.0, worst.p_value * comparisons(split)), None)
    ratio, at = max(ratio for share in shares for ratio in _ratios(share)), looks(split)
    if ratio <= math.log(MISS):
        return sample
    if ratio >= alarm(split) or total >= at.last:
        reason = f"{worst.share:.1%} of {total:,} {worst.interval}, wanted {worst.wanted * 100:.3g}%"
        return replace(sample, reason=f"{worst.backend} answered {reason}, {p_words(sample.p_value)}")
    more = at.first - total if total < at.first else at.every
    return replace(sample, doubt=f"a sample of {total:,} answers decides nothing, {more:,} more are needed", more=more)


def p_words(p_value: float) -> str:
    """A p-value as people read it."""
    return f"p = {p_value:.2g}" if p_value >= 1e-12 else "p < 1e-12"


def _share(backend: str, wanted: float, served: int, total: int) -> Share:
    low, high = interval(served, total)
    tail = min(at_least(served, total, wanted), at_most(served, total, wanted))
    return Share(backend, wanted, served, total, low, high, min(1.0, 2 * tail))


def _rarity(share: Share) -> float:
    """The p-value as far as it is exact: that of two backends is one, and the first is named."""
    return float(f"{share.p_value:.6g}")


def _ratios(share: Share) -> Iterator[float]:
    for other in others(share.wanted):
        yield log_ratio(share.served, share.total, share.wanted, other)


def _log_likelihood(served: int, total: int, share: float) -> float:
    counts = ((served, share), (total - served, 1 - share))
    return sum((count * math.log(part) if part > 0 else -math.inf) for count, part in counts if count)


def _told(share: float, other: float) -> float:
    """What one answer tells against another share on average, when the share is the true one (Kullback-Leibler)."""
    parts = ((share, other), (1 - share, 1 - other))
    return sum((true * math.log(true / false) if false > 0 else math.inf) for true, false in parts if true > 0)


def _alike(share: float, other: float) -> float:
    """How alike two shares are, 0 to 1 (the Bhattacharyya coefficient)."""
    return math.sqrt(share * other) + math.sqrt((1 - share) * (1 - other))
