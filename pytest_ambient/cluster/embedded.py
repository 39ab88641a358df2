"""The provider of the embedded cluster: starts its process, waits until it serves, ends it."""

import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pytest_ambient import _run
from pytest_ambient._run import Process
from pytest_ambient._wait import NotYet, until
from pytest_ambient.cluster import preflight
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import NotInTime, ProviderError
from pytest_ambient.finding import Finding

MODULE = "pytest_ambient.embedded"
ISTIO = "1.30.3"
"""The Istio that it behaves like; said here too, for its own packages are perhaps not installed."""

READY, LOG, PROCESS = "ready.json", "log", "process.json"
"""What a state folder holds: the cluster's own word that it serves, its output, and which process it is."""

TAIL = 15

LEAST = 1 << 16
"""Bytes free below which a disk that takes no log is called full."""


class Embedded:
    """A mesh on this machine in one process tree, a test bench."""

    meshed = True
    mesh = ISTIO

    def check(self, spec: ClusterSpec) -> None:
        """Misuse on a system other than Linux."""
        preflight.linux()

    def findings(self, spec: ClusterSpec) -> Sequence[Finding]:
        """Whether the packages and the curl that it runs on are there."""
        return preflight.embedded()

    def create(self, spec: ClusterSpec) -> Cluster:
        """Start the process and return when it serves; ProviderError with the end of its log when it does not."""
        preflight.extra_installed()
        preflight.curl_usable()
        one = _run.start(_command(spec), log=spec.folder / LOG)
        (spec.folder / PROCESS).write_text(json.dumps(vars(one)))
        try:
            ready = until(
                lambda: _ready(spec.folder, one), what="embedded cluster", within=spec.within, sleep=_short_sleep
            )
        except NotInTime as error:
            raise ProviderError(f"{error}{_tail(spec.folder)}") from None
        return Cluster(
            name=spec.name,
            kubeconfig=Path(ready["kubeconfig"]),
            context=ready["context"],
            owned=True,
            provider="embedded",
            folder=spec.folder,
            publishable=False,
        )

    def delete(self, cluster: Cluster) -> None:
        """End the process with all its children and remove the state folder; fine when both are gone."""
        if cluster.folder is None:
            raise ProviderError(f"cluster {cluster.name}: its state folder is not known")
        one = _process(cluster.folder)
        if one is not None:
            _run.stop(one)
        shutil.rmtree(cluster.folder, ignore_errors=True)
        if cluster.folder.exists():
            raise ProviderError(f"{cluster.folder}: cannot be removed")

    def load_image(self, cluster: Cluster, image: str) -> None:
        """Nothing to do: images are names here, known ones run and unknown ones say so in the pod's status."""

    def save_logs(self, cluster: Cluster, folder: Path) -> None:
        """Copy the output of the cluster's process and of its proxies."""
        if cluster.folder is None:
            return
        for log in (path for path in cluster.folder.rglob("*") if path.name == LOG or path.suffix == ".log"):
            target = folder / log.relative_to(cluster.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, target)


def _command(spec: ClusterSpec) -> list[str]:
    # -P keeps the working directory off the path: a user's folder may hold modules of any name
    command = [sys.executable, "-P", "-m", MODULE, "--state", str(spec.folder), "--name", spec.name]
    command += ["--nodes", str(spec.nodes)]
    for fault in spec.faults:
        command += ["--fault", fault]
    return [*command, "--owner-pid", str(spec.owner)] if spec.owner is not None else command


def _ready(folder: Path, one: Process) -> dict[str, str] | NotYet:
    alive = one.alive  # asked first: a process that wrote its word and then died is not ready
    try:
        ready = json.loads((folder / READY).read_text())
    except FileNotFoundError:
        return NotYet("its process runs and is not ready") if alive else _ended(one)
    if not alive:
        return _ended(one)
    return {key: str(value) for key, value in ready.items()}


def _ended(one: Process) -> NotYet:
    return NotYet(f"its process ended ({one.end})" if one.end else "its process ended", given_up=True)


def _short_sleep(seconds: float) -> None:
    time.sleep(min(seconds, 0.05))


def _tail(folder: Path) -> str:
    try:
        lines = (folder / LOG).read_text(errors="replace").strip().splitlines()
        full = shutil.disk_usage(folder).free < LEAST
    except FileNotFoundError:
        return ""
    lines = [*lines[-TAIL:], f"{folder}: the disk is full"] if full else lines[-TAIL:]
    return "".join(f"\n  {line}" for line in lines)


def _process(folder: Path) -> Process | None:
    try:
        return Process(**json.loads((folder / PROCESS).read_text()))
    except (OSError, ValueError, TypeError):
        return None
