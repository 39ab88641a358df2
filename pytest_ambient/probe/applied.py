"""Manifests in the cluster: applied server-side, owned field by field, and undone exactly."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from pytest_ambient._kube import MANAGER, Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import Invalid, ManifestError, NotFound
from pytest_ambient.manifest import Document
from pytest_ambient.places import Places
from pytest_ambient.probe.giving import NOBODY, give_back
from pytest_ambient.probe.trace import Trace, plain

SETUP_MANAGER = f"{MANAGER}-setup"
"""The field manager of set-up manifests: an object may also be written by a state, each owns only its own fields."""

Path = tuple[str, ...]
Settle: TypeAlias = Callable[[Document], bool]
"""Waits until something that was there before runs as it is now, and says whether it does."""


@dataclass(frozen=True)
class Change:
    """One document in the cluster and what undoing it takes."""

    document: Document
    created: bool
    replaced: Mapping[str, Object] = field(default_factory=dict, hash=False)
    """By field manager: a merge patch that gives back what was taken from it."""
    applied: Object | None = field(default=None, hash=False, compare=False, repr=False)
    """The object as it was when the document had been applied to it."""


@dataclass
class Applied:
    """Documents that are in the cluster until `undo`."""

    kube: Kube
    manager: str
    changes: list[Change] = field(default_factory=list)

    @property
    def documents(self) -> list[Document]:
        """What was applied."""
        return [change.document for change in self.changes]

    @property
    def kept(self) -> list[Document]:
        """Those that were there before and will be after."""
        return [change.document for change in self.changes if not change.created]

    def undo(self, within: float, settle: Settle | None = None) -> None:
        """Takes everything back, last first, and waits `within` seconds for each object until it is gone.

        What was there before is left to `settle` before the next one's turn comes.
        """
        for change in reversed(self.changes):
            item = change.document
            if change.created:
                self.kube.delete(item.kind, item.name, item.namespace)
            elif self.kube.get(item.kind, item.name, item.namespace) is not None:
                give_back(self.kube, (item.kind, item.name, item.namespace), change.replaced, self.manager)
                if settle is not None:
                    settle(item)
        while self.changes:
            if self.changes[-1].created:
                gone(self.kube, self.changes[-1].document, within)
            self.changes.pop()


def apply(
    kube: Kube,
    documents: Sequence[Document],
    *,
    manager: str = MANAGER,
    trace: Trace | None = None,
    settle: Settle | None = None,
) -> Applied:
    """Applies documents in order; when one is refused, those before it are undone and the error names file and line.

    What is outside of the run's own namespaces is labelled and written down by `trace` first. What was there before is
    left to `settle` before the next one's turn comes, which it does not where that failed.
    """
    applied = Applied(kube, manager)
    for document in documents:
        try:
            change = before(kube, document, trace)
            if trace is not None and trace.outside(document):
                trace.note(plain(change.document, manager, change.replaced, created=change.created))
            applied.changes.append(change)
            applied.changes[-1] = replace(
                change, applied=kube.apply(change.document.object, force=True, field_manager=manager)
            )
            if settle is not None and not change.created and not settle(document):
                break
        except BaseException as error:
            kept = applied.kept if settle is not None else []
            applied.undo(within=30)
            for item in kept:
                assert settle is not None
                settle(item)
            if isinstance(error, NotFound | Invalid):
                raise ManifestError(f"{document.path}:{document.line}: {document}: {error}") from error
            raise
    return applied


def placed(kube: Kube, documents: Sequence[Document], places: Places, *, mesh_wide: bool) -> list[Document]:
    """The documents with their namespaces spelt out; ManifestError for one outside this run's own namespaces."""
    return [_placed(document, kube, places, mesh_wide) for document in documents]


