"""The expectation of a connection that is open when a manifest comes: whether it goes on while new ones are denied."""

from dataclasses import dataclass

from pytest_ambient.verdict.call import GET, Call
from pytest_ambient.verdict.denied import DeniedL4
from pytest_ambient.verdict.outcome import Lost, Observation, Outcome
from pytest_ambient.verdict.seen import CLOSED, Doubt, seen

AFTER = 1.0
"""Seconds that a connection must be seen to go on after new ones were denied: what cuts it does so at once."""


@dataclass(frozen=True)
class Connection:
    """What became of a connection that was opened before a manifest; seconds since that was applied."""

    observed: Observation
    ended: float

    @property
    def opened(self) -> float:
        """When curl began with it, no later than this."""
        return self.ended - self.observed.total_ms / 1000 if isinstance(self.observed, Outcome) else self.ended


@dataclass(frozen=True)
class Outlives:
    """New connections are denied as `of` says; one that was open before goes on, or with `cut=True` ends at once.

    `slow` is a URL whose answer takes so many `seconds`: the connection that is opened before.
    """

    slow: str
    of: DeniedL4
    cut: bool = False
    seconds: float = 6.0

    needs_witness = True
    denies = True
    holds_still = False

    @property
    def call(self) -> Call:
        """What goes over the connection."""
        return GET(self.slow)

    def explain(self, outcome: Outcome) -> str | None:
        """None when a new connection is denied; else what happened to it."""
        return self.of.explain(outcome)

    def fate(self, connection: Connection, denied: float) -> str | None:
        """None when the open connection did as it must; `denied` is when new ones were, seconds since the apply."""
        one = connection.observed
        if isinstance(one, Lost):
            return Doubt(f"the connection opened before: {one.reason}")
        told = f"the connection opened before: {seen(one)}, {connection.ended:.1f} s after the apply"
        if connection.opened >= 0 or connection.ended <= 0 or not one.connected:
            return Doubt(f"{told}; it was not open at that moment")
        if one.exit_code in CLOSED and not one.status:
            return None if self.cut else told
        if one.status != 200 or one.exit_code:
            return Doubt(told)
        if connection.ended < denied + AFTER:
            return Doubt(f"{told}; new ones were denied only after {denied:.1f} s, which proves nothing")
        return f"{told}; new ones were denied after {denied:.1f} s" if self.cut else None

    def __str__(self) -> str:
        fate = "is cut" if self.cut else "goes on"
        return f"{self.of}; a connection opened before {fate}"
