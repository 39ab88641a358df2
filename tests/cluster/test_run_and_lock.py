"""Child processes and locks: their errors stand alone, and a writer gets his turn."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from pytest_ambient import _halt, _lock, _run
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import CommandFailed, LockError

HOLD = """
import sys, time
from pathlib import Path
from pytest_ambient import _lock
with getattr(_lock, sys.argv[1])(Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holder(how: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock until it is told to let go."""
    command = [sys.executable, "-c", HOLD, how, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ended(pid: int) -> bool:
    """Whether a process is gone soon."""
    deadline = time.monotonic() + 5
    while _run.process(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_command_gives_its_output_and_its_failure_is_ready_to_paste() -> None:
    """The error has the command, its exit and what it said."""
    assert _run.run(["sh", "-c", "echo out; echo err >&2"]) == _run.Ran(0, "out\n", "err\n")
    assert _run.run(["sh", "-c", "exit 3"], check=False).status == 3
    with pytest.raises(CommandFailed) as caught:
        _run.run(["sh", "-c", "echo 'no such cluster' >&2; exit 3"])
    assert str(caught.value) == "sh -c 'echo '\"'\"'no such cluster'\"'\"' >&2; exit 3': exit 3: no such cluster"
    with pytest.raises(CommandFailed, match=r"^nowhere: cannot be started: No such file or directory$"):
        _run.run(["nowhere"])
    with pytest.raises(CommandFailed, match=r"^sleep 5: not done within 0.1 s$"):
        _run.run(["sleep", "5"], within=0.1)


def test_a_started_process_has_a_session_of_its_own_and_a_log(tmp_path: Path) -> None:
    """Ctrl-C in our terminal does not reach it; stopping it leaves none of its children."""
    script = "echo hello; sleep 60 & echo $! > child; wait"
    one = _run.start(["/bin/sh", "-c", f"cd {tmp_path}; {script}"], log=tmp_path / "log")
    deadline = time.monotonic() + 5
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert os.getsid(one.pid) == one.pid
    assert (tmp_path / "log").read_text() == "hello\n"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    _run.stop(one)
    assert not one.alive
    assert ended(int((tmp_path / "child").read_text()))


def test_what_a_killed_process_left_is_stopped_too(tmp_path: Path) -> None:
    """Its children are known by their group; a process that has its number by now is left alone."""
    script = f"cd {tmp_path}; sleep 60 & echo $! > child; kill -KILL $$"
    one = _run.start(["/bin/sh", "-c", script], log=tmp_path / "log")
    deadline = time.monotonic() + 5
    while one.alive:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child = int((tmp_path / "child").read_text())
    assert _run.process(child) is not None
    _run.stop(one)
    assert ended(child)
    _run.stop(_run.Process(os.getpid(), "another start"))


def test_readers_share_and_a_writer_waits_for_them(tmp_path: Path) -> None:
    """Across processes."""
    path, late = tmp_path / "lock.db", r"lock.db: not free within 0.2 s, another run or worker holds it$"
    with holder("shared", path) as process:
        with _lock.shared(path, within=1):
            pass
        with pytest.raises(LockError, match=late), _lock.alone(path, within=0.2):
            pass
        process.communicate("\n", timeout=10)
        with _lock.alone(path, within=1):
            pass


def test_a_writer_keeps_readers_out_even_while_it_waits(tmp_path: Path) -> None:
    """New readers queue behind a waiting writer, so that it gets its turn."""
    path, order = tmp_path / "lock.db", list[str]()

    def take(how: Callable[..., AbstractContextManager[None]], name: str) -> threading.Thread:
        def run() -> None:
            with how(path, within=10):
                order.append(name)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.3)
        return thread

    with holder("shared", path) as first:
        waiting = [take(_lock.alone, "writer"), take(_lock.shared, "reader")]
        assert order == []
        first.communicate("\n", timeout=10)
        for thread in waiting:
            thread.join(10)
    assert order == ["writer", "reader"]


def test_a_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    """The kernel lets go for it."""
    with holder("alone", tmp_path / "lock.db") as process:
        process.kill()
        process.communicate()
        with _lock.alone(tmp_path / "lock.db", within=2):
            pass


def test_a_folder_that_cannot_be_made_is_one_line() -> None:
    """Nothing falls back to a lock that is none."""
    with (
        pytest.raises(LockError, match=r"^/proc/x: cannot be made: No such file or directory$"),
        _lock.shared(Path("/proc/x/lock.db")),
    ):
        pass


def test_a_command_reads_runs_elsewhere_and_sees_more(tmp_path: Path) -> None:
    """What is given goes over our own environment, which is handed on."""
    script = 'read line; echo "$line $COLOUR $HOME"; pwd'
    ran = _run.run(["sh", "-c", script], stdin="hello\n", environment={"COLOUR": "blue"}, folder=tmp_path)
    assert ran.output == f"hello blue {os.environ['HOME']}\n{tmp_path}\n"
    assert "COLOUR" not in os.environ


def test_a_late_command_ends_with_all_its_children_and_its_last_word(tmp_path: Path) -> None:
    """A child that keeps the pipe open keeps nobody waiting."""
    start = time.monotonic()
    with pytest.raises(CommandFailed, match=r": not done within 0.5 s, last: pulling the image$"):
        _run.run(["sh", "-c", "sleep 60 & echo $! > child; echo pulling the image >&2; wait"], within=0.5,
                 folder=tmp_path)  # fmt: skip
    assert time.monotonic() - start < 10
    assert ended(int((tmp_path / "child").read_text()))


def test_a_command_of_work_that_shall_end_is_killed_at_once(tmp_path: Path) -> None:
    """From another thread; so are waits, and a command is not even started after that."""
    halt, raised = _halt.Halt(), list[BaseException]()

    def work() -> None:
        try:
            with _halt.under(halt):
                _run.run(["sh", "-c", "echo $$ > pid; sleep 60"], folder=tmp_path)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 10
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    halt.set()
    thread.join(10)
    assert [type(error) for error in raised] == [KeyboardInterrupt]
    assert ended(int((tmp_path / "pid").read_text()))
    with pytest.raises(KeyboardInterrupt), _halt.under(halt):
        until(lambda: NotYet("no"), what="nothing", within=60)
    with pytest.raises(KeyboardInterrupt), _halt.under(halt):
        _run.run(["sh", "-c", "echo > started"], folder=tmp_path)
    assert not (tmp_path / "started").exists()


def test_the_files_of_a_lock_go_when_nobody_holds_it(tmp_path: Path) -> None:
    """Never those of one that is held or waited for; who comes later finds a lock that works."""
    path = tmp_path / "lock.db"
    with holder("shared", path):
        assert not _lock.remove(path)
        assert path.exists()
    assert _lock.remove(path, really=False)
    assert path.exists()
    assert _lock.remove(path)
    assert list(tmp_path.iterdir()) == []
    with holder("alone", path), pytest.raises(LockError), _lock.shared(path, within=0.2):
        pass


def test_a_lock_that_is_removed_while_others_come_stays_one(tmp_path: Path) -> None:
    """Nobody holds it alone beside somebody else, however the removal falls between them."""
    path, over, inside, clashes = tmp_path / "lock.db", threading.Event(), list[int](), list[int]()

    def take(number: int) -> None:
        while not over.is_set():
            with _lock.alone(path, within=20):
                inside.append(number)
                time.sleep(0.001)
                clashes.extend(inside[1:])
                inside.remove(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    end, removed = time.monotonic() + 1.5, 0
    while time.monotonic() < end:
        removed += _lock.remove(path)
    over.set()
    for thread in threads:
        thread.join(30)
    assert clashes == []
    assert removed
