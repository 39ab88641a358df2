"""What proxies write and count about a call, what ztunnels hold, and the expectations of all three."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from pytest_ambient.verdict.answered import Answered
from pytest_ambient.verdict.denied import DeniedL4, DeniedL7
from pytest_ambient.verdict.outcome import Growth, Outcome, Sample
from pytest_ambient.verdict.seen import Doubt, quoted, seen

Line: TypeAlias = Literal["outbound", "inbound", "waypoint"]
Wanted: TypeAlias = Mapping[str, str | None]
"""By name a text, with `*` before or behind it for any rest, `*` alone for any text; None for what must be absent."""

_WRITERS = {
    "outbound": "the caller's ztunnel",
    "inbound": "the destination's ztunnel",
    "waypoint": "the waypoint",
}
ANSWERED = Answered(200)
MOST = 3
"""How many other counters a reason lists."""


@dataclass(frozen=True)
class Logged:
    """The call went as `of` says, and a proxy wrote a line about it whose fields are as wanted.

    `line` names the writer: `outbound` the caller's ztunnel, `inbound` the destination's, `waypoint` that proxy.
    """

    line: Line
    fields: Wanted = field(hash=False)
    of: Answered | DeniedL4 | DeniedL7 = ANSWERED

    needs_witness = True
    holds_still = False

    def __post_init__(self) -> None:
        if self.line not in get_args(Line):
            raise ValueError(f"line must be one of {', '.join(get_args(Line))}; not {self.line!r}")
        if not self.fields:
            raise ValueError("Logged needs at least one field")

    @property
    def denies(self) -> bool:
        """Whether the call is to be denied."""
        return self.of.denies

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else what the line says in its place, as a Doubt when no proxy wrote anything."""
        reason = self.of.explain(outcome)
        if reason is not None:
            return reason
        written = outcome.records.get(self.line)
        if written is None:
            text = f"{seen(outcome)}; {_WRITERS[self.line]} wrote no line about it"
            return text if outcome.records else Doubt(text)
        wrong = ", ".join(_differing(self.fields, written))
        return f"{seen(outcome)}; the line of {_WRITERS[self.line]} has {wrong}" if wrong else None

    def __str__(self) -> str:
        return f"{self.of}; a line of {_WRITERS[self.line]} with {_words(self.fields)}"


@dataclass(frozen=True)
class Unlogged:
    """The call went through a waypoint that wrote no line about it, though it had time to."""

    of: Answered = ANSWERED

    needs_witness = True
    denies = False
    holds_still = False

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else the line, as a Doubt when no ztunnel tells that there was a waypoint."""
        reason = self.of.explain(outcome)
        if reason is not None:
            return reason
        if "outbound" not in outcome.records:
            return Doubt(f"{seen(outcome)}; nothing from ztunnel about its way")
        return f"{seen(outcome)}; the waypoint wrote a line about it" if "waypoint" in outcome.records else None

    def __str__(self) -> str:
        return f"{self.of}; no line of the waypoint"


@dataclass(frozen=True)
class Counted:
    """The call went as `of` says, and a counter with such labels grew by one for each such request, or by more.

    `at` names whose counter: `ztunnel`, those of all nodes together, or a waypoint of `namespace`.
    """

    metric: str
    labels: Wanted = field(hash=False)
    at: str = "ztunnel"
    of: Answered | DeniedL4 | DeniedL7 = ANSWERED
    namespace: str = "${NAMESPACE}"

    needs_witness = True
    holds_still = False

    @property
    def denies(self) -> bool:
        """Whether the call is to be denied."""
        return self.of.denies

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else what grew in its place, as a Doubt when the counters could not be read."""
        reason = self.of.explain(outcome)
        if reason is not None:
            return reason
        if outcome.growth is None:
            return Doubt(f"{seen(outcome)}; the counters of {self.at} could not be read")
        reason = self.lacking(outcome.growth)
        return f"{seen(outcome)}; {reason}" if reason else None

    def lacking(self, growth: Growth) -> str | None:
        """None when the counter has grown enough; else by how much, and what others did."""
        named = [one for one in growth.samples if one.name == self.metric]
        mine = [one for one in named if not any(_differing(self.labels, one.labels))]
        grown = sum(one.value for one in mine)
        if grown >= growth.requests:
            return None
        if growth.names is not None and self.metric not in growth.names:
            return f"{self.at} has no {self.metric}, with whatever labels"
        others = sorted((one for one in named if one not in mine), key=self._distance)[:MOST]
        told = "; ".join(f"+{one.value:g} with {', '.join(_differing(self.labels, one.labels))}" for one in others)
        text = f"{self.metric} of {self.at} grew by {grown:g}, not by {growth.requests}"
        return f"{text}; others: {told}" if told else text

    def _distance(self, sample: Sample) -> int:
        return len(list(_differing(self.labels, sample.labels)))

    def __str__(self) -> str:
        return f"{self.of}; {self.metric} of {self.at} grows with {_words(self.labels)}"


@dataclass(frozen=True)
class Held:
    """The certificates of one identity at the ztunnel of one node."""

    node: str
    states: tuple[str, ...]


@dataclass(frozen=True)
class Holdings:
    """What the ztunnels hold of an identity, on each node where pods have it."""

    held: tuple[Held, ...]

    def __str__(self) -> str:
        told = (f"{', '.join(one.states) or 'none'} on {one.node}" for one in self.held)
        return f"certificates: {'; '.join(told)}" if self.held else "no captured pod has that identity"


@dataclass(frozen=True)
class OneCertificate:
    """On each node with pods of the identity its ztunnel holds one certificate for all of them, ready for use."""

    needs_witness = False
    denies = False
    holds_still = False

    def explain(self, holdings: Holdings) -> str | None:
        """None when it holds; else what is held."""
        fine = all(one.states == ("Available",) for one in holdings.held)
        return None if holdings.held and fine else str(holdings)

    def __str__(self) -> str:
        return "one certificate, Available, on each node where pods have the identity"


def _differing(wanted: Wanted, found: Mapping[str, str]) -> Iterator[str]:
    """`NAME=VALUE` of what is not as wanted."""
    for name, value in wanted.items():
        if not _fits(value, found.get(name)):
            yield f"{name}={quoted(found[name], 100)}" if name in found else f"no {name}"


def _fits(wanted: str | None, value: str | None) -> bool:
    if wanted is None or value is None:
        return wanted is value
    if wanted == "*":
        return bool(value)
    if wanted.endswith("*"):
        return value.startswith(wanted[:-1])
    return value.endswith(wanted[1:]) if wanted.startswith("*") else value == wanted


def _words(wanted: Wanted) -> str:
    return ", ".join(_pairs(wanted.items()))


def _pairs(items: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    for name, value in items:
        yield f"no {name}" if value is None else f"{name}={value}"
