"""Commands that run in a container, as the API server and the container's own program see them."""

import asyncio
import contextlib
import os
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..process import Child, Processes
from .protocol import ExecProcess, Stream

_CHUNK = 1 << 16
_SHORT = 256
_PAUSE = 0.002


class Piped:
    """A command with its streams apart."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._output: asyncio.Queue[tuple[Stream, bytes] | None] = asyncio.Queue(maxsize=64)
        self._pump = asyncio.create_task(self._pump_all())

    async def write(self, data: bytes) -> None:
        """Send bytes to its standard input; bytes for a process that has gone are dropped."""
        if self._child.stdin:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._child.stdin.write(data)
                await self._child.stdin.drain()

    async def close_input(self) -> None:
        """Let it read end-of-file."""
        if self._child.stdin:
            self._child.stdin.close()

    async def read(self) -> tuple[Stream, bytes] | None:
        """Return the next piece of output as it comes, None when both streams have ended."""
        piece = await self._output.get()
        if piece is None:
            self._output.put_nowait(None)
        return piece

    async def wait(self) -> int:
        """Return its exit code."""
        return await self._child.wait()

    def kill(self) -> None:
        """End it and what it started."""
        self._child.kill()

    async def _pump_all(self) -> None:
        await asyncio.gather(self._pump_one("stdout", self._child.stdout), self._pump_one("stderr", self._child.stderr))
        await self._output.put(None)

    async def _pump_one(self, name: Stream, stream: asyncio.StreamReader | None) -> None:
        while stream and (data := await stream.read(_CHUNK)):
            if len(data) < _SHORT:  # curl writes its errors letter by letter: send them together
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PAUSE):
                        while len(data) < _SHORT and (more := await stream.read(_CHUNK)):
                            data += more
            await self._output.put((name, data))


class Terminal:
    """A command on a terminal: one stream, both ways."""

    def __init__(self, child: Child, terminal: int) -> None:
        self._child = child
        self._terminal = terminal
        self._output: asyncio.Queue[bytes] = asyncio.Queue()
        self._open = True
        os.set_blocking(terminal, False)
        asyncio.get_running_loop().add_reader(terminal, self._readable)

    async def write(self, data: bytes) -> None:
        """Type these bytes; those that the terminal has no room for are dropped, as they are on a real one."""
        if self._open:
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self._terminal, data)

    async def close_input(self) -> None:
        """Type end-of-transmission."""
        await self.write(b"\x04")

    async def read(self) -> tuple[Stream, bytes] | None:
        """Return what is shown next, None when the terminal was hung up."""
        data = await self._output.get()
        if not data:
            self._output.put_nowait(b"")
            return None
        return "stdout", data

    async def wait(self) -> int:
        """Return its exit code."""
        return await self._child.wait()

    def kill(self) -> None:
        """End it and what it started."""
        self._child.kill()

    def _readable(self) -> None:
        try:
            data = os.read(self._terminal, _CHUNK)
        except OSError:  # how Linux says that the last process has left the terminal
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._terminal)
            os.close(self._terminal)
            self._open = False
        self._output.put_nowait(data)


async def execute(
    processes: Processes, argv: Sequence[str], env: Mapping[str, str], folder: Path, *, stdin: bool, tty: bool
) -> ExecProcess:
    """Start a command; OSError when the machine can't."""
    if tty:
        terminal, slave = os.openpty()
        try:
            child = await processes.start(
                argv, env={"TERM": "xterm", **env}, cwd=folder, stdin=slave, stdout=slave, stderr=slave
            )
        except OSError:
            os.close(terminal)
            raise
        finally:
            os.close(slave)
        return Terminal(child, terminal)
    source = PIPE if stdin else asyncio.subprocess.DEVNULL
    return Piped(await processes.start(argv, env=env, cwd=folder, stdin=source, stdout=PIPE, stderr=PIPE))
