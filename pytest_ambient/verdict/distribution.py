"""The expectation of a traffic split: a sample of answers, tested until it decides."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_ambient.verdict.answered import Answered, serves
from pytest_ambient.verdict.outcome import Lost, Observation, Outcome, stale
from pytest_ambient.verdict.split import Sample, looks, weigh

TOGETHER = 4
"""First looks that share what is forgiven of stale connections: they are met together, as execs begin to ask."""


@dataclass(frozen=True)
class Split:
    """The backends answer in these shares; weights are scaled to 1, so 90 and 10 mean the same as 0.9 and 0.1.

    `header` is a response header that the route itself adds: every answer of the sample must carry it.
    """

    shares: Mapping[str, float] = field(hash=False)
    header: tuple[str, str] | None = None

    needs_witness = False
    denies = False
    holds_still = False

    def __post_init__(self) -> None:
        if not self.shares or min(self.shares.values()) < 0 or sum(self.shares.values()) <= 0:
            raise ValueError(f"shares must be weights of at least 0, one of them above, not {dict(self.shares)!r}")
        nested = [name for name in self.shares for other in self.shares if name != other and serves(other, name)]
        if nested:
            raise ValueError(f"a pod of {nested[0]} would count for another backend too")

    @property
    def scaled(self) -> dict[str, float]:
        """Each backend's share, 0 to 1."""
        total = sum(self.shares.values())
        return {backend: weight / total for backend, weight in self.shares.items()}

    @property
    def size(self) -> int:
        """How many answers a sample has when it is looked at first."""
        return looks(tuple(self.scaled.values())).first

    def backend_of(self, outcome: Outcome) -> str | None:
        """The named backend whose pod answered."""
        return next((backend for backend in self.shares if serves(backend, outcome.served_by)), None)

    def explain(self, outcome: Outcome) -> str | None:
        """None when one answer is good for the sample: HTTP 200 from a backend with a share, the header on it."""
        reason = Answered(200, header=self.header).explain(outcome)
        if reason is not None:
            return reason
        backend = self.backend_of(outcome)
        if backend is None or not self.shares[backend]:
            pod = outcome.served_by or "a pod that does not say its name"
            return f"answered by {pod}, wanted " + " or ".join(name for name, weight in self.shares.items() if weight)
        return None

    def sample(self, observations: Sequence[Observation]) -> Sample:
        """The shares of the answers so far, with intervals and p-values, and whether they are the wanted ones."""
        lost = [seen.reason for seen in observations if isinstance(seen, Lost)]
        outcomes = [seen for seen in observations if isinstance(seen, Outcome)]
        counts = Counter(self.backend_of(outcome) for outcome in outcomes)
        weighed = weigh(self.scaled, {name: counts[name] for name in self.shares}, len(outcomes))
        if lost:
            doubt = f"{len(lost):,} of {len(observations):,} probes proved nothing: {lost[0]}"
            return replace(weighed, reason=None, doubt=doubt, more=0)
        strays = [(outcome, reason) for outcome in outcomes if (reason := self.explain(outcome)) is not None]
        if strays:
            told = f"{len(strays):,} of {len(outcomes):,} answers don't belong to the split, the first: {strays[0][1]}"
            if stale([outcome for outcome, _ in strays], max(len(outcomes), TOGETHER * self.size)):
                return replace(weighed, reason=None, doubt=told, more=0)
            return replace(weighed, reason=told, doubt=None, more=0)
        return weighed

    def __str__(self) -> str:
        return "split " + ", ".join(f"{backend} {share:.3g}" for backend, share in self.scaled.items())


@dataclass(frozen=True)
class Statuses(Split):
    """The answers have these statuses in these shares, `{"200": 90, "418": 10}`: 200 by the application, else a proxy.

    `header` is one that the route adds to what the application answers; before the manifest all answers are 200.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = [status for status in self.shares if not status.isdecimal() or not 100 <= int(status) <= 599]
        if wrong:
            raise ValueError(f"a share is that of an HTTP status, not of {wrong[0]!r}")
        if self.header is None:
            raise ValueError("Statuses needs the header that tells an answer of the route from one before it")

    def backend_of(self, outcome: Outcome) -> str | None:
        """The status, where it has a share."""
        return str(outcome.status) if str(outcome.status) in self.shares else None

    def explain(self, outcome: Outcome) -> str | None:
        """None when one answer is good for the sample: one of the statuses, made by whom it must be."""
        if outcome.status != 200 and self.shares.get(str(outcome.status)):
            return Answered(outcome.status, by_proxy=True).explain(outcome)
        return Answered(200, header=self.header).explain(outcome)
