"""Manifests as a user writes them: the files beside a test, the names filled in, the objects in them."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ambient.errors import ManifestError
from pytest_ambient.places import Object, Places

if TYPE_CHECKING:
    import yaml

PROXY_IMAGE = "sidecar.istio.io/proxyImage"
"""The annotation of a Gateway by which Istio runs another image for it than its own."""

REVISION = "istio.io/rev"
"""The label of an object that one revision of istiod alone looks after, and of istiod itself."""

INJECT = "sidecar.istio.io/inject"
"""The label by which a pod asks for a sidecar, or for none."""

PROXY = "istio-proxy"
"""The container that is a pod's sidecar."""


@dataclass(frozen=True)
class Document:
    """One object of a manifest and where it was written."""

    object: Object = field(hash=False)
    path: Path
    line: int

    @property
    def kind(self) -> str:
        """`GROUP/VERSION/Kind`."""
        return f"{self.object['apiVersion']}/{self.object['kind']}"

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.object["metadata"]["name"])

    @property
    def namespace(self) -> str | None:
        """The object's namespace, None when it is cluster-scoped or does not say."""
        namespace = self.object["metadata"].get("namespace")
        return None if namespace is None else str(namespace)

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.object['kind']} {where}"


@dataclass(frozen=True)
class Manifests:
    """The manifests that lie beside a test module."""

    setup: Path | None
    """`test_x.setup.yaml`: applied before anything is probed."""
    states: Mapping[str | None, Path] = field(hash=False)
    """`test_x.STATE.yaml` by state; `test_x.yaml` under None."""

    @classmethod
    def beside(cls, module: Path) -> "Manifests":
        """The manifests with the stem of a test module."""
        rests = {path.name.removeprefix(module.stem)[: -len(".yaml")]: path for path in module.parent.glob("*.yaml")}
        mine = {rest: path for rest, path in sorted(rests.items()) if path.name.startswith(f"{module.stem}.")}
        return cls(mine.pop(".setup", None), {rest[1:] or None: path for rest, path in mine.items()})


def read(
    path: Path, places: Places, *, hub: str | None = None, image: Callable[[str], str] | None = None
) -> list[Document]:
    """The objects of a manifest, names filled in, images from the mirror; ManifestError opens with file and line.

    `image` gives the reference for what stands in the manifest as one, in place of the mirror's.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"{path}:1: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}:1: cannot be read: {error}") from error
    items = _parsed(_filled(text, path, places), path)
    found = [_checked(item, path, line, image or partial(image_from, hub)) for item, line in items]
    tended = (_tended(document, places, hub) for document in found)
    return [replace(one, object=free(one.object)) if places.assigns_users else one for one in tended]


def free(item: Object) -> Object:
    """The object whose containers name no user: any that is not of its namespace's range would be refused."""
    if item["kind"] != "Deployment":
        return item
    item = copy.deepcopy(item)
    pod = item["spec"]["template"]["spec"]
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        container.get("securityContext", {}).pop("runAsUser", None)
    return item


def asks_for_sidecar(item: Object) -> bool:
    """Whether the pods of a Deployment ask for sidecars."""
    template = (item.get("spec") or {}).get("template") or {} if item["kind"] == "Deployment" else {}
    return ((template.get("metadata") or {}).get("labels") or {}).get(INJECT) == "true"


def sidecar_of(pod: Object) -> Object | None:
    """The container of a pod's sidecar: beside its others, or among those that begin and stay (native sidecars)."""
    spec = pod["spec"]
    every = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    return next((one for one in every if one.get("name") == PROXY), None)


def _tended(document: Document, places: Places, hub: str | None) -> Document:
    """A waypoint with the image of its data plane and the revision of its istiod, unless it names them itself.

    A pod that asks for a sidecar asks that istiod for it.
    """
    item, added = document.object, dict[str, Object]()
    if places.revision and asks_for_sidecar(item):
        item = copy.deepcopy(item)
        item["spec"]["template"]["metadata"]["labels"].setdefault(REVISION, places.revision)
        return replace(document, object=item)
    if item["kind"] != "Gateway" or (item.get("spec") or {}).get("gatewayClassName") != places.waypoint_class:
        return document
    if places.waypoint_image:
        added["annotations"] = {PROXY_IMAGE: image_from(hub, places.waypoint_image)}
    if places.revision:
        added["labels"] = {REVISION: places.revision}
    meta = item["metadata"]
    added = {key: {**values, **(meta.get(key) or {})} for key, values in added.items()}
    return replace(document, object={**item, "metadata": {**meta, **added}})


def plain(text: str, path: Path, *, hub: str | None = None) -> list[Object]:
    """The objects of somebody else's manifest, in which no names are filled in, images from the mirror."""
    image = partial(image_from, hub)
    return [_checked(item, path, line, image).object for item, line in _parsed(text, path)]


def rewritten(item: Object, image: Callable[[str], str]) -> Object:
    """The object with every container's image replaced by what `image` makes of it."""
    return {key: _rewritten(key, value, image) for key, value in item.items()}


def image_from(hub: str | None, image: str) -> str:
    """The image as the mirror has it, with its last name, tag and digest; the image itself without a mirror."""
    return f"{hub.rstrip('/')}/{image.rpartition('/')[2]}" if hub else image


def _rewritten(key: str, value: Any, image: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return rewritten(value, image)
    if not isinstance(value, list):
        return value
    if key not in ("containers", "initContainers", "ephemeralContainers"):
        return [_rewritten("", entry, image) for entry in value]
    return [entry | {"image": image(entry["image"])} if "image" in entry else entry for entry in value]


def _filled(text: str, path: Path, places: Places) -> str:
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        try:
            lines[number] = places.fill(line)
        except ValueError as error:
            raise ManifestError(f"{path}:{number + 1}: {error}") from None
    return "".join(lines)


def _parsed(text: str, path: Path) -> list[tuple[Any, int]]:
    import yaml

    with suppress(yaml.YAMLError):  # ten times as fast, but its words for what is wrong depend on its version
        return list(_items(getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)))
    try:
        return list(_items(yaml.SafeLoader(text)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ManifestError(f"{path}:{mark.line + 1 if mark else 1}: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ManifestError(f"{path}:{line}: {error.reason}: {error.character!r}") from None


def _items(loader: "yaml.SafeLoader") -> Iterator[tuple[Any, int]]:
    """Each document that is not empty, and the number of its first line."""
    while loader.check_node():
        node = loader.get_node()
        item = None if node is None else loader.construct_document(node)
        if node is not None and item is not None:
            yield item, node.start_mark.line + 1


def _checked(item: Any, path: Path, line: int, image: Callable[[str], str]) -> Document:
    meta = item.get("metadata") if isinstance(item, dict) else None
    wanted = {
        "apiVersion": isinstance(item, dict) and isinstance(item.get("apiVersion"), str),
        "kind": isinstance(item, dict) and isinstance(item.get("kind"), str),
        "metadata.name": isinstance(meta, dict) and isinstance(meta.get("name"), str),
    }
    missing = [name for name, there in wanted.items() if not there]
    if missing:
        raise ManifestError(f"{path}:{line}: not a Kubernetes object: no {', no '.join(missing)}")
    return Document(rewritten(item, image), path, line)
