"""One row of a rule's table: who calls, what, and what must happen, before the manifest and after."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Literal, TypeVar

from pytest_ambient.errors import Misuse
from pytest_ambient.verdict.call import Call, Question
from pytest_ambient.verdict.expectation import (
    AnyExpectation,
    Counted,
    DeniedL4,
    DeniedL7,
    Logged,
    Outlives,
    TimedOut,
    Unlogged,
)
from pytest_ambient.verdict.illegal import illegal
from pytest_ambient.verdict.variant import Unsupported, Variant, World, chosen

Level = Literal["core", "extended", "documented"]
Scope = Literal["namespace", "mesh"]
_NAME = re.compile(r"\$\{([A-Z_]+)\}")
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Case:
    """One item of a rule. An illegal combination raises Misuse, one line, when it is made."""

    id: str
    source: str | None
    """A workload in our namespace, `other/NAME`, `outside/NAME`; None for a question that no pod asks."""
    call: Call | Question
    expectation: AnyExpectation
    before: AnyExpectation | None
    """What holds before the manifest; None when nothing is asked then."""
    state: str | None = None
    """Which of the rule's manifests, `test_<stem>.<state>.yaml`, it belongs to."""
    unchanged: bool = False
    twin: str | None = None
    """The id of the answered case that differs from this denial in one thing."""
    level: Level = "core"
    profile: str | None = None
    features: tuple[str, ...] = ()
    scope: Scope = "namespace"
    on: tuple[Variant, ...] = ()
    """What is expected elsewhere: on another data plane, with another version."""
    where: str = ""
    """The condition of `on` under which this is the expectation; empty for the one of the table."""
    within: float | None = None
    """Seconds that the effect may take where that is longer than for others: what shows it looks only now and then."""
    answered_twin: "Case | None" = field(default=None, repr=False)
    """The twin itself, probed beside the denial even when it was not selected; filled in by the table."""

    def __post_init__(self) -> None:
        reason = illegal(self)
        if reason is not None:
            raise Misuse(f"case {self.id!r}: {f'on {self.where}: ' if self.where else ''}{reason}")
        for variant in self.on:
            if not isinstance(variant.expected, Unsupported):
                _instead(self, variant.where.text, variant.expected)

    @property
    def title(self) -> str:
        """Who does what, in words."""
        return f"{self.source} -> {self.call}" if self.source else str(self.call)

    @property
    def holds_still(self) -> bool:
        """Whether the verdict must be seen to stay: it denies (by dropping, too), names a backend or is unchanged."""
        return self.expectation.holds_still or self._drops or (self.unchanged and isinstance(self.call, Call))

    @property
    def _drops(self) -> bool:
        """Whether silence is how this denial shows."""
        return isinstance(self.expectation, TimedOut) and self.twin is not None

    @property
    def varies(self) -> bool:
        """Whether what runs decides what is expected, or whether anything is."""
        return bool(self.on) or _rests_on_witness(self.expectation)

    def there(self, world: World) -> "Case | Unsupported":
        """The case as it is where this runs; Unsupported where nothing is expected."""
        found = chosen(self.on, world)
        if isinstance(found, Unsupported):
            return found
        if isinstance(found, Variant):
            if isinstance(found.expected, Unsupported):
                return found.expected
            case = _instead(self, found.where.text, found.expected)
        else:
            case = replace(self, on=()) if self.on else self
        mute = [one for one in (case.expectation, case.before) if world.silent and one and _rests_on_witness(one)]
        if mute:
            return Unsupported(f"{mute[0]} needs a proxy's word; {world.silent}")
        return _beside_twin(case, world)

    def filled(self, names: Mapping[str, str]) -> "Case":
        """The case with `${NAMESPACE}` and its like filled in everywhere; Misuse for a name that is not given."""
        try:
            return _filled(self, names)
        except KeyError as error:
            raise Misuse(f"case {self.id!r}: no value for ${{{error.args[0]}}}") from None


def _instead(case: Case, where: str, expected: AnyExpectation) -> Case:
    """The case with another expectation; silence in the place of a denial is one, and keeps its twin."""
    denial = expected.denies or (isinstance(expected, TimedOut) and case.expectation.denies)
    twin = (case.twin, case.answered_twin) if denial else (None, None)
    unchanged = case.unchanged and expected == case.before
    return replace(
        case, expectation=expected, unchanged=unchanged, twin=twin[0], answered_twin=twin[1], on=(), where=where
    )


def _beside_twin(case: Case, world: World) -> Case:
    """The case with its twin as that is where this runs; none for what is no denial."""
    if not case.expectation.denies and not (case.where and isinstance(case.expectation, TimedOut)):
        return replace(case, twin=None, answered_twin=None) if case.twin else case
    twin = case.answered_twin.there(world) if case.answered_twin else None
    return replace(case, answered_twin=twin) if isinstance(twin, Case) else case


def _rests_on_witness(expectation: AnyExpectation) -> bool:
    """Whether it cannot hold without a proxy's own word about L4, which also leads to the waypoint's."""
    told = isinstance(expectation, DeniedL4 | Logged | Unlogged | Counted | Outlives)
    return told or (isinstance(expectation, DeniedL7) and expectation.by is not None)


def _filled(value: _Value, names: Mapping[str, str]) -> _Value:
    """The value with every text in it filled in, however deep."""
    filled: object = value
    if isinstance(value, str):
        filled = _NAME.sub(lambda name: names[name[1]], value)
    elif isinstance(value, tuple):
        filled = tuple(_filled(item, names) for item in value)
    elif isinstance(value, dict):
        filled = {_filled(key, names): _filled(item, names) for key, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        changes = {part.name: _filled(getattr(value, part.name), names) for part in fields(value)}
        filled = replace(value, **changes)
    return filled  # type: ignore[return-value]  # the branches above keep the type
