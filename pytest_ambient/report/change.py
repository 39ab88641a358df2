"""One thing that is not in a report as it was in another."""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["worse", "better", "changed"]


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was."""

    what: str
    """A rule, a case, a feature, a version."""
    old: str
    new: str
    direction: Direction = "changed"
    why: str = ""
    parts: tuple["Change", ...] = ()
    """The cases of a rule."""
