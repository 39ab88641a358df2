"""Istio's own charts: where each comes from, and what its release is called."""

from collections.abc import Mapping
from pathlib import Path

from pytest_ambient.errors import InstallerError
from pytest_ambient.mesh import claim, release, releases, values
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.releases import Release
from pytest_ambient.mesh.versions import number

RELEASES: Mapping[str, str] = {"base": "istio-base", "istiod": "istiod", "cni": "istio-cni", "ztunnel": "ztunnel"}
"""The names of releases by chart, as Istio's documentation has them, in the order of installation."""

FOLDERS: Mapping[str, str] = {
    "base": "base",
    "istiod": "istio-control/istio-discovery",
    "cni": "istio-cni",
    "ztunnel": "ztunnel",
}
"""Where a release of Istio keeps each chart, below `manifests/charts`."""

REPOSITORY = "https://istio-release.storage.googleapis.com/charts"
REGISTRIES = {(1, 30): "oci://registry.istio.io/release/charts", (0,): "oci://gcr.io/istio-release/charts"}
"""The same charts as OCI artefacts, by the version from which on they are published there."""


def check(spec: MeshSpec) -> None:
    """Misuse when there is no Helm, one that is too old, or a local release without charts."""
    releases.check("--ambient-installer=helm")
    release.check(spec, *(f"manifests/charts/{folder}" for folder in FOLDERS.values()))


def local(spec: MeshSpec, name: str) -> Path | None:
    """A chart's folder in the local release; None without one, InstallerError when it is of another version."""
    if spec.release is None:
        return None
    found = release.charts_version(spec.release)
    if found != spec.version:
        raise InstallerError(f"the charts in {spec.release} are of {found or 'no version'}, wanted {spec.version}")
    return spec.release / "manifests" / "charts" / FOLDERS[name]


def release_of(target: Target, spec: MeshSpec, name: str) -> Release:
    """A chart's release; it comes from the repository or, where that cannot be reached, from the registry."""
    version = ("--version", spec.version)
    sources = ((name, "--repo", REPOSITORY, *version), (f"{registry(spec.version)}/{name}", *version))
    return Release(RELEASES[name], namespace_of(target, name), name, spec.version, sources)


def namespace_of(target: Target, name: str) -> str:
    """Where a chart's release goes."""
    return values.daemons(target) if name in ("cni", "ztunnel") else claim.ROOT


def registry(version: str) -> str:
    """The OCI registry that has the charts of an Istio version."""
    return next(where for since, where in REGISTRIES.items() if number(version) >= since)
