"""Containers that run a command of their image instead of an embedded program."""

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..apps.program import CannotStart
from ..process import Child, Processes
from .flavours import Flavour, program
from .sandbox import Sandbox

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Idle:
    """`sleep`, without a process for it."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        """Nothing to do."""

    async def wait(self) -> int:
        """Wait for the time that was given, or for ever."""
        try:
            await asyncio.wait_for(self._stopped.wait(), self._seconds)
        except TimeoutError:
            return 0
        return 143

    async def stop(self) -> None:
        """Wake up."""
        self._stopped.set()


class Command:
    """A real process of this machine, in the container's surroundings."""

    def __init__(
        self,
        processes: Processes,
        argv: Sequence[str],
        env: Mapping[str, str],
        log: Callable[[str], None],
        *,
        folder: Path,
        grace: Callable[[], float],
        stdin: bool = False,
    ) -> None:
        """It starts in `folder`; `grace` tells how many seconds it has to end in once it is asked to."""
        self._processes = processes
        self._argv = argv
        self._env = env
        self._folder = folder
        self._log = log
        self._grace = grace
        self._stdin = PIPE if stdin else DEVNULL
        self._child: Child | None = None

    @property
    def input(self) -> asyncio.StreamWriter | None:
        """Its standard input, when that is open."""
        return self._child.stdin if self._child else None

    async def start(self) -> None:
        """Start it."""
        try:
            self._child = await self._processes.start(
                self._argv, env=self._env, cwd=self._folder, stdin=self._stdin, line=self._log
            )
        except OSError as error:
            raise CannotStart(f"{self._argv[0]}: {error.strerror}") from error

    async def wait(self) -> int:
        """Wait for its end."""
        return await self._child.wait() if self._child else 0

    async def stop(self) -> None:
        """Ask it to end, and kill it when its time is over."""
        if self._child:
            await self._child.stop(self._grace())

    def kill(self) -> None:
        """End it now."""
        if self._child and self._child.running:
            self._child.kill()


def sleeping(argv: Sequence[str]) -> Idle | None:
    """The stand-in for a plain `sleep`, None for any other command."""
    if len(argv) != 2 or program(argv[0]) != "sleep":
        return None
    if argv[1] in ("infinity", "inf"):
        return Idle(None)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", argv[1])
    return Idle(float(found[1]) * _SECONDS[found[2]]) if found else None


def located(sandbox: Sandbox, flavour: Flavour, argv: Sequence[str]) -> list[str]:
    """The command with its program's real place; CannotStart, in the runtime's words, when the image has none."""
    if not argv:
        raise CannotStart("no command specified")
    found = sandbox.executable(flavour, program(argv[0]))
    if found is None:
        why = "no such file or directory" if "/" in argv[0] else "executable file not found in $PATH"
        named = f'exec: "{argv[0]}": ' + (f"stat {argv[0]}: {why}" if "/" in argv[0] else why)
        raise CannotStart(f"unable to start container process: {named}")
    return [str(found), *argv[1:]]
