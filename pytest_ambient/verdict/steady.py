"""The expectation of a steady stream of requests while something is broken and mended, and what came of one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pytest_ambient.verdict.answered import Answered
from pytest_ambient.verdict.denied import DeniedL4, DeniedL7, Unauthorized
from pytest_ambient.verdict.outcome import Lost, Observation, Outcome
from pytest_ambient.verdict.seen import Doubt, seen, unresolved

PER_SECOND = 10
"""Requests that a stream sends a second, one after another over new connections."""
FEWEST = 10
"""Requests that say anything about a time."""
BLIND = 0.5
"""The share of a stream's time in which it may have been unable to ask."""

_KINDS = {6: "no address", 7: "refused", 28: "timeout", 35: "tls", 52: "closed", 56: "reset"}
_REFUSALS = (401, 403)


@dataclass(frozen=True)
class Request:
    """One request of a stream; seconds by the clock of the rule."""

    begun: float
    ended: float
    seen: Observation = field(hash=False)


@dataclass(frozen=True)
class Gap:
    """A time without service: from the first request that was not answered to the next one that was, or the end."""

    start: float
    """Seconds since the manifest was applied."""
    seconds: float


@dataclass(frozen=True)
class Stream:
    """What came of all requests of a stream."""

    requests: int
    seconds: float
    good: int
    """Answered, or denied, as wanted."""
    errors: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Requests that failed, by kind: `reset`, `refused`, `timeout`, `503` …"""
    wrong: int = 0
    """Requests that were answered as they must never be."""
    gaps: tuple[Gap, ...] = ()
    lost: int = 0
    """Requests of which nothing is known: their exec was lost."""
    blind: float = 0.0
    """The longest time in which nothing could be asked, in seconds."""
    reason: str | None = None
    """Why the promise is broken; None when it is kept, or nothing is proved."""
    doubt: Doubt | None = None
    """Why nothing is proved."""

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def longest(self) -> float:
        """The longest time without service, in seconds."""
        return max((gap.seconds for gap in self.gaps), default=0.0)

    def __str__(self) -> str:
        failed = sum(self.errors.values())
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.errors.items()))
        text = f"stream: {self.requests:,} requests in {self.seconds:.1f} s ({self.rate:.1f}/s)"
        text += f", {self.good:,} as wanted"
        text += f", {failed:,} failed ({100 * failed / self.requests:.1f} %: {kinds})" if failed else ""
        text += f", {self.wrong:,} wrong" if self.wrong else ""
        if self.gaps:
            times = ", ".join(f"{1000 * gap.seconds:,.0f} ms from {gap.start:+.1f} s" for gap in self.gaps[:5])
            more = f" and {len(self.gaps) - 5} more" if len(self.gaps) > 5 else ""
            text += f"; without service {times}{more}"
        return text + (f"; nothing known of {self.lost:,}" if self.lost else "")


@dataclass(frozen=True)
class Steady:
    """A steady stream of requests, from before the manifest until it is undone, never gets anything else than `of`.

    A request may fail on its way: the time without service is measured and may be `gap` seconds at once, None for any
    time. A denied call that an application answers, or another answer than the one wanted, breaks the promise at once.
    """

    of: Answered | DeniedL4 | DeniedL7 | Unauthorized
    gap: float | None = 30.0

    needs_witness = False
    holds_still = False

    def __post_init__(self) -> None:
        if self.gap is not None and self.gap <= 0:
            raise ValueError(f"gap must be seconds above 0, not {self.gap!r}")

    @property
    def denies(self) -> bool:
        """Whether the call is to be denied."""
        return self.of.denies

    def explain(self, outcome: Outcome) -> str | None:
        """None for one request that is as wanted or failed; else what came through, or was answered in its place."""
        return seen(outcome) if self._kind(outcome) == "wrong" else None

    def weigh(self, requests: Sequence[Request], applied: float, beside: "Stream | None" = None) -> Stream:
        """What came of a stream; `applied` is when the manifest was, `beside` the stream of a denial's twin."""
        told = [(one, self._kind(one.seen)) for one in requests if isinstance(one.seen, Outcome)]
        lost, kinds = len(requests) - len(told), Counter(kind for _, kind in told)
        whole = requests[-1].ended - requests[0].begun if requests else 0.0
        pauses = [later.begun - earlier.ended for (earlier, _), (later, _) in pairwise(told)]
        errors = {kind: number for kind, number in kinds.items() if kind not in ("good", "wrong")}
        gaps = () if self.denies else tuple(_gaps(told, applied))
        blind = max(pauses, default=0.0)
        stream = Stream(len(told), whole, kinds["good"], errors, kinds["wrong"], gaps, lost, blind)
        reason = self._broken(told, stream, applied)
        return replace(stream, reason=reason, doubt=None if reason else self._doubt(requests, stream, beside))

    def _broken(self, told: "Sequence[tuple[Request, str]]", stream: Stream, applied: float) -> str | None:
        wrong = [one for one, kind in told if kind == "wrong"]
        if wrong:
            first = wrong[0]
            assert isinstance(first.seen, Outcome)
            when, what = f"{first.begun - applied:+.1f} s", "let through" if self.denies else "answered otherwise"
            return f"{len(wrong):,} of {stream.requests:,} requests {what}, the first at {when}: {seen(first.seen)}"
        late = [gap for gap in stream.gaps if self.gap is not None and gap.seconds > self.gap]
        if late:
            last = next(one for one, kind in reversed(told) if kind != "good")
            assert isinstance(last.seen, Outcome)
            return f"no service for {late[0].seconds:.1f} s, from {late[0].start:+.1f} s on: {seen(last.seen)}"
        return None

    def _doubt(self, requests: Sequence[Request], stream: Stream, beside: "Stream | None") -> Doubt | None:
        if stream.requests < FEWEST or stream.blind > BLIND * stream.seconds:
            lost = next((one.seen.reason for one in requests if isinstance(one.seen, Lost)), "the stream was too short")
            asked = f"only {stream.requests:,} requests in {stream.seconds:.1f} s"
            return Doubt(f"{asked}, nothing for {stream.blind:.1f} s: {lost}")
        if self.denies and (beside is None or not beside.good):
            return Doubt("denied, which proves nothing: no request of its twin's stream was answered")
        return None if stream.good else Doubt(f"no request was {self.of}: {stream}")

    def _kind(self, one: Observation) -> str:
        assert isinstance(one, Outcome)
        reason = self.of.explain(one)
        if reason is None or (isinstance(reason, Doubt) and (one.status > 0 or self.denies)):
            return "good"
        if self._never(one):
            return "wrong"
        if one.status and not one.exit_code:
            return str(one.status)
        return "no address" if unresolved(one) else _KINDS.get(one.exit_code, f"curl {one.exit_code}")

    def _never(self, one: Outcome) -> bool:
        """Whether that answer must never come. A proxy's or anybody's refusal and 5xx are failures on the way."""
        if self.denies:
            return 0 < one.status < 500 and one.status not in _REFUSALS and not one.made_by_proxy
        return 0 < one.status < 400 and not one.exit_code

    def __str__(self) -> str:
        if self.denies:
            return f"all the time: {self.of}, or no answer"
        return f"all the time: {self.of}, or no answer" + (f" for {self.gap:g} s at most" if self.gap else "")


def _gaps(told: "Sequence[tuple[Request, str]]", applied: float) -> list[Gap]:
    """Times between an answer that did not come and the next that did."""
    found: list[Gap] = []
    since: float | None = None
    for one, kind in told:
        if kind in ("good", "wrong"):
            found += [Gap(since - applied, one.begun - since)] if since is not None else []
            since = None
        elif since is None:
            since = one.begun
    return [*found, Gap(since - applied, told[-1][0].ended - since)] if since is not None else found
