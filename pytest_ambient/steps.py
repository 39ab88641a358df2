"""A step of a bring-up: one thing that is done at the start and, perhaps, undone at the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Step:
    """One thing to do; `do` ends by itself within a time of its own and raises BrokenEnvironment when it fails."""

    name: str
    """Two or three words for the line that tells how long it took: `gateway-api v1.5.1`."""
    do: Callable[[], None]
    undo: Callable[[], None] | None = None
    """Takes back what `do` did, half-done things too, and does nothing when there is nothing to take back."""
    tries: int = 1
    """How often `do` is tried, where the tool beneath is known to fail without a reason."""


Group: TypeAlias = Sequence[Step]
"""Steps that know nothing of each other and so go side by side; groups go one after another."""
