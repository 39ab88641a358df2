"""The expectations of a failure that is nobody's decision: unreachable, or no answer in time."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from pytest_ambient.verdict.outcome import UPSTREAM_ERROR, Outcome
from pytest_ambient.verdict.seen import CLOSED, CONNECT, RESOLVE, Doubt, seen, unresolved

Why: TypeAlias = Literal["no address", "no connection", "no route", "no healthy upstream", "lost waypoint"]

_WORDS: dict[str, str] = {
    "no address": "the name has no address",
    "no connection": "TCP refused or without a route",
    "no route": "a proxy without a route for the request",
    "no healthy upstream": "a proxy without a healthy upstream",
    "lost waypoint": "ztunnel without its waypoint",
}


@dataclass(frozen=True)
class Unreachable:
    """The call failed on its way without any policy; `why` names the failure, None takes any of them."""

    why: Why | None = None

    needs_witness = True
    denies = False
    holds_still = False

    def __post_init__(self) -> None:
        if self.why not in (None, *get_args(Why)):
            raise ValueError(f"why must be one of {', '.join(get_args(Why))}; not {self.why!r}")

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else what happened, as a Doubt when it may have been a denial."""
        possible = _possible(outcome)
        if not possible or self.why not in (None, *possible):
            return seen(outcome)
        if _may_be_denial(outcome):
            return Doubt(f"{seen(outcome)}; nothing from ztunnel about it, it may have been a denial")
        return None

    def __str__(self) -> str:
        return f"unreachable: {_WORDS[self.why]}" if self.why else "unreachable, not denied"


@dataclass(frozen=True)
class TimedOut:
    """Nothing came back in time: no HTTP byte, no reset."""

    needs_witness = False
    denies = False
    holds_still = False

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else what happened. A name that did not resolve in time is no time-out of the peer."""
        return None if outcome.silent and not unresolved(outcome) else seen(outcome)

    def __str__(self) -> str:
        return "no answer in time"


def _possible(outcome: Outcome) -> tuple[str, ...]:
    """The names of the failure; more than one, or one that may be a denial, only where no proxy testifies."""
    witness = outcome.witness
    if outcome.exit_code == RESOLVE or unresolved(outcome):
        return ("no address",)
    if outcome.exit_code == CONNECT:
        return ("no connection",)
    if witness is not None and witness.verdict != "failed":
        return ()
    if outcome.status:
        return _proxy_answer(outcome) if outcome.made_by_proxy else ()
    if outcome.exit_code not in CLOSED:
        return ()
    if witness is None:
        return ("lost waypoint", "no healthy upstream")
    return ("lost waypoint",) if "waypoint" in witness.reason else ("no healthy upstream",)


def _proxy_answer(outcome: Outcome) -> tuple[str, ...]:
    if outcome.status in (404, 500) and not outcome.body:
        return ("no route",)
    return ("no healthy upstream",) if outcome.status == 503 else ()


def _may_be_denial(outcome: Outcome) -> bool:
    """A refusal looks the same from outside: only ztunnel could tell."""
    if outcome.witness is not None:
        return False
    return outcome.exit_code in CLOSED or outcome.body.startswith(UPSTREAM_ERROR)
