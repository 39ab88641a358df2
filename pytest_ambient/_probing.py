"""What the fixtures and the console script ask of the rooms below, with settings put into their words."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ambient import _keeping, _others
from pytest_ambient.errors import BrokenEnvironment, Inconclusive, Misuse

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube
    from pytest_ambient._session import Run
    from pytest_ambient.cluster.provider import Cluster
    from pytest_ambient.manifest import Places
    from pytest_ambient.mesh.bookinfo import Bookinfo
    from pytest_ambient.mesh.features import Feature
    from pytest_ambient.mesh.meshwide import MeshWide
    from pytest_ambient.mesh.readiness import Mesh
    from pytest_ambient.probe.battery import Battery
    from pytest_ambient.probe.rule import RuleRun
    from pytest_ambient.probe.trace import Trace
    from pytest_ambient.settings import Settings
    from pytest_ambient.verdict.call import Call
    from pytest_ambient.verdict.case import Case
    from pytest_ambient.verdict.outcome import Outcome
    from pytest_ambient.verdict.variant import World

Say = Callable[[str], None]

NAMESPACE = "bookinfo"


def mesh(kube: "Kube", settings: "Settings", say: Say) -> "Mesh":
    """The mesh, ready or with its problems; BrokenEnvironment when a part of it is not there at all.

    Its data plane is the one that was asked for, or else the one that runs.
    """
    from pytest_ambient.mesh import dataplane, readiness

    wanted = dataplane.named(settings.dataplane) if settings.said("dataplane") else None
    with _told("mesh", say):
        found = readiness.wait(kube, settings.timeout["mesh"], wanted)
    if wanted is None and found.dataplane is not dataplane.ZTUNNEL:
        say(f"data plane {found.dataplane.name}: found in the cluster, --ambient-dataplane said nothing")
    if found.istiods:
        say(found.istiods)
    absent = [name for name in found.dataplane.parts if name not in found.parts or not found.parts[name].ready]
    if absent:
        raise BrokenEnvironment(f"there is no working ambient mesh: {'; '.join(found.problems)}")
    for problem in found.problems:
        say(f"not ready: {problem}")
    return found


def world(found: "Mesh") -> "World":
    """What runs, for cases whose expectation depends on that."""
    from pytest_ambient.verdict.variant import World

    plane = found.dataplane
    told = [(found.product(name), version) for name, version in found.versions.items()]
    told += [(name, version) for name, version in found.versions.items() if name == plane.name]
    return World(plane.name, tuple(dict.fromkeys(told)), plane.silent)


def agreed(found: "Mesh", settings: "Settings") -> None:
    """BrokenEnvironment when the mesh is not of the version that must be found: its verdicts would be another's."""
    disagreement = found.disagreement(settings.istio_version) if settings.istio_version else None
    if disagreement is not None:
        raise BrokenEnvironment(f"--ambient-istio-version: {disagreement}")


def features(kube: "Kube", settings: "Settings", cluster: "Cluster") -> "Mapping[str, Feature]":
    """Every known feature, found or not, or as the settings say."""
    from pytest_ambient.mesh.features import FEATURES, Feature, detect

    if settings.features is None:
        return detect(kube, embedded=not cluster.publishable, skip=settings.skip_features)
    believed = set(settings.features) - set(settings.skip_features)
    return {name: Feature(name, name in believed, "not in --ambient-features") for name in FEATURES}


def missing(needs: tuple[str, ...], found: "Mapping[str, Feature]") -> str | None:
    """Why the mesh cannot do what is needed; Misuse for a name that no feature has."""
    unknown = [name for name in needs if name not in found]
    if unknown:
        raise Misuse(f"needs: unknown feature {', '.join(unknown)}, known are {', '.join(sorted(found))}")
    reasons = [f"{name} ({found[name].reason})" for name in needs if not found[name].present]
    return f"the mesh has no {', no '.join(reasons)}" if reasons else None


def places(kube: "Kube", found: "Mesh", cluster: "Cluster", run: "Run", worker: str) -> "Places":
    """This run's namespaces; without a name given, one of its own where others may use the cluster too."""
    from pytest_ambient.mesh import meshwide

    decided = meshwide.read(kube)
    others = meshwide.policies(kube, decided.root)
    if others:
        run.say(f"policies in {decided.root} hold in our namespaces too: {', '.join(others)}")
    start = run.settings.namespace or (NAMESPACE if cluster.owned else f"{NAMESPACE}-{run.id}")
    name = f"{start}-{worker}" if worker else start
    return _places(kube, name, found, decided)


def _places(kube: "Kube", name: str, found: "Mesh", decided: "MeshWide") -> "Places":
    from pytest_ambient.manifest import Places
    from pytest_ambient.mesh import outages
    from pytest_ambient.mesh.bookinfo import users_assigned

    plane = found.dataplane
    return Places(
        name,
        f"{name}-other",
        f"{name}-outside",
        decided.root,
        decided.trust_domain,
        dataplane_mode=plane.mode,
        waypoint_image=found.waypoint_image,
        revision=decided.revision,
        proxies=plane.label,
        silent=plane.silent,
        assigns_users=users_assigned(kube),
        discovery=decided.discovery,
        ztunnel=outages.ztunnel(kube),
        istiod=outages.istiod(kube),
    )


def bookinfo(kube: "Kube", where: "Places", found: "Mesh", settings: "Settings", run: str, say: Say) -> "Bookinfo":
    """Bookinfo, installed and ready in its namespaces."""
    from pytest_ambient.mesh import bookinfo as installer

    within, plane, istio = settings.timeout["bookinfo"], found.dataplane, found.versions.get("istiod")
    with _told(f"bookinfo in {where.namespace}", say), _keeping.watched(kube, where, settings, "bookinfo"):
        return installer.install(kube, where, run, istio=istio, hub=settings.hub, within=within, dataplane=plane)


def furnish(cluster: "Cluster", settings: "Settings", run: str, say: Say) -> str:
    """Bookinfo in a cluster that is to stay; its namespace."""
    from pytest_ambient._kube import Kube
    from pytest_ambient.mesh import meshwide

    kube = Kube(cluster.kubeconfig, cluster.context)
    found, name = mesh(kube, settings, say), settings.namespace or NAMESPACE
    agreed(found, settings)
    bookinfo(kube, _places(kube, name, found, meshwide.read(kube)), found, settings, run, say)
    return name


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
        with turn(ours.cluster, alone=any(case.scope == "mesh" for case in selected)):
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

    def applied(path: Path) -> None:
        documents = placed(kube, read(path, where, hub=settings.hub), where, mesh_wide=mesh_wide)
        change = apply(kube, documents, trace=trace)
        undo.callback(change.undo, settings.timeout["undo"])
        ready(kube, documents, settings.timeout["setup"])

    return applied


@contextmanager
def turn(cluster: "Cluster", *, alone: bool) -> Iterator[None]:
    """Hold the mesh: together with others, or alone."""
    from pytest_ambient import _lock
    from pytest_ambient.cluster.lease import state_folder

    name = hashlib.sha256(f"{cluster.kubeconfig} {cluster.context}".encode()).hexdigest()[:16]
    path = cluster.folder / "turn.db" if cluster.folder else state_folder() / "locks" / f"{name}.db"
    with (_lock.alone if alone else _lock.shared)(path):
        yield


@contextmanager
def _told(step: str, say: Say) -> Iterator[None]:
    start = time.monotonic()
    yield
    say(f"{step} {time.monotonic() - start:.1f} s")
