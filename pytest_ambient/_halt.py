"""Asks the work of other threads to end: their waits are cut short and their child processes ended."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Halt:
    """A request to end, heeded by every thread that works `under` it."""

    def __init__(self) -> None:
        self._event, self._lock = threading.Event(), threading.Lock()
        self._ends: list[Callable[[], None]] = []

    def set(self) -> None:
        """Ask: whatever waits or runs a command in those threads raises KeyboardInterrupt there."""
        with self._lock:
            self._event.set()
            ends, self._ends = self._ends, []
        for end in ends:
            end()

    def check(self) -> None:
        """KeyboardInterrupt when it was asked for."""
        if self._event.is_set():
            raise KeyboardInterrupt

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Call `end`, once, should the request come meanwhile; it may come from any thread."""
        with self._lock:
            self.check()
            self._ends.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends = [one for one in self._ends if one is not end]

    def sleep(self, seconds: float) -> None:
        """Sleep, or KeyboardInterrupt as soon as it is asked for."""
        self._event.wait(seconds)
        self.check()


_current: ContextVar[Halt | None] = ContextVar("halt", default=None)


@contextmanager
def under(halt: Halt) -> Iterator[None]:
    """Let this thread heed a request."""
    token = _current.set(halt)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Halt:
    """What this thread heeds; a request that never comes where nobody said."""
    return _current.get() or Halt()


def sleep(seconds: float) -> None:
    """Sleep, unless this thread's work shall end."""
    halt = _current.get()
    if halt is None:
        time.sleep(seconds)
    else:
        halt.sleep(seconds)
