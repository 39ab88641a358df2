"""Installs Istio in ambient mode from its Helm charts, one release each, and takes out the releases of this run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from pytest_ambient.mesh import charts, claim, releases, values, versions
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import verify
from pytest_ambient.mesh.planes import beyond, check_beyond, remove_beyond
from pytest_ambient.mesh.present import usable
from pytest_ambient.steps import Group, Step

ORDER = (("base",), ("istiod",), ("cni", "ztunnel"))
"""Charts that wait for each other, and those that need not."""


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
        wanted = values.charts(target, spec)
        groups = [
            [Step(f"chart {name}", partial(one.install, name)) for name in group if name in wanted] for group in ORDER
        ]
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
        made = values.charts(self.target, self.spec, self.excluded)[name]
        one = charts.release_of(self.target, self.spec, name)
        releases.install(self.target, self.spec, one, made, charts.local(self.spec, name))

    def verify(self) -> None:
        if not self.there:
            verify(self.target.kube(), self.spec, within=self.spec.within)


def _remove(target: Target, spec: MeshSpec) -> None:
    """Uninstall the releases of this run, the last first."""
    for name in reversed([*charts.RELEASES]):
        one = charts.release_of(target, spec, name)
        if releases.state(target, spec, one) in ("deployed", "broken"):
            releases.uninstall(target, spec, one)
