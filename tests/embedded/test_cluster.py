"""The whole cluster as a process: it says when it is ready, and leaves nothing when it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def running(state: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A cluster's process; killed at the end when it still runs."""
    command = [sys.executable, "-m", "pytest_ambient.embedded", "--state", str(state), "--name", "test", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ready(state: Path, process: subprocess.Popen[str], within: float = 30) -> dict[str, object]:
    """What the cluster says of itself once it serves."""
    deadline = time.monotonic() + within
    while not (state / "ready.json").exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found: dict[str, object] = json.loads((state / "ready.json").read_text())
    return found


def kubectl(state: Path, *arguments: str) -> str:
    """What kubectl prints."""
    command = ["kubectl", "--kubeconfig", str(state / "kubeconfig"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def envoys(state: Path) -> list[str]:
    """Command lines of processes that run from the state folder, by whatever name."""
    name = os.path.realpath(state)
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended meanwhile
            continue
        if "envoy" in line and any(os.path.realpath(word).startswith(name) for word in line.split()):
            found.append(line)
    return found


@pytest.fixture(params=["state", "d" * 60 + "/" + "e" * 60], ids=["short", "deep"])
def state(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A state folder, also one that is too deep for sockets."""
    folder: Path = tmp_path / request.param
    folder.mkdir(parents=True)
    return folder


def test_it_serves_and_ends(state: Path) -> None:
    """Istio's pods become Ready; after SIGTERM no process and no word of readiness is left."""
    with running(state) as process:
        word = ready(state, process)
        assert word["pid"] == process.pid
        assert Path(str(word["kubeconfig"])) == state / "kubeconfig"
        assert (state / "kubeconfig").stat().st_mode & 0o077 == 0
        kubectl(state, "rollout", "status", "-n", "istio-system", "daemonset/ztunnel", "--timeout=30s")
        assert envoys(state)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert envoys(state) == []
    assert not (state / "ready.json").exists()


def test_it_ends_with_its_owner(tmp_path: Path) -> None:
    """A cluster whose owner is gone ends by itself."""
    owner = subprocess.Popen(["sleep", "600"])
    try:
        with running(tmp_path, "--owner-pid", str(owner.pid)) as process:
            ready(tmp_path, process)
            owner.kill()
            owner.wait()
            assert process.wait(timeout=20) == 0
    finally:
        owner.kill()


def test_an_unknown_fault_is_refused(tmp_path: Path) -> None:
    """A name that no fault has is a usage error, exit code 2."""
    with running(tmp_path, "--fault", "no-such") as process:
        assert process.wait(timeout=20) == 2
