"""A client at a container's own program: it sees what that writes and may write to its input."""

import asyncio
import contextlib

from .log import ContainerLog
from .protocol import Stream


class Attached:
    """The program as its client has it: when it ends the streams do; when the client goes, it goes on."""

    def __init__(self, log: ContainerLog, source: asyncio.StreamWriter | None, *, since: int, tty: bool) -> None:
        """Lines before number `since` are not shown; with `tty` lines end as on a terminal."""
        self._source = source
        self._end = b"\r\n" if tty else b"\n"
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=64)
        self._pump = asyncio.create_task(self._follow(log, since))

    async def write(self, data: bytes) -> None:
        """Send bytes to its input; dropped when it has none."""
        if self._source and not self._source.is_closing():
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._source.write(data)
                await self._source.drain()

    async def close_input(self) -> None:
        """Let it read end-of-file."""
        if self._source:
            self._source.close()

    async def read(self) -> tuple[Stream, bytes] | None:
        """Return its next lines as they come, None when it has ended or the client has gone."""
        piece = await self._pieces.get()
        return None if piece is None else ("stdout", piece)

    async def wait(self) -> int:
        """Whatever its exit code is, being attached went well."""
        return 0

    def kill(self) -> None:
        """Go away; the program stays, its input ends."""
        self._pump.cancel()
        if self._source:
            self._source.close()
        with contextlib.suppress(asyncio.QueueFull):
            self._pieces.put_nowait(None)

    async def _follow(self, log: ContainerLog, since: int) -> None:
        number = 0
        async for line in log.follow():
            number += 1
            if number > since:
                await self._pieces.put(line.text.encode() + self._end)
        await self._pieces.put(None)
