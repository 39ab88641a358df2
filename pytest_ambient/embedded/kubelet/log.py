"""What a container has written, kept in memory and followed by whoever asks."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence

from .protocol import LogLine

KEPT = 20_000
"""How many lines of a container are remembered."""


class ContainerLog:
    """The lines of one run of a container."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=KEPT)
        self._count = 0
        self._closed = False
        self._followers: set[asyncio.Event] = set()

    @property
    def lines(self) -> Sequence[LogLine]:
        """All lines so far, oldest first."""
        return tuple(self._lines)

    def append(self, text: str) -> None:
        """Add a line, stamped with this moment."""
        self._lines.append(LogLine(time.time(), text))
        self._count += 1
        self._wake()

    def close(self) -> None:
        """No more lines will come."""
        self._closed = True
        self._wake()

    async def follow(self) -> AsyncIterator[LogLine]:
        """Yield the lines so far and then each new one, until the container has ended."""
        seen = self._count - len(self._lines)
        more = asyncio.Event()
        self._followers.add(more)
        try:
            while True:
                more.clear()
                new = min(self._count - seen, len(self._lines))
                seen = self._count
                for line in list(self._lines)[len(self._lines) - new :]:
                    yield line
                if self._count > seen:
                    continue
                if self._closed:
                    return
                await more.wait()
        finally:
            self._followers.discard(more)

    def _wake(self) -> None:
        for each in self._followers:
            each.set()
