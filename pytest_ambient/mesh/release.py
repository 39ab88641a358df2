"""Finds what an Istio release consists of: in a local folder, on PATH, or downloaded and checked."""

import json
import platform
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from pytest_ambient._archive import unpack
from pytest_ambient._fetch import cache_folder, fetch, quiet
from pytest_ambient._http import text
from pytest_ambient._run import run
from pytest_ambient.errors import CommandFailed, FetchFailed, InstallerError, Misuse
from pytest_ambient.mesh.installer import MeshSpec

DOWNLOADS = "https://github.com/istio/istio/releases/download"

MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "armv7"}
SYSTEMS = {"linux": "linux", "darwin": "osx"}

OFFLINE = "offline, unpack an Istio release by hand and name it with --ambient-istio-dir"

ASK = 30.0
"""Seconds that `istioctl version` may take."""


def check(spec: MeshSpec, *parts: str) -> None:
    """Misuse when a local release is named that lacks one of the parts, such as `bin/istioctl`."""
    missing = [part for part in parts if spec.release is not None and not (spec.release / part).exists()]
    if missing:
        raise Misuse(
            f"--ambient-istio-dir={spec.release}: is no unpacked Istio release, it has no {', '.join(missing)}"
        )


def istioctl(spec: MeshSpec, say: Callable[[str], None] = quiet) -> Path:
    """An istioctl of exactly the wanted version: of the local release, else on PATH, else downloaded.

    Raises InstallerError when the local release is of another version, FetchFailed when nothing can be downloaded.
    """
    if spec.release is not None:
        path = spec.release / "bin" / "istioctl"
        found = client_version(path)
        if found != spec.version:
            raise InstallerError(f"{path} is istioctl {found or 'of no version'}, wanted {spec.version}")
        return path
    there = shutil.which("istioctl")
    if there is not None:
        found = client_version(Path(there))
        if found == spec.version:
            return Path(there)
        say(f"{there} is istioctl {found or 'of no version'}, wanted {spec.version}: looking for that one")
    return _downloaded(spec, f"istioctl-{spec.version}", "istioctl", say)


def folder(spec: MeshSpec, say: Callable[[str], None] = quiet) -> Path:
    """An unpacked release with `samples` and `manifests`: the local one, else downloaded."""
    if spec.release is not None:
        return spec.release
    return _downloaded(spec, f"istio-{spec.version}", None, say)


def client_version(path: Path) -> str:
    """What an istioctl calls itself, such as `1.30.3`; empty when it does not say."""
    try:
        told = run([str(path), "version", "--remote=false", "-o", "json"], within=ASK).output
        return str(json.loads(told)["clientVersion"]["version"])
    except (CommandFailed, ValueError, KeyError, TypeError):
        return ""


def charts_version(release: Path) -> str:
    """The version of the charts in a release; empty when they do not say."""
    try:
        told = (release / "manifests" / "charts" / "base" / "Chart.yaml").read_text()
    except OSError:
        return ""
    found = re.search(r"^version: *[\"']?([^\s\"']+)", told, re.MULTILINE)
    return found[1] if found else ""


def suffix() -> str:
    """How Istio's releases call this machine: `linux-amd64`; InstallerError when none is published for it."""
    system, machine = sys.platform, platform.machine().lower()
    if system in SYSTEMS and machine in MACHINES and (system, machine) != ("darwin", "armv7l"):
        return f"{SYSTEMS[system]}-{MACHINES[machine]}"
    raise InstallerError(f"Istio publishes nothing for {system} on {machine}: put an istioctl of your own on PATH")


def _downloaded(spec: MeshSpec, name: str, member: str | None, say: Callable[[str], None]) -> Path:
    """One file, or all, of an archive of the release; what was unpacked once is there without a network."""
    where = cache_folder() / "istio" / spec.version
    there = where / (member or f"release/{name}")
    if there.exists():
        return there
    archive = f"{name}-{suffix()}.tar.gz"
    url = f"{DOWNLOADS}/{spec.version}/{archive}"
    try:
        packed = fetch(url, sha256=_checksum(f"{url}.sha256"), name=f"istio/{archive}", say=say, within=spec.within)
        unpack(packed, member, where if member else where / "release")
    except FetchFailed as error:
        raise FetchFailed(f"{error}; {OFFLINE}") from None
    if not there.exists():
        raise FetchFailed(f"{packed}: holds no {there.name}; {OFFLINE}")
    return there


def _checksum(url: str) -> str:
    """The first word: one blank stands between sum and name, which not every checker takes."""
    told = text(url).split()
    if not told or not re.fullmatch(r"[0-9a-f]{64}", told[0]):
        raise FetchFailed(f"{url}: holds no sha256")
    return told[0]
