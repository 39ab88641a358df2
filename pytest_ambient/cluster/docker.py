"""Docker under a tool that makes clusters of its containers: fit to make them, and what of a cluster is in it."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient._run import run
from pytest_ambient.cluster import container, kernel
from pytest_ambient.cluster.container import Runtime
from pytest_ambient.errors import CommandFailed, ProviderError
from pytest_ambient.finding import Finding

SOON, LONG = 30.0, 300.0
"""Seconds for a question, and for a removal or a transfer."""


@dataclass(frozen=True)
class Belongings:
    """What belongs to one cluster, as filters of `docker ps`, `docker volume ls` and `docker network ls`."""

    containers: tuple[str, ...]
    volumes: tuple[str, ...]
    networks: tuple[str, ...]

    def nodes(self) -> list[str]:
        """Names of the cluster's containers, stopped ones too; ProviderError when Docker does not answer."""
        return sorted(_said("ps", "--all", *_filters(self.containers), "--format", "{{.Names}}").split())

    def remove(self) -> None:
        """Remove what is there: containers, then volumes and networks; ProviderError when some of it stays."""
        removals = (
            (("ps", "--all", "--quiet", *_filters(self.containers)), ("rm", "--force", "--volumes")),
            (("volume", "ls", "--quiet", *_filters(self.volumes)), ("volume", "rm", "--force")),
            (("network", "ls", "--quiet", *_filters(self.networks)), ("network", "rm")),
        )
        for listing, removal in removals:
            found = _said(*listing).split()
            if found:
                _said(*removal, *found, within=LONG)


def docker() -> Runtime:
    """Docker; ProviderError when it is not on PATH."""
    path = shutil.which("docker")
    if path is None:
        raise ProviderError("docker is not on PATH: install it, or test on --ambient-cluster=embedded")
    return Runtime("docker", path)


def findings(kubernetes: str) -> Sequence[Finding]:
    """Whether Docker answers, and what nodes of that Kubernetes need of its kernel."""
    try:
        info = container.info(docker())
    except ProviderError as error:
        return (Finding("container runtime", "failed", str(error)),)
    return (Finding("container runtime", "ok", f"docker {info.version}"), *kernel.findings(info, kubernetes))


def read(name: str, path: str) -> str:
    """A file of a container; ProviderError when it cannot be read."""
    return _said("exec", name, "cat", path)


def save_logs(names: Sequence[str], folder: Path) -> None:
    """Write what each container logged into NAME.log, and how it is into NAME.json; ProviderError if that fails."""
    for name in names:
        try:
            logged = run(["docker", "logs", "--timestamps", name], within=LONG, check=False)
            state = run(["docker", "inspect", "--format", "{{json .State}}", name], within=SOON, check=False)
        except CommandFailed as error:
            raise ProviderError(str(error)) from None
        (folder / f"{name}.log").write_text(logged.output + logged.errors)
        (folder / f"{name}.json").write_text(state.output + state.errors)


def _filters(filters: Sequence[str]) -> list[str]:
    return [word for one in filters for word in ("--filter", one)]


def _said(*arguments: str, within: float = SOON) -> str:
    try:
        return run(["docker", *arguments], within=within).output
    except CommandFailed as error:
        raise ProviderError(" ".join(str(error).split())) from None
