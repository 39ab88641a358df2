"""Helm releases of this run: where each chart comes from, how it is put in and taken out, and whose it is."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pytest_ambient._fetch import cache_folder
from pytest_ambient._run import run
from pytest_ambient.errors import FetchFailed, InstallerError, Misuse
from pytest_ambient.mesh.bookinfo import RUN_LABEL
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.tool import told
from pytest_ambient.mesh.versions import number

LAST = 10.0
"""Seconds of a step that are left to Helm beyond its own wait."""

OLDEST = (3, 13)
"""The first Helm that puts labels on releases."""

USERS = ("APISERVER", "ASGROUPS", "ASUSER", "CAFILE", "INSECURE_SKIP_TLS_VERIFY", "TLS_SERVER_NAME", "TOKEN")
"""Helm's variables, after `HELM_KUBE`, that would lead it elsewhere than the kubeconfig does."""

ANY = ("--deployed", "--failed", "--pending", "--uninstalled", "--uninstalling")
"""Releases in whatever state: Helm 3 lists some without it, and Helm 4 no longer knows `--all` (helm/helm#31784)."""

State = Literal["absent", "deployed", "broken", "foreign"]


@dataclass(frozen=True)
class Release:
    """One chart and where it goes."""

    name: str
    namespace: str
    chart: str
    """The chart's name."""
    version: str
    sources: tuple[tuple[str, ...], ...]
    """Words for `helm pull`, tried in order."""


def check(who: str) -> None:
    """Misuse when there is no Helm on PATH, or too old a one."""
    if shutil.which("helm") is None:
        raise Misuse(f"{who} needs helm on PATH: https://helm.sh/docs/intro/install/")
    version = run(["helm", "version", "--template", "{{.Version}}"], within=30, check=False).output.strip()
    if number(version) < OLDEST:
        raise Misuse(f"helm on PATH is {version or 'of unknown version'}, wanted 3.13 or newer")


def environment(spec: MeshSpec) -> Mapping[str, str]:
    """What lets Helm keep its files in the run's own folder and follow only the kubeconfig that it is given."""
    homes = {f"HELM_{name}_HOME": str(spec.folder / "helm" / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    return {**homes, **{f"HELM_KUBE{name}": "" for name in USERS}, "HELM_NAMESPACE": ""}


def local(spec: MeshSpec, release: Release) -> Path | None:
    """The chart in the folder of `--ambient-istio-dir`: `CHART-VERSION.tgz` or the folder `CHART`; None without."""
    if spec.release is None:
        return None
    names = (f"{release.chart}-{release.version}.tgz", release.chart)
    places = [spec.release / folder / name for folder in ("", "charts", "manifests/charts") for name in names]
    return next((place for place in places if place.is_file() or (place / "Chart.yaml").is_file()), None)


def state(target: Target, spec: MeshSpec, release: Release) -> State:
    """What there is of a release, and whether it is this run's."""
    words = ["list", *ANY, "--filter", f"^{release.name}$", "--output", "json"]
    there = _listed(_helm(target, spec, release.namespace, *words))
    if not there:
        return "absent"
    ours = _listed(_helm(target, spec, release.namespace, *words, "--selector", f"{RUN_LABEL}={target.run}"))
    if not ours and not target.owned:
        return "foreign"
    return "deployed" if there[0].get("status") == "deployed" else "broken"


def install(
    target: Target, spec: MeshSpec, release: Release, values: Mapping[str, Any], where: Path | None = None
) -> None:
    """Put the release in and wait until it runs; one of ours that did not end well makes room first.

    `where` is a chart that was found already. Raises InstallerError with Helm's words, or when a release of that name
    is somebody else's.
    """
    found = state(target, spec, release)
    if found == "foreign":
        raise InstallerError(f"Helm release {release.name} in {release.namespace} is there already and not of this run")
    if found == "broken":
        uninstall(target, spec, release)
    chart = where or local(spec, release) or _pulled(target, spec, release)
    path = spec.folder / f"{release.name}-values.json"
    path.write_text(json.dumps(values, indent=1))
    path.chmod(0o600)
    words = ["upgrade", "--install", release.name, str(chart), "--values", str(path)]
    words += ["--wait", "--timeout", _wait(spec), "--labels", f"{RUN_LABEL}={target.run}"]
    _helm(target, spec, release.namespace, *words)


def uninstall(target: Target, spec: MeshSpec, release: Release) -> None:
    """Take the release out, and wait until what it made is gone; fine when there is none."""
    words = ["uninstall", release.name, "--ignore-not-found", "--wait", "--timeout", _wait(spec)]
    _helm(target, spec, release.namespace, *words)


def _wait(spec: MeshSpec) -> str:
    return f"{max(spec.within - LAST, LAST):.0f}s"


def _pulled(target: Target, spec: MeshSpec, release: Release) -> Path:
    """The chart in this user's cache, brought there from the first source that has it."""
    kept = cache_folder() / "charts" / f"{release.chart}-{release.version}.tgz"
    failures = []
    for words in () if kept.is_file() else release.sources:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.say(f"pulling chart {release.chart} {release.version} from {words[-1]}")
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".pull") as draft:
            try:
                command = ["helm", "pull", *words, "--destination", draft]
                told(command, within=spec.within, environment=environment(spec))
            except InstallerError as error:
                failures.append(str(error))
                continue
            found = sorted(Path(draft).glob("*.tgz"))
            if found:
                os.replace(found[0], kept)
                break
            failures.append(f"{words[-1]} gave no chart")
    if not kept.is_file():
        raise FetchFailed(
            f"{'; '.join(failures)}; offline, put {kept.name} into the folder that --ambient-istio-dir names"
        )
    return kept


def _listed(answer: str) -> Sequence[Mapping[str, Any]]:
    try:
        found: Sequence[Mapping[str, Any]] = json.loads(answer or "[]")
    except ValueError:
        raise InstallerError(f"helm list: its answer is no JSON: {answer[:100]!r}") from None
    return found


def _helm(target: Target, spec: MeshSpec, namespace: str, *words: str) -> str:
    where = ["--namespace", namespace, "--kubeconfig", str(target.kubeconfig), "--kube-context", target.context]
    return told(["helm", *words, *where], within=spec.within, environment=environment(spec))
