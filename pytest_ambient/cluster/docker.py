"""What tools that make clusters of Docker containers leave to Docker itself: is it there, what is left of a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient._run import run
from pytest_ambient.errors import CommandFailed, ProviderError
from pytest_ambient.finding import Finding

SOON, LONG = 30.0, 300.0
"""Seconds for a question and for a transfer."""


@dataclass(frozen=True)
class Leavings:
    """What belongs to one cluster, as filters of `docker ps`, `docker volume ls` and `docker network ls`."""

    containers: tuple[str, ...]
    volumes: tuple[str, ...]
    networks: tuple[str, ...]

    def nodes(self) -> list[str]:
        """Names of the cluster's containers, running or not; ProviderError when Docker does not answer."""
        return sorted(_said("ps", "--all", *_filters(self.containers), "--format", "{{.Names}}").split())

    def remove(self) -> None:
        """Remove what is left: containers, then volumes and networks; ProviderError when some of it stays."""
        removals = (
            (("ps", "--all", "--quiet", *_filters(self.containers)), ("rm", "--force", "--volumes")),
            (("volume", "ls", "--quiet", *_filters(self.volumes)), ("volume", "rm", "--force")),
            (("network", "ls", "--quiet", *_filters(self.networks)), ("network", "rm")),
        )
        for listing, removal in removals:
            found = _said(*listing).split()
            if found:
                _said(*removal, *found, within=LONG)


def running() -> Finding:
    """Whether Docker is there and answers."""
    try:
        version = _said("version", "--format", "{{.Server.Version}}").strip()
    except ProviderError as error:
        return Finding("docker", "failed", str(error), "start Docker, or let this user reach it")
    return Finding("docker", "ok", f"server {version}")


def has_image(image: str) -> bool:
    """Whether an image is on this machine; ProviderError when Docker does not answer."""
    try:
        return run(["docker", "image", "inspect", "--format", "{{.Id}}", image], within=SOON, check=False).status == 0
    except CommandFailed as error:
        raise ProviderError(str(error)) from None


def save_image(image: str, archive: Path) -> None:
    """Write an image, of this machine's processor alone, into an archive; ProviderError when that cannot be done."""
    system = _said("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}").strip()
    _said("image", "save", "--platform", system, "--output", str(archive), image, within=LONG)


def read(container: str, path: str) -> str:
    """A file of a container; ProviderError when it cannot be read."""
    return _said("exec", container, "cat", path)


def save_logs(containers: Sequence[str], folder: Path) -> None:
    """Write what each container logged into NAME.log, and how it is into NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in containers:
        ran = run(["docker", "logs", "--timestamps", name], within=LONG, check=False)
        (folder / f"{name}.log").write_text(ran.output + ran.errors)
        ran = run(["docker", "inspect", "--format", "{{json .State}}", name], within=SOON, check=False)
        (folder / f"{name}.json").write_text(ran.output + ran.errors)


def _filters(filters: Sequence[str]) -> list[str]:
    return [word for one in filters for word in ("--filter", one)]


def _said(*arguments: str, within: float = SOON) -> str:
    try:
        return run(["docker", *arguments], within=within).output
    except CommandFailed as error:
        raise ProviderError(" ".join(str(error).split())) from None
