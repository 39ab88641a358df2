"""What asks from the source pods of a run: calls, the rule of a module, and manifests that a test applies itself."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ambient import _others
from pytest_ambient.errors import Inconclusive

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube
    from pytest_ambient._session import Run
    from pytest_ambient.cluster.provider import Cluster
    from pytest_ambient.places import Places
    from pytest_ambient.probe.battery import Battery
    from pytest_ambient.probe.rule import RuleRun
    from pytest_ambient.probe.trace import Trace
    from pytest_ambient.settings import Settings
    from pytest_ambient.verdict.call import Call
    from pytest_ambient.verdict.case import Case
    from pytest_ambient.verdict.outcome import Outcome


@dataclass(frozen=True)
class Probes:
    """What asks from the source pods of one run."""

    kube: "Kube"
    places: "Places"
    cluster: "Cluster"
    run: "Run"
    battery: "Battery"

    def find(self, word: str) -> object:
        """The pod for a word; Misuse for an unknown one."""
        return self.battery.sources.find(word)

    def ask(self, word: str, call: "Call") -> "Outcome":
        """What curl saw of the last request of a call; Inconclusive when that was lost."""
        from pytest_ambient.verdict.outcome import Lost

        last = self.battery.ask({"call": (word, call)}).seen["call"][-1]
        if isinstance(last, Lost):
            raise Inconclusive(f"{word} -> {call}: {last.reason}")
        return last


@contextmanager
def probes(kube: "Kube", where: "Places", cluster: "Cluster", run: "Run", image: str) -> Iterator[Probes]:
    """What asks from the source pods, until the end."""
    from pytest_ambient.probe.battery import Battery
    from pytest_ambient.probe.source import Sources
    from pytest_ambient.probe.timing import Timing

    timing = Timing.of(run.settings.timeout)
    battery = Battery(kube, Sources(kube, where, run.id, image=image), timing)
    try:
        yield Probes(kube, where, cluster, run, battery)
    finally:
        battery.close()


@contextmanager
def rule(ours: Probes, module: Path, selected: "Sequence[Case]") -> "Iterator[RuleRun]":
    """The rule of a module, its set-up taken back at the end."""
    from pytest_ambient.manifest import Manifests
    from pytest_ambient.probe.rule import RuleRun

    settings, manifests = ours.run.settings, Manifests.beside(module)
    timing, sources = ours.battery.timing, ours.battery.sources
    trace = _others.traced(ours.cluster, ours.places, ours.run.id)
    run = RuleRun(
        ours.kube,
        ours.places,
        manifests,
        selected,
        timing=timing,
        hub=settings.hub,
        sources=sources,
        trace=trace,
        scenes=settings.artifacts if settings.report is not None else "off",
    )
    try:
        yield run
    finally:
        mesh_wide = any(case.scope == "mesh" for case in selected)
        with turn(ours.cluster, alone=mesh_wide) if run.changed else nullcontext():
            run.close()


def applier(
    kube: "Kube",
    where: "Places",
    settings: "Settings",
    undo: ExitStack,
    *,
    mesh_wide: bool,
    trace: "Trace | None" = None,
) -> Callable[[Path], None]:
    """Applies a manifest, waits for what is in it, and leaves to `undo` to take it back."""
    from pytest_ambient.manifest import read
    from pytest_ambient.probe.applied import apply, placed
    from pytest_ambient.probe.ready import ready
    from pytest_ambient.stuck import Waits

    def applied(path: Path) -> None:
        documents = placed(kube, read(path, where, hub=settings.hub), where, mesh_wide=mesh_wide)
        change = apply(kube, documents, trace=trace)
        undo.callback(change.undo, settings.timeout["undo"])
        ready(kube, documents, settings.timeout["setup"], Waits())

    return applied


@contextmanager
def turn(cluster: "Cluster", *, alone: bool) -> Iterator[None]:
    """Hold the mesh: together with others, or alone."""
    from pytest_ambient import _lock

    with (_lock.alone if alone else _lock.shared)(_turns(cluster)):
        yield


def end_turns(cluster: "Cluster") -> None:
    """Remove the lock of a mesh, unless somebody else holds it or waits for it."""
    from pytest_ambient import _lock

    if _turns(cluster).exists():
        _lock.remove(_turns(cluster))


def _turns(cluster: "Cluster") -> Path:
    from pytest_ambient.cluster.lease import state_folder

    name = hashlib.sha256(f"{cluster.kubeconfig} {cluster.context}".encode()).hexdigest()[:16]
    return cluster.folder / "turn.db" if cluster.folder else state_folder() / "locks" / f"{name}.db"
