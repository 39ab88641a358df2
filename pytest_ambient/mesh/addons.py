"""What shows or helps a mesh: Prometheus, Kiali, Grafana and Jaeger out of Istio's samples, and MetalLB."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import InstallerError, Misuse
from pytest_ambient.manifest import plain
from pytest_ambient.mesh import metallb, owned, release, tags, tracing, versions
from pytest_ambient.mesh.dataplane import ISTIOD, workloads
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.revisions import chosen
from pytest_ambient.steps import Group, Step

SAMPLES = ("grafana", "jaeger", "kiali", "prometheus")
KNOWN = tuple(sorted((*SAMPLES, metallb.NAME)))
HOME = "istio-system"
"""The namespace that Istio's samples are written for."""


def check(names: Sequence[str]) -> None:
    """Refuse an addon that nobody knows: Misuse lists the known ones."""
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise Misuse(f"unknown addon {unknown[0]!r}, known are {', '.join(KNOWN)}")


def steps(target: Target, spec: MeshSpec, names: Sequence[str]) -> Sequence[Group]:
    """What to do once istiod is ready: the addons side by side, each with its undo; Misuse for an unknown one.

    One that is there already, put in by somebody else, is left as it is and only waited for.
    """
    check(names)
    return [[_step(target, spec, name) for name in dict.fromkeys(names)]] if names else []


def uninstall(target: Target, spec: MeshSpec, names: Sequence[str] = KNOWN) -> None:
    """Remove what this run put in for these addons, the last first; fine when there is nothing."""
    for name in reversed(names):
        _remove(target.kube(), target.run, name, spec.within)


def _step(target: Target, spec: MeshSpec, name: str) -> Step:
    put: Callable[[Target, MeshSpec], None] = _metallb if name == metallb.NAME else partial(_sample, name)
    undo = partial(uninstall, target, spec, (name,))
    return Step(f"addon {name}", partial(put, target, spec), undo)


def _sample(name: str, target: Target, spec: MeshSpec) -> None:
    kube = target.kube()
    samples = release.folder(_fitting(kube, spec, name, target.say), target.say) / "samples"
    items = read(samples / "addons" / f"{name}.yaml", root(kube), spec.hub)
    if not owned.foreign(kube, items, target.run):
        for item in items:
            owned.put(kube, item, target.run, part(name))
    owned.rolled_out(kube, items, what=f"addon {name}", within=spec.within)
    if name == "jaeger":
        tracing.switch_on(kube, root(kube), target.run, part(name))


def _fitting(kube: Kube, spec: MeshSpec, name: str, say: Callable[[str], None]) -> MeshSpec:
    """With the version of the mesh that is there: nobody who adds to it says which one that is."""
    if spec.release is not None:
        return spec
    istiod = _istiod(kube)
    found = tags.release_of(istiod, tags.image_of(istiod, "istiod"))
    if not found:
        say(f"addon {name}: istiod does not tell its version, the sample is that of Istio {spec.version}")
        return spec
    version = versions.patch(found)
    if version != spec.version:
        say(f"addon {name}: the sample is that of Istio {version}, {found} runs here")
    return replace(spec, version=version)


def _metallb(target: Target, spec: MeshSpec) -> None:
    pools = metallb.resources(target.subnets)  # first, for it may say that there is no room
    kube = target.kube()
    items = read(metallb.manifest(spec.within), HOME, spec.hub)
    if owned.foreign(kube, items, target.run):
        owned.rolled_out(kube, items, what=f"addon {metallb.NAME}", within=spec.within)
        return
    for item in items:
        owned.put(kube, item, target.run, part(metallb.NAME))
    owned.rolled_out(kube, items, what=f"addon {metallb.NAME}", within=spec.within)
    put = partial(owned.put, kube, run=target.run, part=part(metallb.NAME))
    metallb.applied(put, pools, spec.within)


def _remove(kube: Kube, run: str, name: str, within: float) -> None:
    if name == "jaeger" and workloads(kube, *ISTIOD):
        tracing.switch_off(kube, root(kube), run)
    owned.take(kube, run, part(name), within)


def part(name: str) -> str:
    """What the objects of an addon carry as the label of their part."""
    return f"addon-{name}"


def root(kube: Kube) -> str:
    """The namespace of istiod; InstallerError without one."""
    return str(_istiod(kube)["metadata"]["namespace"])


def _istiod(kube: Kube) -> Object:
    found = workloads(kube, *ISTIOD)
    if not found:
        raise InstallerError(f"there is no istiod: no Deployment with label {ISTIOD[1]}")
    return chosen(kube, found).istiod


def read(path: Path, namespace: str, hub: str | None) -> list[Object]:
    """The objects of a sample, written for istiod's namespace wherever they name it, images from the mirror."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InstallerError(f"{path}: cannot be read: {error.strerror}") from None
    return plain(text.replace(HOME, namespace), path, hub=hub)
