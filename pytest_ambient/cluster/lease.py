"""A lease: a file that says which process answers for a cluster or namespaces, so that leftovers are found."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient._run import Process, this_process
from pytest_ambient.cluster.provider import Cluster, find
from pytest_ambient.errors import BrokenEnvironment, Misuse, ProviderError

Object: TypeAlias = Mapping[str, Any]

Remove: TypeAlias = "Callable[[Lease], None]"
"""Takes out of a cluster that is not ours all that a run has put in."""


def state_folder() -> Path:
    """Where this user's clusters and leases are kept: `pytest-ambient` in $XDG_STATE_HOME or ~/.local/state."""
    home = os.environ.get("XDG_STATE_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".local" / "state") / "pytest-ambient"


@dataclass(frozen=True)
class Lease:
    """What a run has in a cluster, and which process answers for it."""

    cluster: Cluster
    run: str
    """Name of the run; its namespaces carry it as the label `pytest-ambient/run`."""
    owner: Process | None
    """None: kept on purpose, nobody answers for it any more."""
    installed: Object | None = None
    """What was put into the cluster beside namespaces, in plain values; `words` says it to people."""

    @property
    def path(self) -> Path:
        """The file of this lease."""
        return _folder() / f"{self.cluster.name if self.cluster.owned else self.run}.json"

    @property
    def left_behind(self) -> bool:
        """Whether its owner is gone without having let it go."""
        return self.owner is not None and not self.owner.alive

    def claim(self) -> None:
        """Make a new lease known; ProviderError when there is one of this name or the folder does not take it."""
        self._write(lambda draft: os.link(draft, self.path))

    def write(self) -> None:
        """Make the lease known in place of its earlier text."""
        self._write(lambda draft: os.replace(draft, self.path))

    def _write(self, publish: Callable[[Path], None]) -> None:
        owner = self.owner and vars(self.owner)
        plain = {"cluster": self.cluster.to_json(), "run": self.run, "owner": owner, "installed": self.installed}
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            draft.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.write_text(json.dumps(plain, indent=2))
            publish(draft)
        except FileExistsError:
            raise ProviderError(f"{self.path}: a lease of this name is there already: pytest-ambient cleanup") from None
        except OSError as error:
            raise ProviderError(f"{error.filename or draft}: cannot be written: {error.strerror}") from None
        finally:
            with suppress(OSError):
                draft.unlink()

    def keep(self) -> None:
        """Let the cluster outlive this process, on purpose."""
        replace(self, owner=None).write()

    def end(self) -> None:
        """Forget the lease: what it named is gone."""
        self.path.unlink(missing_ok=True)


def lease(cluster: Cluster, run: str) -> Lease:
    """A lease of this process, not yet written."""
    return Lease(cluster, run, this_process())


def leases() -> Iterator[Lease]:
    """Every lease of this user that can be read, by name; one that is damaged is passed over."""
    for path in sorted(_folder().glob("*.json")):
        found = _read(path)
        if found is not None:
            yield found


def damaged() -> Iterator[Path]:
    """Every lease that is there and says nothing; it keeps its name from being used."""
    yield from (path for path in sorted(_folder().glob("*.json")) if path.exists() and _read(path) is None)


def of_cluster(name: str) -> Lease | None:
    """The lease of the cluster that was made under this name."""
    return next((one for one in leases() if one.cluster.owned and one.cluster.name == name), None)


def named(name: str) -> Lease | None:
    """The lease of that cluster or, in a cluster that is not ours, of that run."""
    return next((one for one in leases() if name == (one.cluster.name if one.cluster.owned else one.run)), None)


def reap(one: Lease, remove: Remove) -> None:
    """Undo what a lease names, and end it; BrokenEnvironment when that fails, and the lease stays."""
    if one.cluster.owned:
        find(one.cluster.provider).delete(one.cluster)
    else:
        remove(one)
    one.end()


def reap_all(remove: Remove, say: Callable[[str], None]) -> int:
    """Reap what dead runs left behind, tell each by `say`, and return how many could not be."""
    failed = 0
    for one in [one for one in leases() if one.left_behind]:
        try:
            reap(one, remove)
        except (BrokenEnvironment, Misuse) as error:
            failed += 1
            say(f"{words(one)}, left behind by a run that is gone, cannot be removed: {error}")
        else:
            say(f"removed {words(one)}, left behind by a run that is gone")
    return failed


def orphans() -> Iterator[Path]:
    """State folders that no lease names."""
    # before the leases: a run claims first, then makes
    there = sorted((state_folder() / "clusters").glob("*")) + sorted(meshes().glob("*"))
    known = [*leases()]
    there_for = {*(one.cluster.folder for one in known), *(meshes() / one.run for one in known)}
    yield from (path for path in there if path not in there_for)


def meshes() -> Path:
    """Where runs keep what they render for clusters that are not theirs, a folder each."""
    return state_folder() / "meshes"


def failures() -> Path:
    """Where the evidence of bring-ups that failed is kept, a folder for each run."""
    return state_folder() / "failures"


def remove_orphan(folder: Path) -> None:
    """Remove a state folder that no lease names; the process of an embedded cluster ends when its folder goes."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise ProviderError(f"{folder}: cannot be removed")


def words(one: Lease) -> str:
    """What a lease names, for a line of output."""
    cluster = one.cluster
    if cluster.owned:
        return f"cluster {cluster.name} ({cluster.provider})"
    more = f" and {one.installed.get('words', 'what it installed')}" if one.installed else ""
    return f"namespaces of run {one.run}{more} in context {cluster.context}"


def _folder() -> Path:
    return state_folder() / "leases"


def _read(path: Path) -> Lease | None:
    try:
        plain = json.loads(path.read_text())
        owner = plain["owner"]
        cluster, installed = Cluster.from_json(plain["cluster"]), plain.get("installed")
        return Lease(cluster, str(plain["run"]), Process(**owner) if owner else None, installed)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ProviderError):
        return None
