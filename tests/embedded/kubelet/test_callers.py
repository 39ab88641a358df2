"""The `wget` and `nc` of pods."""

from pathlib import Path

import pytest

from pytest_ambient.embedded.objects import Object

from .bench import Bench
from .test_curl import calling


def test_wget_comes_from_the_pod(tmp_path: Path) -> None:
    """A page by a Service's name, from the pod's own address, also on a port below 1024 and after a redirect."""

    async def scenario(bench: Bench, caller: Object) -> None:
        for url in ("http://echo:8000/get", "echo.bookinfo:8000/get", "http://web/redirect-to?url=/get"):
            code, out, told = await bench.run(caller, "wget", "-qO-", url)
            assert (code, told) == (0, "")
            assert '"User-Agent"' in out
            assert '"Wget"' in out
            assert bench.plane.calls[-1][0] == caller["status"]["podIP"]
        code, out, _ = await bench.run(caller, "wget", "-q", "-O", "-", "--header", "end-user: me", "echo:8000/headers")
        assert '"me"' in out
        code, out, _ = await bench.run(
            caller, "sh", "-c", "wget -q --post-data a=b -O - echo:8000/post | grep form -A3"
        )
        assert '"b"' in out

    calling(tmp_path, scenario)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["http://echo:8000/status/403"], "wget: server returned error: HTTP/1.1 403 Forbidden\n"),
        (["http://nosuch:8000/"], "wget: bad address 'nosuch:8000'\n"),
        (["http://example.com/"], "wget: bad address 'example.com'\n"),
        (["-T", "1", "http://echo:8000/delay/3"], "wget: download timed out\n"),
    ],
)
def test_wget_fails_as_busybox(tmp_path: Path, argv: list[str], told: str) -> None:
    """Exit code 1, and one line that says why."""

    async def scenario(bench: Bench, caller: Object) -> None:
        assert await bench.run(caller, "wget", "-qO-", *argv) == (1, "", told)

    calling(tmp_path, scenario)


def test_wget_to_a_file(tmp_path: Path) -> None:
    """What is not asked for on standard output becomes a file; without -q it says where it calls."""

    async def scenario(bench: Bench, caller: Object) -> None:
        _, out, told = await bench.run(caller, "sh", "-c", "wget http://echo:8000/uuid && cat uuid")
        assert "uuid" in out
        assert told.startswith("Connecting to echo:8000 (127.")

    calling(tmp_path, scenario)


def test_nc_talks(tmp_path: Path) -> None:
    """It sends its input, says that this was all, and shows what comes until the other side ends."""

    async def scenario(bench: Bench, caller: Object) -> None:
        asked = "printf 'GET /status/418 HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n'"
        code, out, _ = await bench.run(caller, "sh", "-c", f"{asked} | nc -w 3 echo 8000")
        assert (code, out[:12]) == (0, "HTTP/1.1 418")
        code, out, told = await bench.run(caller, "nc", "-zv", "echo", "8000")
        assert (code, out) == (0, "")
        assert told.endswith(":8000) open\n")
        assert (await bench.run(caller, "nc", "nosuch", "1"))[0::2] == (1, "nc: bad address 'nosuch'\n")
        code, _, told = await bench.run(caller, "nc", "-l", "-p", "80")
        assert (code, told.startswith("nc: ")) == (1, True)

    calling(tmp_path, scenario)
