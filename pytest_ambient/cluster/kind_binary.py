"""Which kind is used: the one on PATH where it suits the Kubernetes that is wanted, else a downloaded one."""

import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient import _fetch
from pytest_ambient._run import run
from pytest_ambient.cluster.container import ARCHITECTURES
from pytest_ambient.cluster.kind_table import Release, table
from pytest_ambient.errors import CommandFailed, ProviderError
from pytest_ambient.finding import Finding


@dataclass(frozen=True)
class Choice:
    """A release of kind and the Kubernetes that it is to bring."""

    release: Release
    kubernetes: str
    path: Path | None
    """Where this release is on PATH; None when it is not and must be fetched."""

    @property
    def image(self) -> str:
        """The node image, pinned by digest."""
        return self.release.image(self.kubernetes)


def choose(wanted: str | None) -> Choice:
    """The kind on PATH when it is a known release that brings this Kubernetes, else the newest release that does."""
    version = wanted or table().default
    newest = table().bringing(version)
    found = shutil.which("kind")
    there = table().release(_version(found)) if found else None
    if found and there is not None and (kubernetes := there.kubernetes(version)) is not None:
        return Choice(there, kubernetes, Path(found).absolute())
    return Choice(newest, newest.kubernetes(version) or version, None)


def fetched(choice: Choice, *, within: float) -> Path:
    """The kind binary of this choice, downloaded and checked unless it is there; FetchFailed when it cannot be."""
    if choice.path is not None:
        return choice.path
    version, machine = choice.release.version, _platform()
    url = table().url.format(version=version, platform=machine)
    checksum = choice.release.sha256[machine]
    path = _fetch.fetch(url, sha256=checksum, name=f"kind/v{version}/kind-{machine}", within=within)
    path.chmod(0o700)
    return path


def finding(choice: Choice) -> Finding:
    """Which kind is used, and for what."""
    where = f"at {choice.path}" if choice.path else "is downloaded unless it is in the cache"
    return Finding("kind", "ok", f"v{choice.release.version} {where}, for Kubernetes {choice.kubernetes}")


def _version(path: str) -> str:
    """The version of a kind binary; empty for a development build or something else of this name."""
    try:
        said = run([path, "version"], within=10.0).output
    except CommandFailed:
        return ""
    found = re.match(r"kind v(\d+\.\d+\.\d+) ", said)
    return found[1] if found else ""


def _platform() -> str:
    machine = ARCHITECTURES.get(platform.machine(), platform.machine())
    name = f"{sys.platform}-{machine}"
    if name not in table().releases[0].sha256:
        raise ProviderError(f"there is no kind for {name}: test an existing cluster")
    return name
