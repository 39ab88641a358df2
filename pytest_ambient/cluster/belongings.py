"""What of one cluster is in a container runtime: nodes, volumes, networks; listed, started, looked at and removed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient.cluster.container import LONG, SOON, Runtime, asked, unreachable
from pytest_ambient.errors import ProviderError

Mounts = Sequence[tuple[str, str]]
"""File systems by type and folder."""


@dataclass(frozen=True)
class Belongings:
    """One cluster's things, as filters of the runtime's `ps`, `volume ls` and `network ls`; none where it has none."""

    runtime: Runtime
    containers: tuple[str, ...]
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    def nodes(self) -> list[str]:
        """Names of the cluster's containers, stopped ones too; ProviderError when the runtime does not answer."""
        return sorted(self._listed("ps", "--all", *_filters(self.containers), "--format", "{{.Names}}"))

    def start(self) -> None:
        """Start containers that this machine's restart has stopped; ProviderError when one cannot be."""
        self._done("start", *self.nodes(), within=LONG)

    def remove(self) -> None:
        """Remove what is there: containers, then volumes and networks; ProviderError when some of it stays."""
        removals = (
            (self.containers, ("ps", "--all", "--quiet"), ("rm", "--force", "--volumes")),
            (self.volumes, ("volume", "ls", "--quiet"), ("volume", "rm", "--force")),
            (self.networks, ("network", "ls", "--quiet"), ("network", "rm")),
        )
        for filters, listing, removal in removals:
            found = self._listed(*listing, *_filters(filters)) if filters else []
            if found:
                self._done(*removal, *found, within=LONG)

    def read(self, name: str, path: str) -> str:
        """A file of a container; ProviderError when it cannot be read."""
        return self._done("exec", name, "cat", path)

    def mount(self, names: Iterable[str], mounts: Mounts) -> None:
        """See to it that nodes have file systems where they are wanted; each gets its own, which ends with it."""
        for name in names if mounts else ():
            for kind, folder in mounts:
                there = f"grep -q ' {folder} {kind} ' /proc/mounts"
                self._done("exec", "--privileged", name, "sh", "-c", f"{there} || mount -t {kind} none {folder}")

    def save_logs(self, folder: Path) -> list[str]:
        """Write what each container logged into NAME.log, and how it is into NAME.json; the names of them all."""
        names = self.nodes()
        for name in names:
            logged = asked(self.runtime, "logs", "--timestamps", name, within=LONG)
            state = asked(self.runtime, "inspect", "--format", "{{json .State}}", name)
            (folder / f"{name}.log").write_text(logged.output + logged.errors)
            (folder / f"{name}.json").write_text(state.output + state.errors)
        return names

    def _listed(self, *words: str) -> list[str]:
        ran = asked(self.runtime, *words)
        if ran.status:
            raise ProviderError(unreachable(self.runtime, ran.errors.strip()))
        return ran.output.split()

    def _done(self, *words: str, within: float = SOON) -> str:
        ran = asked(self.runtime, *words, within=within)
        if ran.status:
            why = " ".join((ran.errors.strip() or ran.output.strip() or "it said nothing").split())
            raise ProviderError(f"{self.runtime.name} {' '.join(words)}: exit {ran.status}: {why}")
        return ran.output


def _filters(filters: Sequence[str]) -> list[str]:
    return [word for one in filters for word in ("--filter", one)]
