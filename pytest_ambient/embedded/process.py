"""Starts every child process of the embedded cluster and sees to it that none outlives it.

Each child leads its own process group. A keeper, one small shell in a session of its own, holds the list of groups and
a pipe from this process; when the pipe closes, for whatever reason, it kills them all.
"""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process, SubprocessStreamProtocol
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_LINE = 1 << 20
_KEEPER = """
trap '' HUP INT TERM
all=
while read -r sign group; do
  case $sign in
    +) all="$all $group" ;;
    -) rest=; for each in $all; do [ "$each" = "$group" ] || rest="$rest $each"; done; all=$rest ;;
  esac
done
for each in $all; do kill -KILL "-$each"; done 2>/dev/null
"""


class _Watched(SubprocessStreamProtocol):
    """Knows when the process itself has ended: asyncio's own `wait` also waits for all who hold its pipes."""

    def __init__(self) -> None:
        super().__init__(_LINE, asyncio.get_running_loop())
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.closed.set()


class Child:
    """A process that was started here, and the group that it leads."""

    def __init__(
        self,
        process: Process,
        transport: asyncio.SubprocessTransport,
        watched: _Watched,
        ended: Callable[["Child"], None],
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._transport = transport
        self._watched = watched
        self._lines: asyncio.Task[None] | None = None
        self._abandoned = False
        self._waiting = asyncio.create_task(self._reap(ended))

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        """Its standard input, when that is a pipe."""
        return self._process.stdin

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """Its standard output, when that is a pipe which nobody else reads."""
        return self._process.stdout

    @property
    def stderr(self) -> asyncio.StreamReader | None:
        """Its standard error, likewise."""
        return self._process.stderr

    async def wait(self) -> int:
        """Wait for its end and return its exit code, 128 + signal number when a signal ended it."""
        return await asyncio.shield(self._waiting)

    def signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        if self.running:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it and everything that it started and left in its group; its unread output is lost."""
        self._abandoned = True
        self._kill_group()

    async def stop(self, grace: float = 2.0) -> int:
        """Ask it to end, kill it after `grace` seconds (0: without asking), and return its exit code."""
        if grace > 0:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self.wait(), grace)
        self.kill()
        return await self.wait()

    @property
    def closed(self) -> bool:
        """Whether it has ended and all its pipes are closed."""
        return self._watched.closed.is_set()

    async def close(self) -> None:
        """Read nothing more of what it wrote, and return when its pipes are closed."""
        self._transport.close()
        await self._watched.closed.wait()

    def tell(self, stream: asyncio.StreamReader, line: Callable[[str], None]) -> None:
        """Hand each line of its output to `line` as it comes."""

        async def relay() -> None:
            while data := await stream.readline():
                try:
                    line(data.decode(errors="replace").rstrip("\n"))
                except Exception as fault:
                    told = {"message": f"{data!r} was not understood", "exception": fault}
                    asyncio.get_running_loop().call_exception_handler(told)

        self._lines = asyncio.create_task(relay())

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def _reap(self, ended: Callable[["Child"], None]) -> int:
        await self._watched.exited.wait()
        self._kill_group()  # what it left in the background ends with it
        ended(self)
        if self._lines:
            await asyncio.wait([self._lines], timeout=1)
        code = self._process.returncode or 0
        return 128 - code if code < 0 else code


class Processes:
    """The children of this process: all of them end when `stop` is called or this process dies."""

    def __init__(self) -> None:
        self._children: set[Child] = set()
        self._open: set[Child] = set()
        """Children that run, or whose output nobody has read to its end."""
        self._keeper: Process | None = None

    async def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int = DEVNULL,
        stdout: int = DEVNULL,
        stderr: int = DEVNULL,
        line: Callable[[str], None] | None = None,
    ) -> Child:
        """Start a program, which sees itself called by its bare name; OSError when it can't be.

        With `line`, both outputs are merged and handed over by line.
        """
        keeper = await self._keep()
        if line:
            stdout, stderr = PIPE, asyncio.subprocess.STDOUT
        loop = asyncio.get_running_loop()
        words = (argv[0].rpartition("/")[2], *argv[1:])
        transport, protocol = await loop.subprocess_exec(
            _Watched, *words, stdin=stdin, stdout=stdout, stderr=stderr,
            executable=argv[0], env=env, cwd=cwd, start_new_session=True,
        )  # fmt: skip
        process = Process(transport, protocol, loop)
        keeper.write(b"+ %d\n" % process.pid)
        child = Child(process, transport, protocol, self._ended)
        self._children.add(child)
        self._open = {each for each in self._open if not each.closed} | {child}
        if line and process.stdout:
            child.tell(process.stdout, line)
        return child

    async def stop(self) -> None:
        """End all children, politely first."""
        await asyncio.gather(*(each.stop() for each in tuple(self._children)))
        await asyncio.gather(*(each.close() for each in self._open))
        self._open.clear()
        if self._keeper and self._keeper.stdin:
            self._keeper.stdin.close()
            await self._keeper.wait()
            self._keeper = None

    def _ended(self, child: Child) -> None:
        self._children.discard(child)
        if self._keeper and self._keeper.stdin and not self._keeper.stdin.is_closing():
            self._keeper.stdin.write(b"- %d\n" % child.pid)

    async def _keep(self) -> asyncio.StreamWriter:
        if self._keeper is None:
            self._keeper = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _KEEPER, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
            )
        if self._keeper.stdin is None:
            raise OSError("the keeper of the child processes has no standard input")
        return self._keeper.stdin
