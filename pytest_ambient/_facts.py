"""What a test says of itself: by the marker `ambient`, and by its row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from pytest_ambient.errors import Misuse

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


def merged(marks: Iterable[pytest.Mark], row: "Case | None") -> Facts:
    """All that is said: a row's word goes before its test's marker, a nearer marker before a farther one."""
    said: dict[str, object] = {}
    needs: list[str] = []
    for mark in marks:
        try:
            one = _facts(*mark.args, **mark.kwargs)
        except TypeError as error:
            raise Misuse(f"marker ambient: {str(error).removeprefix('_facts() ')}") from None
        needs += one.needs
        said = {**{name: getattr(one, name) for name in mark.kwargs}, **said}
    if row is not None:
        said |= {"case": row.id, "level": row.level, "scope": row.scope}
        said |= {"profile": row.profile} if row.profile else {}
        needs += row.features
    return Facts(**{**said, "needs": tuple(dict.fromkeys(needs))})  # type: ignore[arg-type]  # _facts checked each name


def _facts(
    *,
    rule: str = "",
    needs: str | Sequence[str] = (),
    profile: str | None = None,
    level: Literal["core", "extended", "documented"] = "core",
    scope: Literal["namespace", "mesh"] = "namespace",
    disruptive: bool = False,
) -> Facts:
    """The marker's arguments, by name only."""
    known = {"level": ("core", "extended", "documented"), "scope": ("namespace", "mesh")}
    for name, value in (("level", level), ("scope", scope)):
        if value not in known[name]:
            raise Misuse(f"marker ambient: {name} is one of {', '.join(known[name])}, not {value!r}")
    features = (needs,) if isinstance(needs, str) else tuple(needs)
    return Facts(rule, "", features, profile, level, scope, disruptive)
