"""Every image that a run can pull, and which one stands behind a name in our own manifests, per version of Istio."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient.errors import Misuse
from pytest_ambient.manifest import image_from
from pytest_ambient.mesh import installer as installers
from pytest_ambient.mesh import metallb, versions
from pytest_ambient.mesh.dataplane import KMESH
from pytest_ambient.mesh.versions import Istio

BOOKINFO = "examples-bookinfo-"
SERVICES = ("productpage-v1", "details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3")
CURL, HTTPBIN = "curl", "go-httpbin"
"""The names of the clients' and of the echo's image in our manifests."""
VARIANT = "-distroless"
"""What the ambient profile adds to the tags of Istio's images."""


@dataclass(frozen=True)
class Image:
    """One image and what pulls it."""

    name: str
    """Registry, path and name, from the mirror where there is one: `docker.io/istio/pilot`."""
    tag: str
    """Empty for one that is pulled by its digest or without a tag."""
    why: str

    @property
    def reference(self) -> str:
        """As a pod names it."""
        return f"{self.name}:{self.tag}" if self.tag else self.name

    @classmethod
    def of(cls, reference: str, why: str, hub: str | None = None) -> "Image":
        """The image behind a reference, as the mirror has it."""
        found = image_from(hub, reference)
        head, colon, tag = found.rpartition(":")
        return cls(head, tag, why) if colon and "/" not in tag and "@" not in found else cls(found, "", why)


def own(name: str, *, version: str | None, hub: str | None = None) -> str:
    """The reference for a name in our own manifests (`curl`, `examples-bookinfo-reviews-v1`) beside that Istio.

    A version that is not in the table, a vendor's perhaps, gets what the newest one does.
    """
    row = _row(version)
    if name == CURL:
        return image_from(hub, _curl(row))
    if name == HTTPBIN:
        return image_from(hub, row.httpbin)
    if name.startswith(BOOKINFO):
        return image_from(hub, f"{row.samples_hub}/{name}:{row.bookinfo}")
    return image_from(hub, name)


def needed(
    version: str,
    *,
    installs: bool = True,
    dataplane: str = "ztunnel",
    addons: Sequence[str] = (),
    hub: str | None = None,
    release: Path | None = None,
    installer: str | None = None,
) -> tuple[Image, ...]:
    """Every image that a run with that Istio can pull, each once; `version` has its patch.

    Without `installs` the mesh is there already: only its waypoints are pulled anew. A `release` at hand says itself
    which images its addons have. An `installer` that has `images(version)`, references with their reasons,
    adds its own. Misuse for a version, an addon or an installer that is not known.
    """
    row = versions.of(version)
    istio = [*_control(dataplane), *_waypoint(dataplane)] if installs else list(_waypoint(dataplane))
    found = [(f"{row.hub}/{name}:{version}{VARIANT}", why) for name, why in istio]
    found += [*(_plane(version) if dataplane == KMESH.name else ()), *_beside(installer, version), *_bookinfo(row)]
    found += [(reference, why) for addon in addons for reference, why in _addon(addon, row, release)]
    made = {reference: Image.of(reference, why, hub) for reference, why in reversed(found)}
    return tuple(reversed(made.values()))


def in_manifest(path: Path) -> tuple[str, ...]:
    """The references of all images in a manifest, each once."""
    import yaml

    documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    return tuple(dict.fromkeys(_named(documents)))


def _plane(version: str) -> Iterator[tuple[str, str]]:
    from pytest_ambient.mesh import kmesh

    tag = kmesh.row_for(version).version
    yield f"{kmesh.IMAGES}/kmesh:{tag}", "Kmesh on every node"
    yield f"{KMESH.proxy_image}:{tag}", "Kmesh's waypoints"


def _beside(installer: str | None, version: str) -> Iterator[tuple[str, str]]:
    """What an installer brings that is not Istio's, an operator perhaps."""
    made = installers.find(installer) if installer and installer != installers.NONE else None
    images: Callable[[str], Iterable[tuple[str, str]]] | None = getattr(made, "images", None)
    yield from images(version) if images is not None else ()


def _control(dataplane: str) -> Iterator[tuple[str, str]]:
    yield "pilot", "Istio's control plane"
    if dataplane == "ztunnel":
        yield "install-cni", "Istio's CNI agent on every node"
        yield "ztunnel", "Istio's L4 proxy on every node"


def _waypoint(dataplane: str) -> Iterator[tuple[str, str]]:
    if dataplane == "ztunnel":
        yield "proxyv2", "waypoints and gateways"


def _bookinfo(row: Istio) -> Iterator[tuple[str, str]]:
    for service in SERVICES:
        yield f"{row.samples_hub}/{BOOKINFO}{service}:{row.bookinfo}", f"Bookinfo's {service}"
    yield row.httpbin, "the echo beside Bookinfo"
    yield _curl(row), "clients in every namespace, and pods without their own"


def _addon(name: str, row: Istio, release: Path | None) -> Iterator[tuple[str, str]]:
    if name == metallb.NAME:
        yield from ((image, f"addon {name}") for image in metallb.IMAGES)
        return
    if name not in row.addons:
        raise Misuse(f"unknown addon {name!r}, known are {', '.join(sorted((*row.addons, metallb.NAME)))}")
    path = release / "samples" / "addons" / f"{name}.yaml" if release else None
    if path is not None and path.is_file():
        yield from ((reference, f"addon {name}") for reference in in_manifest(path))
        return
    yield row.addons[name], f"addon {name}"
    if name in row.addons_beside:
        yield row.addons_beside[name], f"addon {name}, reloads its configuration"


def _curl(row: Istio) -> str:
    """Old samples name no tag; then the newest known one, for what is not pinned may change between two runs."""
    return row.curl if ":" in row.curl.rpartition("/")[2] else versions.newest().curl


def _row(version: str | None) -> Istio:
    try:
        return versions.of(version) if version else versions.newest()
    except Misuse:
        return versions.newest()


def _named(value: object) -> Iterator[str]:
    """The images of all containers in decoded YAML, however deep."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "image" and isinstance(part, str):
                yield part
            else:
                yield from _named(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named(part)
