"""How a controller works: it is told which object may have changed and brings that one to where it should be."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable

from ..api.errors import ApiError
from ..api.store import Change, Store
from ..objects import name_of, namespace_of

Key = tuple[str, str]
"""Namespace and name."""

_log = logging.getLogger(__name__)
_FIRST, _LONGEST = 0.05, 10.0


class Controller(ABC):
    """Looks at one object at a time, after the change that touched it has been told to everybody."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._due: dict[Key, None] = {}
        self._failures: dict[Key, int] = {}
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._soon: asyncio.Handle | None = None
        self._unsubscribe = store.subscribe(self._seen)

    @abstractmethod
    def touched(self, change: Change) -> Iterable[Key]:
        """Whom a change concerns."""

    @abstractmethod
    def reconcile(self, namespace: str, name: str) -> None:
        """Bring one object to where it should be; it may be gone. An ApiError is tried again later."""

    def enqueue(self, key: Key, after: float = 0) -> None:
        """Look at an object soon, or after some seconds."""
        if after > 0:
            earlier = self._later.pop(key, None)
            if earlier:
                earlier.cancel()
            self._later[key] = asyncio.get_running_loop().call_later(after, self._ripe, key)
            return
        self._due[key] = None
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._work)

    def stop(self) -> None:
        """Look at nothing more."""
        self._unsubscribe()
        for each in (self._soon, *self._later.values()):
            if each:
                each.cancel()

    def _seen(self, change: Change) -> None:
        for key in self.touched(change):
            self.enqueue(key)

    def _ripe(self, key: Key) -> None:
        self._later.pop(key, None)
        self.enqueue(key)

    def _work(self) -> None:
        self._soon = None
        due, self._due = self._due, {}
        for key in due:
            try:
                self.reconcile(*key)
            except ApiError as error:
                failures = self._failures[key] = self._failures.get(key, -1) + 1
                _log.info("%s %s/%s: %s", type(self).__name__, *key, error.message)
                self.enqueue(key, min(_FIRST * 2**failures, _LONGEST))
            except Exception:
                # one object that a controller can't handle must not stop the others
                _log.exception("%s %s/%s", type(self).__name__, *key)
            else:
                self._failures.pop(key, None)


def itself(change: Change) -> Key:
    """The changed object's own key."""
    return namespace_of(change.object), name_of(change.object)
