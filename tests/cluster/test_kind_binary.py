"""Which kind is used: the one on PATH where it suits, else one that is downloaded and checked."""

import hashlib
import platform
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.cluster import kind_binary
from pytest_ambient.cluster.kind_binary import choose, fetched, finding
from pytest_ambient.cluster.kind_table import Table, table
from pytest_ambient.errors import FetchFailed, ProviderError
from tests.doubles import Doubles
from tests.fileserver import FileServer, file_server

PROGRAM = b"#!/bin/sh\necho kind\n" * 1000
PLATFORM = f"linux-{'arm64' if platform.machine() == 'aarch64' else 'amd64'}"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="chooses for Linux")


@pytest.fixture
def doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """No kind is on PATH but the one that a test puts there; a cache of the test's own."""
    found = Doubles(tmp_path / "bin")
    found.folder.mkdir()
    monkeypatch.setenv("PATH", str(found.folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.fixture
def server(doubles: Doubles, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Serves kind 0.33.0 for this platform, and is where the table looks."""
    with file_server() as served:
        served.files[f"/v0.33.0/kind-{PLATFORM}"] = PROGRAM
        newest = replace(table().releases[0], sha256={PLATFORM: hashlib.sha256(PROGRAM).hexdigest()})
        changed = replace(
            table(), url=served.url + "/v{version}/kind-{platform}", releases=(newest, *table().releases[1:])
        )
        monkeypatch.setattr(kind_binary, "table", lambda: changed)
        yield served


def test_a_kind_on_path_is_used_where_it_brings_the_version(doubles: Doubles) -> None:
    """With its own node image, since images belong to releases."""
    doubles.answer("kind", "version", "kind v0.31.0 go1.26.8 linux/amd64\n")
    choice = choose("1.32")
    assert (choice.release.version, choice.kubernetes) == ("0.31.0", "1.32.11")
    assert choice.path == doubles.folder / "kind"
    assert fetched(choice, within=1) == choice.path
    assert choose(None).kubernetes == "1.34.3"
    assert str(finding(choice)) == f"kind: v0.31.0 at {doubles.folder / 'kind'}, for Kubernetes 1.32.11"


@pytest.mark.parametrize(
    "said",
    [
        "kind v0.31.0 go1.26.8 linux/amd64\n",
        "kind v0.17.0 go1.19 linux/amd64\n",
        "kind v0.33.0-alpha+4f go1.27 x\n",
        "",
    ],
    ids=["without the version", "old", "development", "silent"],
)
def test_a_kind_on_path_that_does_not_suit_is_passed_over(doubles: Doubles, said: str) -> None:
    """The newest release that brings the version is downloaded in its place."""
    doubles.answer("kind", "version", said, status=0 if said else 1)
    choice = choose("1.36")
    assert (choice.release.version, choice.kubernetes, choice.path) == ("0.33.0", "1.36.4", None)
    assert str(finding(choice)) == "kind: v0.33.0 is downloaded unless it is in the cache, for Kubernetes 1.36.4"


def test_kind_is_downloaded_checked_and_made_a_program(doubles: Doubles, server: FileServer, tmp_path: Path) -> None:
    """Once; it is in the cache for the next run, also without a network."""
    path = fetched(choose("1.36"), within=10)
    assert path == tmp_path / f"cache/pytest-ambient/kind/v0.33.0/kind-{PLATFORM}"
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (PROGRAM, 0o700)
    server.files.clear()
    assert fetched(choose("1.36"), within=10) == path
    assert server.asked == [f"/v0.33.0/kind-{PLATFORM}"]


def test_a_kind_that_is_not_what_it_should_be_is_not_run(doubles: Doubles, server: FileServer) -> None:
    """A checksum that differs, a download that breaks off, no network: each a line with what to do."""
    server.files[f"/v0.33.0/kind-{PLATFORM}"] = b"<html>log in</html>"
    with pytest.raises(FetchFailed, match=r"its sha256 is .* and must be .*: nothing was kept"):
        fetched(choose("1.36"), within=10)
    server.files[f"/v0.33.0/kind-{PLATFORM}"] = PROGRAM
    server.breaks = [5000, 5000, 5000]
    with pytest.raises(FetchFailed, match=r"try again, it is taken up where it was$"):
        fetched(choose("1.36"), within=10)
    server.files.clear()
    with pytest.raises(FetchFailed, match=rf"without a network put the file at .*/kind/v0.33.0/kind-{PLATFORM}$"):
        fetched(choose("1.36"), within=10)
    server.files[f"/v0.33.0/kind-{PLATFORM}"] = PROGRAM
    assert fetched(choose("1.36"), within=10).read_bytes() == PROGRAM


def test_a_machine_without_a_kind_is_told(doubles: Doubles, monkeypatch: pytest.MonkeyPatch) -> None:
    """kind is built for few."""
    monkeypatch.setattr("pytest_ambient.cluster.kind_binary.platform.machine", lambda: "riscv64")
    with pytest.raises(ProviderError, match=r"^there is no kind for linux-riscv64: test an existing cluster$"):
        fetched(choose("1.36"), within=1)


def test_the_table_is_where_kind_publishes() -> None:
    """One address for all."""
    one: Table = table()
    assert one.url.format(version="0.33.0", platform="linux-arm64") == (
        "https://github.com/kubernetes-sigs/kind/releases/download/v0.33.0/kind-linux-arm64"
    )
