"""The container runtime of this machine: which one it is, whether it runs, its images and networks."""

import ipaddress
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient._run import Ran, run
from pytest_ambient.errors import CommandFailed, ProviderError

Object: TypeAlias = dict[str, Any]
Subnet: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

NAMES = ("docker", "nerdctl", "podman")
"""The runtimes that kind knows, in the order in which it looks for them."""

VARIABLE = "KIND_EXPERIMENTAL_PROVIDER"
"""kind's own variable for which runtime to take."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Kernels' words for what images call otherwise."""

SOON, LONG = 30.0, 300.0
"""Seconds for a question, and for a removal or a transfer."""

OFF = "start it, or test a cluster that is there with --ambient-cluster=existing"
DENIED = "let this user use it: sudo usermod -aG docker $USER, then log in again"


@dataclass(frozen=True)
class Runtime:
    """A container runtime on PATH."""

    name: str
    """docker, nerdctl or podman."""
    path: str


@dataclass(frozen=True)
class Info:
    """What a runtime says of the machine on which its containers run; that may be another one than this."""

    version: str
    architecture: str
    """As images have it: amd64, arm64."""
    kernel: str
    cgroup: int
    """Version of control groups: 1, 2, or 0 when it does not say."""
    root: str
    """Folder in which it keeps images and containers."""


def find(*names: str) -> Runtime:
    """The runtime that $KIND_EXPERIMENTAL_PROVIDER names, else the first of `names` there is; ProviderError if none."""
    said = os.environ.get(VARIABLE, "")
    for name in [said] if said in NAMES else names or NAMES:
        path = shutil.which(name)
        if path is not None and (name != "docker" or _is_docker(path)):
            return Runtime(name, path)
    if said in NAMES:
        raise ProviderError(f"{said}, which ${VARIABLE} names, is not on PATH: install it or unset the variable")
    *most, last = names or NAMES
    wanted = f"{', '.join(most)} or {last}" if most else last
    raise ProviderError(f"no container runtime on PATH: install {wanted}, or test on --ambient-cluster=embedded")


def docker() -> Runtime:
    """Docker, which some tools know alone; ProviderError when it is not on PATH."""
    path = shutil.which("docker")
    if path is None:
        raise ProviderError("docker is not on PATH: install it, or test on --ambient-cluster=embedded")
    return Runtime("docker", path)


def info(runtime: Runtime) -> Info:
    """What the runtime says of itself; ProviderError with what to do when it does not answer."""
    form = "json" if runtime.name == "podman" else "{{json .}}"
    ran = asked(runtime, "info", "--format", form, within=20.0)
    try:
        said: Object = json.loads(ran.output)
    except ValueError:
        said = {}
    errors = ran.errors.strip() or "; ".join(said.get("ServerErrors") or ())
    if ran.status or said.get("ServerErrors") or not said:
        raise ProviderError(unreachable(runtime, errors or ran.output.strip()))
    return _podman(said) if runtime.name == "podman" else _docker(said)


def has_image(runtime: Runtime, image: str) -> bool:
    """Whether the image is on this machine."""
    return asked(runtime, "image", "inspect", "--format", "{{.Id}}", image).status == 0


def save_image(runtime: Runtime, image: str, archive: Path, *, within: float = 300.0) -> None:
    """Write an image of this machine, for its own architecture alone, into a tar archive; CommandFailed if it cannot.

    An archive of all platforms, of which only one was pulled, is what nodes refuse (kind#3795).
    """
    one = [] if runtime.name == "podman" else ["--platform", f"linux/{info(runtime).architecture}"]
    ran = asked(runtime, "save", *one, "--output", str(archive), image, within=within)
    if ran.status and one:  # a docker before 28 has no such flag, and no such archives either
        ran = asked(runtime, "save", "--output", str(archive), image, within=within)
    if ran.status:
        raise CommandFailed(f"{runtime.name} save {image}: exit {ran.status}: {ran.errors.strip()}")


def subnets(runtime: Runtime, network: str) -> tuple[Subnet, ...]:
    """The subnets of a network, IPv4 first; ProviderError when there is no such network."""
    ran = asked(runtime, "network", "inspect", network)
    try:
        described: list[Object] = json.loads(ran.output)
        found = [ipaddress.ip_network(text, strict=False) for one in described for text in _subnets(one)]
    except (ValueError, TypeError, AttributeError):
        found = []
    if ran.status or not found:
        raise ProviderError(f"{runtime.name} has no network {network} with a subnet: {ran.errors.strip() or 'none'}")
    return tuple(sorted(found, key=lambda one: one.version))


def _subnets(described: Object) -> list[str]:
    docker = (described.get("IPAM") or {}).get("Config") or ()
    return [*(one["Subnet"] for one in docker), *(one["subnet"] for one in described.get("subnets") or ())]


def asked(runtime: Runtime, *words: str, within: float = SOON) -> Ran:
    """What the runtime answered, failed or not; ProviderError when it does not answer at all."""
    try:
        return run([runtime.path, *words], check=False, within=within)
    except CommandFailed as error:
        raise ProviderError(f"{error}: is {runtime.name} stuck?") from None


def _is_docker(path: str) -> bool:
    """Whether this is docker itself: some systems call podman by this name too."""
    try:
        return run([path, "--version"], within=10.0).output.startswith("Docker version")
    except CommandFailed:
        return False


def unreachable(runtime: Runtime, said: str) -> str:
    """What to tell of a runtime that could not be asked, by what it said."""
    lines = [line for line in said.splitlines() if line.strip()]
    reason = lines[-1].strip() if lines else "it says nothing"
    return f"{runtime.name} does not answer: {reason}: {DENIED if 'permission denied' in said.lower() else OFF}"


def _docker(said: Object) -> Info:
    return Info(
        version=str(said.get("ServerVersion", "")),
        architecture=_architecture(str(said.get("Architecture", ""))),
        kernel=str(said.get("KernelVersion", "")),
        cgroup=_number(str(said.get("CgroupVersion", ""))),
        root=str(said.get("DockerRootDir", "")),
    )


def _podman(said: Object) -> Info:
    host, store = said.get("host") or {}, said.get("store") or {}
    return Info(
        version=str((said.get("version") or {}).get("Version", "")),
        architecture=_architecture(str(host.get("arch", ""))),
        kernel=str(host.get("kernel", "")),
        cgroup=_number(str(host.get("cgroupVersion", "")).removeprefix("v")),
        root=str(store.get("graphRoot", "")),
    )


def _architecture(word: str) -> str:
    return ARCHITECTURES.get(word, word)


def _number(word: str) -> int:
    return int(word) if word.isdigit() else 0