def gone(kube: Kube, document: Document, within: float) -> None:
    """Waits until an object is gone, a Gateway with what was made for it; another may take its name then."""
    kube.delete(document.kind, document.name, document.namespace, wait=within)
    kinds = ("apps/v1/Deployment", "v1/Service") if document.object["kind"] == "Gateway" else ()

    def absent(kind: str) -> bool | NotYet:
        left = kube.get(kind, document.name, document.namespace)
        owners = left["metadata"].get("ownerReferences", []) if left else []
        mine = any(owner.get("kind") == "Gateway" for owner in owners)
        return NotYet(f"its {kind.rpartition('/')[2]} is still there") if mine else True

    for kind in kinds:
        until(partial(absent, kind), what=f"deletion of {document}", within=within)


def _placed(document: Document, kube: Kube, places: Places, mesh_wide: bool) -> Document:
    try:
        namespaced = kube.kind(document.kind).namespaced
    except NotFound as error:
        raise ManifestError(f"{document.path}:{document.line}: {document}: {error}") from error
    meta = document.object["metadata"]
    if namespaced and "namespace" not in meta:
        meta = {**meta, "namespace": places.namespace}
    where = meta.get("namespace") or (document.name if document.object["kind"] == "Namespace" else None)
    if where not in places.ours and not mesh_wide:
        place = f"namespace {where}" if where else "the whole cluster"
        allowed = ", ".join(places.ours)
        raise ManifestError(
            f"{document.path}:{document.line}: {document} would change {place}; a case without scope='mesh' may only "
            f"write to {allowed}"
        )
    return replace(document, object={**document.object, "metadata": meta})


def before(kube: Kube, document: Document, trace: Trace | None = None) -> Change:
    """What undoing the document will take, read before it is applied; its document is what is to be applied."""
    now, traced = (
        kube.get(document.kind, document.name, document.namespace),
        trace is not None and trace.outside(document),
    )
    if now is None:
        return Change(trace.marked(document) if trace is not None and traced else document, created=True)
    if trace is not None and traced:
        trace.claim(document, now)
    replaced: dict[str, Object] = {}
    for path in differing(document.object, now, now):
        put(replaced.setdefault(owner_of(now, path) or NOBODY, {}), path, at(now, path), at(document.object, path))
    return Change(document, False, replaced)


def differing(wanted: Object, now: Object, root: Object, path: Path = ()) -> Iterator[Path]:
    """The paths of values of `root` that `wanted` changes; a list is one value, and so is a map that is owned whole."""
    for key, value in wanted.items():
        here = (*path, key)
        if key not in now or now[key] == value:
            continue
        if isinstance(value, dict) and isinstance(now[key], dict) and not whole(root, here):
            yield from differing(value, now[key], root, here)
        else:
            yield here


def put(patch: Object, path: Path, old: object, new: object) -> None:
    """Adds to a merge patch what makes the value at a path the old one; keys that only the new one has go away."""
    for key in path[:-1]:
        patch = patch.setdefault(key, {})
    added = [key for key in new if key not in old] if isinstance(old, dict) and isinstance(new, dict) else []
    patch[path[-1]] = {**old, **dict.fromkeys(added)} if isinstance(old, dict) else old


def at(item: Object, path: Path) -> object:
    """The value at a path."""
    value: object = item
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def owner_of(now: Object, path: Path) -> str | None:
    """The field manager that owns a path, itself or with all that it is part of."""
    for entry in _managed(now):
        level: object = entry.get("fieldsV1") or None
        for key in path:
            if level == {}:
                break
            level = level.get(f"f:{key}") if isinstance(level, dict) else None
        if level is not None:
            return str(entry["manager"])
    return None


def whole(now: Object, path: Path) -> bool:
    """Whether somebody owns the map at a path as one value."""
    fields = (at(entry.get("fieldsV1") or {}, tuple(f"f:{key}" for key in path)) for entry in _managed(now))
    return any(found == {} for found in fields)


def _managed(now: Object) -> list[Object]:
    return now["metadata"].get("managedFields") or []
