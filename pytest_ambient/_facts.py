"""What a test says of itself: by the marker `ambient`, and by its row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.verdict.profiles import unknown
from pytest_ambient.verdict.variant import Unsupported, Variant, variants

if TYPE_CHECKING:
    from pytest_ambient.verdict.case import Case


@dataclass(frozen=True)
class Facts:
    """What a test says of itself by the marker `ambient`; a case's own word goes before the marker's."""

    rule: str = ""
    case: str = ""
    needs: tuple[str, ...] = ()
    profile: str | None = None
    level: Literal["core", "extended", "documented"] = "core"
    scope: Literal["namespace", "mesh"] = "namespace"
    disruptive: bool = False
    on: tuple[Variant, ...] = ()
    """Where the test is unsupported."""


def merged(marks: Iterable[pytest.Mark], row: "Case | None") -> Facts:
    """All that is said: a row's word goes before its test's marker, a nearer marker before a farther one."""
    said: dict[str, object] = {}
    needs: list[str] = []
    on: list[Variant] = []
    for mark in marks:
        try:
            one = _facts(*mark.args, **mark.kwargs)
        except TypeError as error:
            raise Misuse(f"marker ambient: {str(error).removeprefix('_facts() ')}") from None
        needs += one.needs
        on += one.on
        said = {**{name: getattr(one, name) for name in mark.kwargs}, **said}
    if row is not None:
        said |= {"case": row.id, "level": row.level, "scope": row.scope}
        said |= {"profile": row.profile} if row.profile else {}
        needs += row.features
    return Facts(**{**said, "needs": tuple(dict.fromkeys(needs)), "on": tuple(on)})  # type: ignore[arg-type]  # _facts checked each name


def _facts(
    *,
    rule: str = "",
    needs: str | Sequence[str] = (),
    profile: str | None = None,
    level: Literal["core", "extended", "documented"] = "core",
    scope: Literal["namespace", "mesh"] = "namespace",
    disruptive: bool = False,
    on: Mapping[str, Unsupported] | None = None,
) -> Facts:
    """The marker's arguments, by name only."""
    elsewhere = _elsewhere(on or {})
    known = {"level": ("core", "extended", "documented"), "scope": ("namespace", "mesh")}
    for name, value in (("level", level), ("scope", scope)):
        if value not in known[name]:
            raise Misuse(f"marker ambient: {name} is one of {', '.join(known[name])}, not {value!r}")
    if profile is not None and (wrong := unknown(profile)):
        raise Misuse(f"marker ambient: profile {wrong}")
    features = (needs,) if isinstance(needs, str) else tuple(needs)
    nameless = [feature for feature in features if not isinstance(feature, str)]
    if nameless:
        raise Misuse(f"marker ambient: needs must be names of features, not {nameless[0]!r}")
    return Facts(rule, "", features, profile, level, scope, disruptive, elsewhere)


def _elsewhere(on: Mapping[str, Unsupported]) -> tuple[Variant, ...]:
    wrong = [key for key, value in on.items() if not isinstance(value, Unsupported)]
    if wrong:
        raise Misuse(f"marker ambient: on={{{wrong[0]!r}: …}} takes Unsupported(why); what is expected is for a case")
    try:
        return variants(on)
    except ValueError as error:
        raise Misuse(f"marker ambient: on: {error}") from None
