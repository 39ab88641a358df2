"""Child processes: run a command to its end, or start one that stays and know it again later."""

import os
import select
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient import _halt
from pytest_ambient.errors import CommandFailed


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True)
class Process:
    """A process by its id and start, so that a later one with the same id is not taken for it."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (one that has ended but was not yet waited for does not)."""
        _reap(self.pid)
        return _started(self.pid) == self.started

    @property
    def end(self) -> str:
        """How a child of this process ended: `exit 1` or `SIGKILL`; empty when that is not known."""
        status = _STATUS.get(self.pid)
        if status is None:
            return ""
        return f"exit {status}" if status >= 0 else signal.Signals(-status).name


_STATUS: dict[int, int] = {}
"""How children of this process ended, by id: a status can be fetched but once."""


def this_process() -> Process:
    """The running process."""
    return Process(os.getpid(), _started(os.getpid()) or "")


def process(pid: int) -> Process | None:
    """The process that has this id now; None when there is none."""
    started = _started(pid)
    return None if started is None else Process(pid, started)


def run(
    command: Sequence[str],
    *,
    within: float = 60.0,
    check: bool = True,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    folder: Path | None = None,
) -> Ran:
    """What a command said until its end; CommandFailed when it cannot start, is late or, with `check`, fails.

    `environment` is put over ours, `stdin` is what it reads, `folder` where it runs. It ends with all its children
    when it is late, or when this thread's work is asked to end: then KeyboardInterrupt.
    """
    line = shlex.join(command)
    _halt.current().check()
    try:
        child = _child(command, stdin is not None, {**os.environ, **environment} if environment else None, folder)
    except OSError as error:
        raise CommandFailed(f"{line}: cannot be started: {error.strerror}") from None
    try:
        output, errors = _talk(child, stdin, within)
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{line}: not done within {within:g} s{_said(error)}") from None
    if check and child.returncode:
        raise CommandFailed(f"{line}: exit {child.returncode}: {(errors or output).strip()}")
    return Ran(child.returncode, output, errors)


def _child(
    command: Sequence[str], reads: bool, environment: Mapping[str, str] | None, folder: Path | None
) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - an argument vector of our own making, no shell
        command,
        stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        cwd=folder,
        start_new_session=True,  # a Ctrl-C reaches its whole family through us, and only so
    )


def _talk(child: "subprocess.Popen[str]", stdin: str | None, within: float) -> tuple[str, str]:
    halt = _halt.current()
    with child:
        try:
            with halt.ending(lambda: _kill_group(child.pid)):
                said = child.communicate(stdin, timeout=within)
        except BaseException:
            _kill_group(child.pid)
            raise
    halt.check()
    return said


def _said(late: subprocess.TimeoutExpired) -> str:
    """The last line that a command said before it was late."""
    words = [text.decode(errors="replace") for text in (late.stderr, late.stdout) if isinstance(text, bytes)]
    lines = [text.strip().splitlines()[-1] for text in words if text.strip()]
    return f", last: {lines[0]}" if lines else ""


def start(command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> Process:
    """Start a command that stays, in a session of its own, its output in `log`.

    No Ctrl-C of this terminal reaches it: it lives until it is stopped.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        pid = os.posix_spawn(
            command[0], list(command), dict(environment or os.environ), file_actions=actions, setsid=True
        )
    except OSError as error:
        raise CommandFailed(f"{shlex.join(command)}: cannot be started: {error.strerror}") from None
    return Process(pid, _started(pid) or "")


def stop(one: Process, *, grace: float = 10.0) -> None:
    """End a process started by `start`: SIGTERM, after `grace` seconds SIGKILL; what is left of its group goes too."""
    if one.alive:
        os.kill(one.pid, signal.SIGTERM)
        if not _ended(one, grace):
            os.kill(one.pid, signal.SIGKILL)
            _ended(one, 5.0)
    # A number that somebody else has by now leads another group.
    if process(one.pid) is None:
        _kill_group(one.pid)


def _ended(one: Process, within: float) -> bool:
    try:
        handle = os.pidfd_open(one.pid)
    except ProcessLookupError:
        return True
    try:
        select.select([handle], [], [], within)
    finally:
        os.close(handle)
    return not one.alive


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _reap(pid: int) -> None:
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
    if ended:
        _STATUS[ended] = os.waitstatus_to_exitcode(status)


def _started(pid: int) -> str | None:
    """Start of a process in clock ticks since boot, and the boot; None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return _elsewhere(pid)
    return None if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _elsewhere(pid: int) -> str | None:
    """The same without /proc: that there is such a process is all that can be known."""
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "unknown"
    return "unknown"
