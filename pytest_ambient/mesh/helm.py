"""Installs Istio in ambient mode from its Helm charts, one release each, and takes out the releases of this run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pytest_ambient._kube import Object
from pytest_ambient.errors import InstallerError
from pytest_ambient.mesh import charts, claim, values, versions
from pytest_ambient.mesh.bookinfo import RUN_LABEL
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import verify
from pytest_ambient.mesh.planes import beyond, check_beyond, remove_beyond
from pytest_ambient.mesh.present import usable
from pytest_ambient.mesh.tool import told
from pytest_ambient.steps import Group, Step

RELEASES: Mapping[str, str] = {"base": "istio-base", "istiod": "istiod", "cni": "istio-cni", "ztunnel": "ztunnel"}
"""The names of releases by chart, as Istio's documentation has them, in the order of installation."""

LAST = 10.0
"""Seconds of a step that are left to Helm beyond its own wait."""


class Helm:
    """The `helm` installer."""

    def check(self, spec: MeshSpec) -> None:
        """Refuse versions that are not known, a missing or old Helm, and a local release without charts."""
        versions.of(spec.version)
        charts.check(spec)
        check_beyond(spec)

    def steps(self, target: Target, spec: MeshSpec) -> Sequence[Group]:
        """Claim istio-system, unless the wanted mesh is there; each chart; then see that all of it landed."""
        one = _Run(target, spec)
        undo = None if target.owned else partial(self.uninstall, target, spec)
        orders = (("base",), ("istiod",), ("cni", "ztunnel"))
        names = values.charts(target, spec)
        groups = [[_step(one, name) for name in order if name in names] for order in orders]
        return [
            [Step(f"{claim.ROOT} namespace", one.begin, undo)],
            *(group for group in groups if group),
            [Step(f"istio {spec.version}", one.verify)],
            *beyond(target, spec),
        ]

    def uninstall(self, target: Target, spec: MeshSpec) -> None:
        """Take out this run's releases, after its namespaces have left the mesh; InstallerError while others use it."""
        remove_beyond(target, spec)
        claim.give_back(target.kube(), target, spec, partial(_remove, target, spec))


@dataclass
class _Run:
    """One installation: what its first step finds out is for the others to follow."""

    target: Target
    spec: MeshSpec
    there: bool = False
    """Whether the mesh is there already, so that nothing is to be done."""
    excluded: Sequence[str] = field(default=())

    def begin(self) -> None:
        kube = self.target.kube()
        versions.refuse_old(kube.server_version(), self.spec.version)
        self.there = usable(kube, self.target, self.spec)
        if not self.there:
            self.excluded = claim.claim(kube, self.target).definitions

    def install(self, name: str) -> None:
        if self.there:
            return
        where = charts.chart(self.spec, name, self.target.say)
        release, namespace = RELEASES[name], namespace_of(self.target, name)
        _clear(self.target, self.spec, release, namespace)
        made = values.charts(self.target, self.spec, self.excluded)[name]
        path = values.write(self.spec.folder / f"{release}.yaml", made)
        wait = f"{max(self.spec.within - LAST, LAST):.0f}s"
        words = ["upgrade", "--install", release, str(where), "--values", str(path), "--wait", "--timeout", wait]
        _helm(self.target, self.spec, namespace, *words, "--labels", f"{RUN_LABEL}={self.target.run}")

    def verify(self) -> None:
        if not self.there:
            verify(self.target.kube(), self.spec, within=self.spec.within)


def namespace_of(target: Target, chart: str) -> str:
    """Where a chart's release goes."""
    return values.daemons(target) if chart in ("cni", "ztunnel") else claim.ROOT


def _step(one: _Run, name: str) -> Step:
    return Step(f"chart {name}", partial(one.install, name))


def _clear(target: Target, spec: MeshSpec, release: str, namespace: str) -> None:
    """Make room for a release: one of ours that did not end well goes; InstallerError when it is somebody else's."""
    there = {one["name"]: one["status"] for one in _releases(target, spec, namespace, f"^{release}$", ours=False)}
    if release not in there:
        return
    ours = {one["name"] for one in _releases(target, spec, namespace, f"^{release}$")}
    if release not in ours and not target.owned:
        raise InstallerError(f"Helm release {release} in {namespace} is there already and not of this run")
    if there[release] != "deployed":
        _uninstall(target, spec, release, namespace)


def _remove(target: Target, spec: MeshSpec) -> None:
    """Uninstall the releases of this run, the last first."""
    for name in reversed([*RELEASES]):
        release, namespace = RELEASES[name], namespace_of(target, name)
        if _releases(target, spec, namespace, f"^{release}$"):
            _uninstall(target, spec, release, namespace)


def _uninstall(target: Target, spec: MeshSpec, release: str, namespace: str) -> None:
    wait = f"{max(spec.within - LAST, LAST):.0f}s"
    _helm(target, spec, namespace, "uninstall", release, "--ignore-not-found", "--wait", "--timeout", wait)


def _releases(target: Target, spec: MeshSpec, namespace: str, names: str, ours: bool = True) -> Sequence[Object]:
    """Name and status of the releases in a namespace, in whatever state."""
    words = ["list", "--all", "--filter", names, "--output", "json"]
    words += ["--selector", f"{RUN_LABEL}={target.run}"] if ours else []
    answer = _helm(target, spec, namespace, *words)
    try:
        found: Sequence[Object] = json.loads(answer or "[]")
    except ValueError:
        raise InstallerError(f"helm list: its answer is no JSON: {answer[:100]!r}") from None
    return found


def _helm(target: Target, spec: MeshSpec, namespace: str, *words: str) -> str:
    where = ["--namespace", namespace, "--kubeconfig", str(target.kubeconfig), "--kube-context", target.context]
    return told(["helm", *words, *where], within=spec.within, environment=charts.environment(spec))
