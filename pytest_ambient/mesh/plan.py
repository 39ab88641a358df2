"""What is put into a cluster to make a mesh of it, as steps: Gateway API, Istio, addons; and how it is taken out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient.errors import InstallerError
from pytest_ambient.mesh import installer as installers
from pytest_ambient.mesh.installer import NONE, Installer, MeshSpec, Target
from pytest_ambient.steps import Group

Object: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Installation:
    """What one run puts into one cluster; plain enough to be taken out by another process."""

    installer: str
    """The installer's name, NONE for addons alone."""
    spec: MeshSpec
    addons: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What it is called in a line: `Istio 1.30.3 (helm), kiali, prometheus`."""
        plane = "" if self.spec.dataplane == "ztunnel" else f" with {self.spec.dataplane}"
        mesh = "" if self.installer == NONE else f"Istio {self.spec.version}{plane} ({self.installer})"
        return ", ".join(filter(None, (mesh, *self.addons)))

    def to_json(self) -> Object:
        """Plain values for a lease."""
        spec = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self.spec).items()}
        return {"words": self.words, "installer": self.installer, "addons": list(self.addons), "spec": spec}

    @classmethod
    def from_json(cls, plain: Object) -> "Installation":
        """What `to_json` wrote; InstallerError when it is something else."""
        try:
            spec = dict(plain["spec"])
            release = Path(spec["release"]) if spec.get("release") else None
            made = MeshSpec(**{**spec, "folder": Path(spec["folder"]), "release": release})
            return cls(str(plain["installer"]), made, tuple(plain["addons"]))
        except (KeyError, TypeError) as error:
            raise InstallerError(f"the record of what was installed cannot be read: {error}") from None

    def check(self) -> None:
        """Misuse, in one line, for what can never work; nothing is made."""
        if self.installer != NONE:
            installers.find(self.installer).check(self.spec)
        if self.addons:
            from pytest_ambient.mesh import addons

            addons.check(self.addons)

    def groups(self, target: Target, beside: Group = ()) -> Sequence[Group]:
        """The steps that put it in; those of `beside` need nothing of them and go with the first."""
        one = None if self.installer == NONE else installers.find(self.installer)
        first, *rest = [*plan(one, target, self.spec, self.addons), ()]
        return [group for group in ([*first, *beside], *rest) if group]

    def uninstall(self, target: Target) -> None:
        """Take out what is this run's of it, the last first; all parts are tried, then the first failure is raised."""
        failures: list[Exception] = []
        for part in self._parts(target):
            try:
                part()
            except Exception as error:  # what remains must not keep the rest from going
                failures.append(error)
        if failures:
            raise failures[0]

    def _parts(self, target: Target) -> Iterator[Callable[[], None]]:
        if self.addons:
            from pytest_ambient.mesh import addons

            yield partial(addons.uninstall, target, self.spec, self.addons)
        if self.installer != NONE:
            from pytest_ambient.mesh import gateway_api

            yield partial(installers.find(self.installer).uninstall, target, self.spec)
            yield partial(gateway_api.uninstall, target, self.spec)


def plan(installer: Installer | None, target: Target, spec: MeshSpec, addons: Sequence[str]) -> Sequence[Group]:
    """Groups of steps, in order: the Gateway API, what the installer does, the addons; nothing is done yet."""
    groups: list[Group] = []
    if installer is not None:
        from pytest_ambient.mesh import gateway_api

        groups += [gateway_api.steps(target, spec), *installer.steps(target, spec)]
    if addons:
        from pytest_ambient.mesh import addons as parts

        groups += parts.steps(target, spec, addons)
    return groups
