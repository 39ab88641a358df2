"""Finds Istio's charts: in a local release, in this user's cache, or pulled from Istio's repository or registry."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_ambient._fetch import cache_folder, quiet
from pytest_ambient._run import run
from pytest_ambient.errors import FetchFailed, InstallerError, Misuse
from pytest_ambient.mesh import release
from pytest_ambient.mesh.installer import MeshSpec
from pytest_ambient.mesh.tool import told
from pytest_ambient.mesh.versions import number

FOLDERS: Mapping[str, str] = {
    "base": "base",
    "istiod": "istio-control/istio-discovery",
    "cni": "istio-cni",
    "ztunnel": "ztunnel",
}
"""Where a release keeps each chart, below `manifests/charts`."""

REPOSITORY = "https://istio-release.storage.googleapis.com/charts"
REGISTRIES = {(1, 30): "oci://registry.istio.io/release/charts", (0,): "oci://gcr.io/istio-release/charts"}
"""The same charts as OCI artefacts, by the version from which on they are published there."""

OLDEST = (3, 13)
"""The first Helm that puts labels on releases."""

USERS = ("APISERVER", "ASGROUPS", "ASUSER", "CAFILE", "INSECURE_SKIP_TLS_VERIFY", "TLS_SERVER_NAME", "TOKEN")
"""Helm's variables, after `HELM_KUBE`, that would lead it elsewhere than the kubeconfig does."""


def check(spec: MeshSpec) -> None:
    """Misuse when there is no Helm, one that is too old, or a local release without charts."""
    if shutil.which("helm") is None:
        raise Misuse("--ambient-installer=helm needs helm on PATH: https://helm.sh/docs/intro/install/")
    version = run(["helm", "version", "--template", "{{.Version}}"], within=30, check=False).output.strip()
    if number(version) < OLDEST:
        raise Misuse(f"helm on PATH is {version or 'of unknown version'}, wanted v3.13 or newer")
    release.check(spec, *(f"manifests/charts/{folder}" for folder in FOLDERS.values()))


def environment(spec: MeshSpec) -> Mapping[str, str]:
    """What lets Helm keep its files in the run's own folder and follow only the kubeconfig that it is given."""
    homes = {f"HELM_{name}_HOME": str(spec.folder / "helm" / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    return {**homes, **{f"HELM_KUBE{name}": "" for name in USERS}, "HELM_NAMESPACE": ""}


def chart(spec: MeshSpec, name: str, say: Callable[[str], None] = quiet) -> Path:
    """A chart of the wanted version, as a folder or an archive.

    Raises InstallerError when the local release is of another version, FetchFailed when it is nowhere to be had.
    """
    if spec.release is not None:
        found = release.charts_version(spec.release)
        if found != spec.version:
            raise InstallerError(f"the charts in {spec.release} are of {found or 'no version'}, wanted {spec.version}")
        return spec.release / "manifests" / "charts" / FOLDERS[name]
    kept = cache_folder() / "istio" / spec.version / "charts" / f"{name}-{spec.version}.tgz"
    if not kept.is_file():
        _pull(spec, name, kept, say)
    return kept


def registry(version: str) -> str:
    """The OCI registry that has the charts of an Istio version."""
    return next(where for since, where in REGISTRIES.items() if number(version) >= since)


def _pull(spec: MeshSpec, name: str, kept: Path, say: Callable[[str], None]) -> None:
    """Bring a chart into the cache, from the repository or, where that cannot be reached, from the registry."""
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    failures = []
    for words in ([name, "--repo", REPOSITORY], [f"{registry(spec.version)}/{name}"]):
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".pull") as draft:
            command = ["helm", "pull", *words, "--version", spec.version, "--destination", draft]
            try:
                say(f"pulling chart {name} {spec.version} from {words[-1]}")
                told(command, within=spec.within, environment=environment(spec))
                os.replace(Path(draft) / kept.name, kept)
            except InstallerError as error:
                failures.append(str(error))
            except FileNotFoundError:
                failures.append(f"{words[-1]} gave no {kept.name}")
            else:
                return
    raise FetchFailed(f"{'; '.join(failures)}; {release.OFFLINE}")
