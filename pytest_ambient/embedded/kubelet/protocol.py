"""What the API server asks of a kubelet: run a command in a pod, read its log, reach its ports."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ..objects import Object

Stream = Literal["stdout", "stderr"]


class ExecRefused(Exception):
    """The command was never started; `str(error)` is what a real container runtime answers."""

    def __init__(self, message: str, code: int = 126) -> None:
        super().__init__(message)
        self.code = code
        """The exit code that a shell would report for it: 126 or 127."""


class PodUnreachable(Exception):
    """Nothing of the pod answers at the port asked for."""


class ExecProcess(Protocol):
    """A command that runs in a pod."""

    async def write(self, data: bytes) -> None:
        """Send bytes to its standard input; bytes for a process that has gone are dropped."""

    async def close_input(self) -> None:
        """Let it read end-of-file."""

    async def read(self) -> tuple[Stream, bytes] | None:
        """Return the next piece of output as it comes, None when both streams have ended."""

    async def wait(self) -> int:
        """Return its exit code (128 + signal number when a signal ended it)."""

    def kill(self) -> None:
        """End it and what it started; nothing happens when it has ended already."""


@dataclass(frozen=True)
class LogLine:
    """One line that a container wrote, without its newline."""

    timestamp: float
    """Seconds since the epoch."""
    text: str


class Log(Protocol):
    """What a container has written."""

    @property
    def lines(self) -> Sequence[LogLine]:
        """All lines so far, oldest first."""

    def follow(self) -> AsyncIterator[LogLine]:
        """Yield the lines so far and then each new one, until the container has ended."""


class Kubelet(Protocol):
    """The node's side of a pod."""

    async def exec(self, pod: Object, container: str, command: Sequence[str], *, stdin: bool, tty: bool) -> ExecProcess:
        """Start a command in a running container; raise ExecRefused when it can't be started."""

    async def attach(self, pod: Object, container: str, *, stdin: bool, tty: bool) -> ExecProcess:
        """Come to a container's own program; raise ExecRefused when there is none."""

    def log(self, pod: Object, container: str, *, previous: bool = False) -> Log:
        """Return a container's log; raise LookupError with the kubelet's words when there is none."""

    async def fetch(
        self,
        pod: Object,
        port: int,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        local: bool = False,
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask a port of the pod over HTTP as the node would, or as the pod itself, whose `local` ones no other reaches.

        PodUnreachable when nothing listens there.
        """

    async def dial(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a port of the pod, localhost ones included; raise PodUnreachable when nothing listens there."""
