"""A kubelet for tests: commands run on this machine, logs are lists, ports are functions."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence

from pytest_ambient.embedded.kubelet.protocol import ExecProcess, ExecRefused, Log, LogLine, PodUnreachable, Stream
from pytest_ambient.embedded.objects import Object, name_of


class FakeProcess:
    """A process of this machine."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._pieces: asyncio.Queue[tuple[Stream, bytes] | None] = asyncio.Queue()
        self._open = 2
        assert process.stdout is not None
        assert process.stderr is not None
        self._pumps = [
            asyncio.ensure_future(self._pump("stdout", process.stdout)),
            asyncio.ensure_future(self._pump("stderr", process.stderr)),
        ]

    async def _pump(self, name: Stream, stream: asyncio.StreamReader) -> None:
        while piece := await stream.read(65536):
            self._pieces.put_nowait((name, piece))
        self._open -= 1
        if not self._open:
            self._pieces.put_nowait(None)

    async def write(self, data: bytes) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(data)

    async def close_input(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def read(self) -> tuple[Stream, bytes] | None:
        return await self._pieces.get()

    async def wait(self) -> int:
        return await self._process.wait()

    def kill(self) -> None:
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)


class FakeLog:
    """Lines that a test wrote; a followed one ends after a moment in which nothing comes."""

    def __init__(self, lines: list[LogLine]) -> None:
        self.lines = lines

    async def follow(self) -> AsyncIterator[LogLine]:
        seen, quiet = 0, 0
        while quiet < 20:
            while seen < len(self.lines):
                yield self.lines[seen]
                seen += 1
                quiet = 0
            await asyncio.sleep(0.02)
            quiet += 1


class FakeAttached:
    """A program that says who came, and then back what it is told."""

    def __init__(self, words: str) -> None:
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._pieces.put_nowait(words.encode())

    async def write(self, data: bytes) -> None:
        self._pieces.put_nowait(data)

    async def close_input(self) -> None:
        self._pieces.put_nowait(None)

    async def read(self) -> tuple[Stream, bytes] | None:
        piece = await self._pieces.get()
        return None if piece is None else ("stdout", piece)

    async def wait(self) -> int:
        return 0

    def kill(self) -> None:
        self._pieces.put_nowait(None)


class FakeKubelet:
    """Runs `sh` and the like really; knows nothing of pods but their names."""

    def __init__(self) -> None:
        self.logs: dict[tuple[str, str], list[LogLine]] = {}
        self.asked: list[tuple[str, int, str, str]] = []

    async def attach(self, pod: Object, container: str, *, stdin: bool, tty: bool) -> ExecProcess:
        return FakeAttached(f"{name_of(pod)}/{container} stdin={stdin} tty={tty}\n")

    async def exec(self, pod: Object, container: str, command: Sequence[str], *, stdin: bool, tty: bool) -> ExecProcess:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                env={"PATH": os.environ["PATH"], "POD": name_of(pod), "CONTAINER": container, "TTY": str(tty)},
            )
        except FileNotFoundError as fault:
            raise ExecRefused(f'exec: "{command[0]}": executable file not found in $PATH', 127) from fault
        return FakeProcess(process)

    def log(self, pod: Object, container: str, *, previous: bool = False) -> Log:
        if previous:
            raise LookupError(f'previous terminated container "{container}" in pod "{name_of(pod)}" not found')
        return FakeLog(self.logs.setdefault((name_of(pod), container), []))

    def wrote(self, pod: str, container: str, *lines: str) -> None:
        """Append lines to a container's log."""
        self.logs.setdefault((pod, container), []).extend(LogLine(time.time(), line) for line in lines)

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
        if port == 1:
            raise PodUnreachable("dial tcp 127.64.1.1:1: connect: connection refused")
        self.asked.append((method, port, path, body.decode()))
        return 200, {"Content-Type": "text/plain"}, f"{name_of(pod)}:{port}{path} {body.decode()}".encode()

    async def dial(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError as fault:
            raise PodUnreachable(str(fault)) from fault
