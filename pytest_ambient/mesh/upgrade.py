"""What a mesh goes to for a while: the images of another patch of its Istio; and why it cannot go there."""

from collections.abc import Iterator, Mapping

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh import outages, tags, versions
from pytest_ambient.mesh.dataplane import ZTUNNEL, workloads

OPTION = "--ambient-upgrade-to"
PILOT, PROXY = "pilot", "proxyv2"
"""The last names of istiod's image and of waypoints', which are published beside each other."""


def wrong(runs: str, to: str) -> str | None:
    """Why a version is none that a mesh of another can go to by its images alone; None when it is."""
    apart = versions.minor(runs) != versions.minor(to)
    if not apart and tags.release(to) != tags.release(runs):
        return None
    what = "is the version that runs" if not apart else f"is no patch of Istio {versions.minor(runs)}"
    return f"{to} {what}: name another patch of {versions.minor(runs)}, as images alone are changed ({runs} runs)"


def stays(kube: Kube, to: str | None) -> str | None:
    """Why the mesh cannot go to a version and back; None when it can."""
    if to is None:
        return f"no version to go to was named: {OPTION}"
    reason = outages.istiod_stays(kube) or outages.daemons_stay(kube, "istio-cni") or outages.ztunnel_stays(kube)
    return reason or next((reason for part in tags.CONTAINERS if (reason := _unnamed(kube, part, to))), None)


def images(kube: Kube, to: str | None) -> Mapping[str, str]:
    """The images of that version, `NEXT_ZTUNNEL` and its like; none where the mesh cannot go there."""
    try:
        if to is None or stays(kube, to) is not None:
            return {}
    except Forbidden:  # as the feature says it
        return {}
    found = {name: tags.at_release(_image(kube, part), to) for part, (_, name) in tags.CONTAINERS.items()}
    found[PROXY] = _beside(found[PILOT])
    return {f"NEXT_{name.upper().replace('-', '_')}": image for name, image in found.items()}


def _unnamed(kube: Kube, part: str, to: str) -> str | None:
    """Why the image of a part's next version is not known, or not one that this part can go to."""
    container, last = tags.CONTAINERS[part]
    item, image = _workload(kube, part), _image(kube, part)
    where = f"{item['metadata'].get('namespace')}/{item['metadata']['name']}"
    if container not in _containers(item):
        return f"{where} has no container {container}"
    if not tags.release(tags.tag_of(image)):
        return f"{where} runs {image}, whose tag names no release that another could take the place of"
    if part == "istiod" and tags.name_of(image) != last:
        return f"{where} runs {image}, not Istio's {last}: where its {PROXY} is, nobody says"
    reason = wrong(tags.release(tags.tag_of(image)), to)
    return f"{where}: {reason}" if reason else None


def _beside(pilot: str) -> str:
    folder, slash, name = pilot.rpartition("/")
    return f"{folder}{slash}{PROXY}{name.removeprefix(PILOT)}"


def _image(kube: Kube, part: str) -> str:
    return tags.image_of(_workload(kube, part), part)


def _workload(kube: Kube, part: str) -> Object:
    return workloads(kube, *ZTUNNEL.parts[part])[0]


def _containers(item: Object) -> Iterator[str]:
    return (str(one.get("name")) for one in item["spec"]["template"]["spec"].get("containers") or ())
