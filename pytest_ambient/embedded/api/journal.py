"""The order of things: changes are numbered, remembered for a while and told to whoever listens."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from ..objects import Object
from .resources import Resource

REMEMBERED = 1000
"""How many changes a watch can look back."""
FIRST = 1000
_LOG = logging.getLogger(__name__)

Word: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Change:
    """One change of one object; `version` is the cluster's resourceVersion after it."""

    type: Word
    resource: Resource
    object: Object
    old: Object | None
    version: int


def timestamp(after: float = 0) -> str:
    """Now, or `after` seconds from now, as objects carry it."""
    moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() + after, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Journal:
    """All changes, the last thousand remembered."""

    def __init__(self) -> None:
        self.version = FIRST
        self._history: deque[Change] = deque(maxlen=REMEMBERED)
        self._untold: deque[Change] = deque()
        self._listeners: list[Callable[[Change], None]] = []
        self._telling = False

    def subscribe(self, seen: Callable[[Change], None]) -> Callable[[], None]:
        """Call `seen` after each change, in order; returns what ends that."""
        self._listeners.append(seen)
        return lambda: self._listeners.remove(seen)

    def since(self, version: int) -> Iterable[Change] | None:
        """The changes after that version, None when they are no longer remembered."""
        oldest = self._history[0].version if self._history else self.version + 1
        if version < oldest - 1:
            return None
        return [each for each in self._history if each.version > version]

    def add(self, word: Word, resource: Resource, new: Object, old: Object | None) -> None:
        """Number a change, in the object too; it is told with the next `tell`."""
        self.version += 1
        new["metadata"]["resourceVersion"] = str(self.version)
        change = Change(word, resource, new, old, self.version)
        self._history.append(change)
        self._untold.append(change)

    def tell(self) -> None:
        """Tell all, in order; a change made by a listener is told after the one it is listening to."""
        if self._telling:
            return
        self._telling = True
        while self._untold:
            change = self._untold.popleft()
            for seen in tuple(self._listeners):
                try:
                    seen(change)
                except Exception:  # the change stands, and the others must hear of it all the same
                    name = change.object["metadata"]["name"]
                    _LOG.exception("listener failed on %s %s %s", change.type, change.resource.qualified, name)
        self._telling = False
