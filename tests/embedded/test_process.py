"""Children of an embedded cluster: their lines, their end, and that none outlives it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pytest_ambient.embedded.process import Processes


def test_child_lines_and_exit_code() -> None:
    """A child's output comes by line, its exit code is a shell's."""

    async def scenario() -> None:
        processes, lines = Processes(), list[str]()
        child = await processes.start(["/bin/sh", "-c", "echo a; echo b >&2; kill -9 $$"], line=lines.append)
        assert await child.wait() == 137
        assert sorted(lines) == ["a", "b"]
        await processes.stop()

    asyncio.run(scenario())


def test_a_line_that_is_not_understood_silences_no_other() -> None:
    """What is wrong is told as asyncio tells it, and the next line is heard."""

    async def scenario() -> None:
        processes, lines, told = Processes(), list[int](), list[str]()
        asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(str(what["message"])))
        child = await processes.start(["/bin/sh", "-c", "echo a; echo 7"], line=lambda text: lines.append(int(text)))
        await child.wait()
        assert (lines, told) == ([7], ["b'a\\n' was not understood"])
        await processes.stop()

    asyncio.run(scenario())


def test_child_that_left_others_holding_its_pipes() -> None:
    """The end of a process is its end, whoever still holds its output; those are ended too."""

    async def scenario() -> None:
        processes = Processes()
        child = await processes.start(["/bin/sh", "-c", "sleep 60 & echo $!"], stdout=asyncio.subprocess.PIPE)
        assert child.stdout
        left = int(await child.stdout.readline())
        assert await asyncio.wait_for(child.wait(), 2) == 0
        assert await asyncio.wait_for(child.stdout.read(), 2) == b""
        assert _ended(left)
        await processes.stop()

    asyncio.run(scenario())


def test_stubborn_child_is_killed() -> None:
    """A child that ignores the request to end is killed after the grace."""

    async def scenario() -> None:
        processes = Processes()
        script = "trap '' TERM; echo up; while :; do sleep 1; done"
        child = await processes.start(["/bin/sh", "-c", script], stdout=asyncio.subprocess.PIPE)
        assert child.stdout
        await child.stdout.readline()
        assert await child.stop(grace=0.05) == 137
        await processes.stop()

    asyncio.run(scenario())


def test_pipes_of_ended_children_are_closed_at_the_stop() -> None:
    """A child that ended and whose output nobody read leaves no open pipe behind."""

    async def scenario() -> None:
        processes = Processes()
        child = await processes.start(["/bin/sh", "-c", "sleep 60"], stdout=asyncio.subprocess.PIPE)
        child.kill()
        assert await child.wait() == 137
        await processes.stop()
        assert child.closed

    asyncio.run(scenario())


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    """SIGKILL of this process takes all children with it, theirs included."""
    script = (
        "import asyncio\nfrom pytest_ambient.embedded.process import Processes\n"
        "async def main():\n"
        "    processes = Processes()\n"
        "    await processes.start(['/bin/sh', '-c', 'sleep 300 & echo $$ $! >pids; wait'])\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(300)\n"
        "asyncio.run(main())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
    pids = tmp_path / "pids"
    _eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    assert parent.stdout
    assert parent.stdout.readline() == b"up\n"
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert all(_ended(int(each)) for each in pids.read_text().split())


def _ended(pid: int) -> bool:
    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return _eventually(gone)


def _eventually(check: object) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if callable(check) and check():
            return True
        time.sleep(0.01)
    return False
