"""What a run brings up and takes out again: settings put into the words of clusters, meshes and steps."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ambient import _others
from pytest_ambient.cluster.lease import Lease, Remove, failures, meshes
from pytest_ambient.cluster.namespaces import remove_namespaces
from pytest_ambient.cluster.plan import Plan, spec_folder
from pytest_ambient.cluster.provider import Cluster, ClusterSpec, Provider, find
from pytest_ambient.errors import BrokenEnvironment, ProviderError
from pytest_ambient.settings import Settings
from pytest_ambient.steps import Group, Step

if TYPE_CHECKING:
    from pytest_ambient.mesh.images import Image
    from pytest_ambient.mesh.installer import Target
    from pytest_ambient.mesh.plan import Installation

Say = Callable[[str], None]

DEFAULT = "istioctl"
"""The installer for a cluster that is created, when none is named."""
NONE = "none"
SUBNETS = {"metallb"}
"""The addons that give out addresses of the nodes' network."""


def installer(settings: Settings, provider: Provider) -> str:
    """The name of what puts the mesh in; `none` where it is there already or comes with the cluster."""
    if settings.installer is not None:
        return settings.installer
    return NONE if settings.cluster == "existing" or meshed(provider) else DEFAULT


def meshed(provider: Provider) -> bool:
    """Whether clusters of this provider come with a mesh of their own."""
    return getattr(provider, "meshed", False) is True


def cluster_spec(settings: Settings, name: str, owner: int | None) -> ClusterSpec:
    """The cluster that the settings ask for."""
    return ClusterSpec(
        name=name,
        folder=spec_folder(name),
        nodes=settings.nodes,
        kubeconfig=settings.kubeconfig,
        context=settings.context,
        kubernetes_version=settings.kubernetes_version,
        istio_version=settings.istio_version,
        faults=settings.fault,
        owner=owner,
        within=settings.timeout["cluster"],
        mounts=_mounts(settings),
    )


def _mounts(settings: Settings) -> tuple[tuple[str, str], ...]:
    if settings.dataplane == "ztunnel":  # takes nothing for given; most runs load no data plane for this
        return ()
    from pytest_ambient.mesh import dataplane

    return dataplane.named(settings.dataplane).mounts


def installation(settings: Settings, provider: Provider, folder: Path) -> "Installation | None":
    """What is to be put into the cluster; None for nothing. Misuse for an Istio version that is not known."""
    name = installer(settings, provider)
    if name == NONE and not settings.addons:
        return None
    from pytest_ambient.mesh import versions
    from pytest_ambient.mesh.installer import MeshSpec
    from pytest_ambient.mesh.plan import Installation

    spec = MeshSpec(
        version=versions.patch(settings.istio_version or released(settings.istio_dir)),
        folder=folder,
        dataplane=settings.dataplane,
        release=settings.istio_dir,
        hub=settings.hub,
        gateway_api=settings.gateway_api,
        within=settings.timeout["installer"],
    )
    return Installation(name, spec, settings.addons)


def released(folder: Path | None) -> str | None:
    """The version of an unpacked release, as its own manifest says."""
    if folder is None:
        return None
    from pytest_ambient.mesh import release

    return release.charts_version(folder) or None


def plan(settings: Settings, spec: ClusterSpec, run: str, say: Say) -> Plan:
    """The life of the cluster that the settings ask for, mesh included."""
    assert settings.cluster is not None
    provider, name = find(settings.cluster), settings.cluster
    folder = meshes() / run if name == "existing" else spec.folder / "mesh"
    mesh = installation(settings, provider, folder)
    wanted = settings.artifacts != "off"
    logs = settings.report / "artifacts" / "cluster" if settings.report and wanted else None
    return Plan(
        provider,
        name,
        spec,
        run,
        settings.keep,
        logs,
        settings.artifacts == "always",
        evidence=logs or (failures() / run if wanted else None),
        then=(lambda cluster: _groups(mesh, cluster, provider, run, say)) if mesh else (lambda cluster: ()),
        installed=mesh.to_json() if mesh else None,
    )


def _groups(mesh: "Installation", cluster: Cluster, provider: Provider, run: str, say: Say) -> Sequence[Group]:
    if cluster.read_only:
        raise ProviderError(f"{mesh.words} cannot be installed: {cluster.read_only}")
    folder = mesh.spec.folder
    at = replace(target(cluster, run, say), subnets=_subnets(provider, cluster) if SUBNETS & {*mesh.addons} else ())
    groups = mesh.groups(at, _preload(mesh, cluster, provider, say))
    made = Step("folder", lambda: folder.mkdir(parents=True, exist_ok=True, mode=0o700), lambda: _gone(folder))
    return [[made], *groups]


def target(cluster: Cluster, run: str, say: Say) -> "Target":
    """The cluster as installers see it.

    What they make is labelled with a name of its own, for it must outlive the namespaces of the run: pods must have
    gone from a mesh before it goes.
    """
    from pytest_ambient.mesh.installer import Target

    return Target(
        cluster.kubeconfig,
        cluster.context,
        cluster.owned,
        run=f"{run}-mesh",
        platform=cluster.platform,
        cni_bin_dir=cluster.cni_bin_dir,
        cni_conf_dir=cluster.cni_conf_dir,
        cni_netns_dir=cluster.cni_netns_dir,
        say=say,
    )


def _subnets(provider: Provider, cluster: Cluster) -> tuple[str, ...]:
    """The subnets of the nodes' network, where the provider knows them."""
    known: Callable[[Cluster], Sequence[str]] | None = getattr(provider, "subnets", None)
    return tuple(known(cluster)) if known is not None else ()


def _preload(mesh: "Installation", cluster: Cluster, provider: Provider, say: Say) -> Group:
    """Images of this machine, brought into a cluster of ours so that its nodes need not pull them."""
    if not cluster.owned:
        return ()
    from pytest_ambient.mesh import images

    spec = mesh.spec
    needed = images.needed(
        spec.version,
        installs=mesh.installer != NONE,
        dataplane=spec.dataplane,
        addons=mesh.addons,
        hub=spec.hub,
        release=spec.release,
        installer=None if mesh.installer == NONE else mesh.installer,
    )
    return [Step("images", lambda: preload(needed, cluster, provider, say, spec.within))]


def preload(
    needed: "Sequence[Image]",
    cluster: Cluster,
    provider: Provider,
    say: Say,
    within: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Load what this machine has, for so long; one line says what the nodes pull themselves, and why."""
    end, left, reason = clock() + within, list[str](), ""
    for image in needed:
        try:
            if clock() < end:
                provider.load_image(cluster, image.reference)
                continue
            reason = reason or f"not all within {within:g} s"
        except BrokenEnvironment as error:
            reason = reason or str(error).partition("\n")[0]
        left.append(image.reference)
    if left:
        say(f"the nodes pull {len(left)} of {len(needed)} images themselves, {left[0]} among them: {reason}")


def remover(say: Say) -> Remove:
    """Takes out of a cluster that is not ours what a run has put in; `say` hears what should be read."""
    return lambda one: remove(one, say)


def remove(one: Lease, say: Say) -> None:
    """Take out of a cluster that is not ours all that a run has put in: its pods first, then the mesh under them.

    Before all that goes what it has changed where others live.
    """
    _others.take_back(one.cluster, one.run)
    remove_namespaces(one.cluster, one.run)
    if one.installed:
        from pytest_ambient.mesh.plan import Installation

        mesh = Installation.from_json(one.installed)
        mesh.spec.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mesh.uninstall(target(one.cluster, one.run, say))
        _gone(mesh.spec.folder)


def _gone(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
