"""Downloads into the cache: checked, resumed, once, and told in one line when they fail."""

import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ambient import _http
from pytest_ambient._fetch import cache_folder, digest, fetch
from pytest_ambient._halt import Halt, under
from pytest_ambient._http import text
from pytest_ambient.errors import FetchFailed
from tests.fileserver import FileServer, file_server

BODY = bytes(range(256)) * 2000
SHA = hashlib.sha256(BODY).hexdigest()
NAME = "tool/v1/tool"


@pytest.fixture
def server() -> Iterator[FileServer]:
    """Serves one file."""
    with file_server() as served:
        served.files["/tool"] = BODY
        yield served


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own, and no proxy of this machine's; small pieces, since one that is cut short is lost."""
    monkeypatch.setattr(_http, "PIECE", 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path / "pytest-ambient"


def test_a_file_is_downloaded_once_and_for_this_user_alone(server: FileServer, cache: Path) -> None:
    """The second call takes it from the cache; one line says that something is downloaded."""
    told: list[str] = []
    path = fetch(f"{server.url}/tool", sha256=SHA, name=NAME, say=told.append)
    assert path == cache / NAME
    assert path.read_bytes() == BODY
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert fetch(f"{server.url}/tool", sha256=SHA, name=NAME, say=told.append) == path
    assert told == [f"downloading {server.url}/tool"]
    assert server.asked == ["/tool"]
    assert [found.name for found in path.parent.iterdir()] == ["tool"]


def test_the_cache_is_where_the_user_keeps_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$XDG_CACHE_HOME when it is absolute, else ~/.cache."""
    assert cache_folder() == tmp_path / "pytest-ambient"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/x")
    assert cache_folder() == Path("/home/x/.cache/pytest-ambient")


def test_a_wrong_checksum_keeps_nothing(server: FileServer, cache: Path) -> None:
    """The line has both sums and where the right file can be put."""
    with pytest.raises(FetchFailed) as caught:
        fetch(f"{server.url}/tool", sha256="0" * 64, name=NAME)
    assert str(caught.value) == (
        f"{server.url}/tool: its sha256 is {SHA} and must be {'0' * 64}: nothing was kept; "
        f"a proxy may have put something else in its place, the right file can be put at {cache / NAME}"
    )
    assert list((cache / "tool/v1").iterdir()) == []


def test_a_damaged_file_in_the_cache_is_downloaded_again(server: FileServer, cache: Path) -> None:
    """What is there is believed only with its checksum."""
    (cache / "tool/v1").mkdir(parents=True)
    (cache / NAME).write_bytes(b"damaged")
    assert fetch(f"{server.url}/tool", sha256=SHA, name=NAME).read_bytes() == BODY


def test_without_a_checksum_the_name_decides(server: FileServer, cache: Path) -> None:
    """And a part is not gone on with: nothing would tell whether it fits."""
    (cache / "tool/v1").mkdir(parents=True)
    (cache / f"{NAME}.part").write_bytes(b"of something else")
    assert fetch(f"{server.url}/tool", sha256=None, name=NAME).read_bytes() == BODY
    (cache / NAME).write_bytes(b"put there by hand")
    assert fetch(f"{server.url}/tool", sha256=None, name=NAME).read_bytes() == b"put there by hand"
    assert server.asked == ["/tool"]


def test_what_broke_off_is_taken_up_where_it_was(server: FileServer) -> None:
    """By itself, while it is downloaded."""
    server.breaks = [200_000, 100_000]
    assert fetch(f"{server.url}/tool", sha256=SHA, name=NAME).read_bytes() == BODY
    assert server.asked == ["/tool", "/tool bytes=200000-", "/tool bytes=300000-"]


def test_a_part_of_an_earlier_run_is_gone_on_with(server: FileServer, cache: Path) -> None:
    """A download that breaks off again and again ends with one line and leaves its part for the next run."""
    server.breaks = [1000, 1000, 1000]
    with pytest.raises(FetchFailed) as caught:
        fetch(f"{server.url}/tool", sha256=SHA, name=NAME)
    assert str(caught.value).startswith(f"{server.url}/tool: broke off")
    assert str(caught.value).endswith(": try again, it is taken up where it was")
    assert (cache / f"{NAME}.part").read_bytes() == BODY[:3000]
    assert fetch(f"{server.url}/tool", sha256=SHA, name=NAME).read_bytes() == BODY
    assert server.asked[-1] == "/tool bytes=3000-"


def test_a_server_without_range_sends_all_again(server: FileServer) -> None:
    """Its whole answer takes the place of the part."""
    server.ranges, server.breaks = False, [1000]
    assert fetch(f"{server.url}/tool", sha256=SHA, name=NAME).read_bytes() == BODY
    assert server.asked == ["/tool", "/tool bytes=1000-"]


@pytest.mark.parametrize("part", [b"of another file", BODY + b"too long", BODY], ids=["other", "long", "whole"])
def test_a_part_that_does_not_fit_is_dropped(server: FileServer, cache: Path, part: bytes) -> None:
    """Once; a part that is whole already is taken."""
    (cache / "tool/v1").mkdir(parents=True)
    (cache / f"{NAME}.part").write_bytes(part)
    assert fetch(f"{server.url}/tool", sha256=SHA, name=NAME).read_bytes() == BODY
    assert len(server.asked) == (1 if part == BODY else 2)


def test_a_server_that_is_busy_is_asked_again_and_one_that_has_nothing_is_not(server: FileServer, cache: Path) -> None:
    """503 may pass, 404 does not."""
    server.statuses = [503]
    assert fetch(f"{server.url}/tool", sha256=SHA, name=NAME).read_bytes() == BODY
    asked = len(server.asked)
    with pytest.raises(FetchFailed) as caught:
        fetch(f"{server.url}/other", sha256=SHA, name="other")
    assert str(caught.value) == (
        f"{server.url}/other: cannot be downloaded: HTTP 404 Not Found; "
        f"without a network put the file at {cache / 'other'}"
    )
    assert len(server.asked) == asked + 1


def test_without_a_network_the_line_says_where_to_put_the_file(cache: Path) -> None:
    """With the system's own reason."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, so nobody else listens there, and neither does this
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/tool"
        with pytest.raises(FetchFailed) as caught:
            fetch(url, sha256=SHA, name=NAME)
    assert str(caught.value) == (
        f"{url}: cannot be downloaded: Connection refused; without a network put the file at {cache / NAME}"
    )
    with pytest.raises(
        FetchFailed, match=r"^http://no-such-host.invalid/tool: cannot be downloaded: .*[Nn]ame.*; with"
    ):
        fetch("http://no-such-host.invalid/tool", sha256=SHA, name=NAME)


def test_a_proxy_is_honoured(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one of the environment, for hosts that it does not except."""
    monkeypatch.setenv("http_proxy", server.url)
    assert fetch("http://far.invalid/tool", sha256=SHA, name=NAME).read_bytes() == BODY
    assert server.asked == ["http://far.invalid/tool"]
    monkeypatch.setenv("no_proxy", "far.invalid")
    with pytest.raises(FetchFailed):
        fetch("http://far.invalid/tool", sha256=SHA, name="another")


def test_two_processes_at_once_download_once(server: FileServer, cache: Path) -> None:
    """The second waits and takes what the first has fetched."""
    server.gate.clear()
    code = f"from pytest_ambient._fetch import fetch; print(fetch({server.url + '/tool'!r}, sha256={SHA!r}, name='x'))"
    children = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    while not server.asked:
        time.sleep(0.01)
    server.gate.set()
    said = [child.communicate(timeout=60)[0].strip() for child in children]
    assert said == [str(cache / "x")] * 2
    assert server.asked == ["/tool"]


def test_an_interrupted_download_leaves_a_part_to_go_on_with(server: FileServer, cache: Path) -> None:
    """A request to end is heeded between two pieces."""
    halt, caught = Halt(), list[BaseException]()

    def work() -> None:
        try:
            with under(halt):
                fetch(f"{server.url}/tool", sha256=SHA, name=NAME, say=lambda line: halt.set())
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert [type(error) for error in caught] == [KeyboardInterrupt]
    assert (cache / f"{NAME}.part").exists()
    assert not (cache / NAME).exists()
    assert fetch(f"{server.url}/tool", sha256=SHA, name=NAME).read_bytes() == BODY


def test_a_download_has_a_deadline(server: FileServer, cache: Path) -> None:
    """Its part is kept."""
    with pytest.raises(FetchFailed) as caught:
        fetch(f"{server.url}/tool", sha256=SHA, name=NAME, within=0.0)
    assert str(caught.value) == f"{server.url}/tool: not here in time: try again, it is taken up where it was"
    assert (cache / f"{NAME}.part").exists()


def test_a_server_that_falls_silent_is_given_up(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """Though the connection stays open."""
    monkeypatch.setattr(_http, "SILENCE", 0.2)
    server.breaks = [1000, 1000, 1000]
    server.gate.clear()
    start = time.monotonic()
    with pytest.raises(FetchFailed, match=r"broke off: .*: try again, it is taken up where it was$"):
        fetch(f"{server.url}/tool", sha256=SHA, name=NAME)
    assert time.monotonic() - start < 10
    server.gate.set()


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(FetchFailed, match=r"/file/pytest-ambient: cannot be made: Not a directory$"):
        fetch("http://127.0.0.1:1/tool", sha256=SHA, name=NAME)


@pytest.mark.parametrize("name", ["/etc/passwd", "../up"])
def test_a_name_stays_within_the_cache(name: str) -> None:
    """It is ours to choose, so this is a mistake in the code."""
    with pytest.raises(ValueError, match="not a name within the cache"):
        fetch("http://127.0.0.1:1/tool", sha256=SHA, name=name)


def test_small_texts_are_read_without_the_cache(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as checksums; what is too long for one is refused."""
    server.files["/tool.sha256"] = f"{SHA} tool\n".encode()
    assert text(f"{server.url}/tool.sha256") == f"{SHA} tool\n"
    with pytest.raises(FetchFailed, match=r"/nothing: cannot be read: HTTP 404 Not Found$"):
        text(f"{server.url}/nothing")
    monkeypatch.setattr(_http, "LONGEST_TEXT", 10)
    with pytest.raises(FetchFailed, match="more than 10 bytes, this is not the text that was looked for"):
        text(f"{server.url}/tool")


def test_a_file_that_is_not_what_it_must_be_is_not_kept(server: FileServer, cache: Path) -> None:
    """In the words of who looked at it; the next call downloads anew, and what lies there is looked at again."""
    url, seen = f"{server.url}/tool", list[bytes]()

    def check(path: Path) -> str:
        seen.append(path.read_bytes()[:3])
        return "" if path.read_bytes() == BODY else "is a log-in page"

    server.files["/tool"] = b"<html>"
    with pytest.raises(FetchFailed) as error:
        fetch(url, sha256=None, name=NAME, check=check)
    assert str(error.value) == (
        f"{url}: what came is a log-in page: nothing was kept; a proxy may have put something else in its place, "
        f"the right file can be put at {cache / NAME}"
    )
    assert list((cache / NAME).parent.iterdir()) == []
    server.files["/tool"] = BODY
    path = fetch(url, sha256=None, name=NAME, check=check)
    path.write_bytes(b"<html>")
    assert fetch(url, sha256=None, name=NAME, check=check).read_bytes() == BODY
    assert (len(server.asked), len(seen)) == (3, 5)


def test_the_sha256_of_a_file(tmp_path: Path) -> None:
    """In hex."""
    (tmp_path / "file").write_bytes(BODY)
    assert digest(tmp_path / "file") == SHA
