"""Which Istio a cluster has before anything is installed, and whether a run can use it as it is."""

from dataclasses import dataclass

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import InstallerError, NotInTime
from pytest_ambient.mesh import claim
from pytest_ambient.mesh.dataplane import ISTIOD, workloads
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import problems, verify
from pytest_ambient.mesh.tags import build_of, fits, image_of, release_of

SETTLES = 60.0
"""Seconds in which a mesh that others installed must be whole; it may be in the middle of a rollout."""


@dataclass(frozen=True)
class Present:
    """One istiod that is in the cluster."""

    namespace: str
    revision: str
    version: str
    """Its build, from its image's tag, else the release of its label; empty when neither says."""
    ambient: bool

    def __str__(self) -> str:
        named = "" if self.revision in ("", "default") else f"revision {self.revision}, "
        mode = "" if self.ambient else ", without ambient mode"
        return f"Istio {self.version or 'of unknown version'} ({named}in {self.namespace}{mode})"


def present(kube: Kube) -> tuple[Present, ...]:
    """Every istiod of the cluster, of any revision."""
    return tuple(_read(item) for item in workloads(kube, *ISTIOD))


def usable(kube: Kube, target: Target, spec: MeshSpec) -> bool:
    """Whether the wanted Istio is there already, which is said; False where this run must install it.

    Raises InstallerError in one line for another version, one without ambient mode, or one of others that is not whole.
    """
    found = present(kube)
    fitting = [one for one in found if one.ambient and fits(one.version, spec.version)]
    if found and not fitting:
        raise InstallerError(
            f"{', '.join(map(str, found))} is there already, wanted {spec.version} in ambient mode: remove it, "
            "or take it as it is with --ambient-installer=none"
        )
    if not fitting:
        return False
    if target.owned or claim.is_ours(kube, target):
        if problems(kube, spec):
            return False  # half of an installation: it is installed over
        target.say(f"{fitting[0]} is there already and used as it is")
        return True
    try:
        verify(kube, spec, within=min(SETTLES, spec.within), whose="others")
    except NotInTime as error:
        raise InstallerError(
            f"{fitting[0]} is there already, was not installed by this run and is not whole: {error}"
        ) from None
    target.say(f"{fitting[0]} is there already and used as it is: nothing is installed, and nothing will be removed")
    return True


def _read(item: Object) -> Present:
    meta = item["metadata"]
    labels = meta.get("labels") or {}
    containers = item["spec"]["template"]["spec"]["containers"]
    values = {entry["name"]: entry.get("value", "") for c in containers for entry in c.get("env") or []}
    image = image_of(item, "istiod")
    found, build = release_of(item, image), build_of(image)
    version = build if found and build.startswith(found) else found
    ambient = values.get("PILOT_ENABLE_AMBIENT", "").lower() == "true"
    return Present(meta["namespace"], str(labels.get("istio.io/rev", "")), version, ambient)
