"""Status conditions: what an object says about itself, and what a case expects it to say."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """One status condition, of the object or of a part: `parent` names a route's parentRef, `listener` a Gateway's."""

    type: str
    status: str
    reason: str
    message: str = ""
    observed_generation: int | None = None
    parent: str = ""
    listener: str = ""

    def __str__(self) -> str:
        return f"{self.type}={self.status} ({self.reason})" + (f" of {self.listener}" if self.listener else "")


@dataclass(frozen=True)
class ObjectStatus:
    """What the API server answered for a Status: whether the object is there and its conditions."""

    exists: bool
    conditions: tuple[Condition, ...] = ()
    generation: int | None = None

    def __str__(self) -> str:
        if not self.exists:
            return "no such object"
        return "conditions " + ", ".join(map(str, self.conditions)) if self.conditions else "no conditions"


@dataclass(frozen=True)
class HasCondition:
    """The object, or with `listener` that part of a Gateway, has this condition, written for its present generation."""

    type: str
    status: str = "True"
    reason: str | None = None
    listener: str = ""

    needs_witness = False
    denies = False
    holds_still = False

    def explain(self, status: ObjectStatus) -> str | None:
        """None when the condition is there; else what is there in its place."""
        candidates = [condition for condition in status.conditions if _same(self, condition)]
        if not candidates:
            return str(status)
        if all(_fits(self, condition) for condition in candidates):
            stale = [seen for seen in candidates if _stale(seen, status)]
            return f"{stale[0]} of an older generation" if stale else None
        return ", ".join(_shown(candidates))

    def __str__(self) -> str:
        return f"condition {_words(self)}"


@dataclass(frozen=True)
class LacksCondition:
    """The object is not there, or has no such condition: what HasCondition is before its manifest."""

    type: str
    status: str = "True"
    reason: str | None = None
    listener: str = ""

    needs_witness = False
    denies = False
    holds_still = False

    def explain(self, status: ObjectStatus) -> str | None:
        """None when the condition is absent; else the condition."""
        there = [seen for seen in status.conditions if _same(self, seen) and _fits(self, seen)]
        return ", ".join(_shown(there)) or None

    def __str__(self) -> str:
        return f"no condition {_words(self)}"


def _same(wanted: HasCondition | LacksCondition, seen: Condition) -> bool:
    return (seen.type, seen.listener) == (wanted.type, wanted.listener)


def _words(wanted: HasCondition | LacksCondition) -> str:
    reason = f" ({wanted.reason})" if wanted.reason else ""
    return f"{wanted.type}={wanted.status}{reason}" + (f" of listener {wanted.listener}" if wanted.listener else "")


def _stale(condition: Condition, status: ObjectStatus) -> bool:
    seen, now = condition.observed_generation, status.generation
    return seen is not None and now is not None and seen < now


def _shown(conditions: list[Condition]) -> Iterator[str]:
    for condition in conditions:
        yield f"{condition}: {condition.message}" if condition.message else str(condition)


def _fits(wanted: HasCondition | LacksCondition, seen: Condition) -> bool:
    return seen.status == wanted.status and wanted.reason in (None, seen.reason)
