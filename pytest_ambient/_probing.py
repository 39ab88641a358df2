"""What the fixtures and the console script ask of the mesh and put into it, with settings put into its words."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_ambient import _words
from pytest_ambient.errors import BrokenEnvironment, Misuse

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube
    from pytest_ambient._session import Run
    from pytest_ambient.cluster.provider import Cluster
    from pytest_ambient.mesh.bookinfo import Bookinfo
    from pytest_ambient.mesh.features import Feature
    from pytest_ambient.mesh.meshwide import MeshWide
    from pytest_ambient.mesh.readiness import Mesh
    from pytest_ambient.places import Places
    from pytest_ambient.settings import Settings
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
    """BrokenEnvironment when the mesh is not of the version that must be found, or cannot go to the one it shall.

    Its verdicts would be another's.
    """
    from pytest_ambient.mesh import upgrade

    disagreement = found.disagreement(settings.istio_version) if settings.istio_version else None
    if disagreement is not None:
        raise BrokenEnvironment(f"--ambient-istio-version: {disagreement}")
    runs, to = found.versions.get("istiod"), settings.upgrade_to
    reason = upgrade.wrong(runs, to) if runs and to else None
    if reason is not None:
        raise BrokenEnvironment(f"{settings.spelled('upgrade_to')}: {reason}")


def features(kube: "Kube", settings: "Settings", cluster: "Cluster") -> "Mapping[str, Feature]":
    """Every known feature, found or not, or as the settings say."""
    from pytest_ambient.mesh.features import FEATURES, Feature, detect

    if settings.features is None:
        return detect(
            kube,
            embedded=not cluster.publishable,
            skip=settings.skip_features,
            upgrade_to=settings.upgrade_to,
        )
    believed = set(settings.features) - set(settings.skip_features)
    return {name: Feature(name, name in believed, "not in --ambient-features") for name in FEATURES}


def missing(needs: tuple[str, ...], found: "Mapping[str, Feature]") -> str | None:
    """Why the mesh cannot do what is needed; Misuse for a name that no feature has."""
    if unknown := _words.needed(needs):
        raise Misuse(unknown)
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
    return _places(kube, name, found, decided, run.settings)


def _places(kube: "Kube", name: str, found: "Mesh", decided: "MeshWide", settings: "Settings") -> "Places":
    from pytest_ambient.manifest import image_from
    from pytest_ambient.mesh import outages, sidecars, upgrade
    from pytest_ambient.mesh.bookinfo import users_assigned
    from pytest_ambient.places import Places, namespaces

    plane = found.dataplane
    return Places(
        *namespaces(name),
        decided.root,
        decided.trust_domain,
        dataplane_mode=plane.mode,
        waypoint_image=found.waypoint_image,
        revision=decided.revision,
        proxies=plane.label,
        silent=plane.silent,
        assigns_users=users_assigned(kube),
        discovery=decided.discovery,
        injects=sidecars.unasked(kube),
        ztunnel=outages.ztunnel(kube),
        istiod=outages.istiod(kube),
        cni=outages.cni(kube),
        following={
            name: image_from(settings.hub, image) for name, image in upgrade.images(kube, settings.upgrade_to).items()
        },
    )


def bookinfo(kube: "Kube", where: "Places", found: "Mesh", settings: "Settings", run: str, say: Say) -> "Bookinfo":
    """Bookinfo, installed and ready in its namespaces."""
    from pytest_ambient import _keeping
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
    bookinfo(kube, _places(kube, name, found, meshwide.read(kube), settings), found, settings, run, say)
    return name


@contextmanager
def _told(step: str, say: Say) -> Iterator[None]:
    start = time.monotonic()
    yield
    say(f"{step} {time.monotonic() - start:.1f} s")
