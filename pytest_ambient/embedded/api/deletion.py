"""How objects end: grace periods, finalizers, and what happens to those that they owned."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..objects import Object, name_of, namespace_of
from .copying import copied
from .resources import Resource

if TYPE_CHECKING:
    from .store import Store

FOREGROUND = "foregroundDeletion"
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def keep_identity(new: Object, old: Object) -> None:
    """Carry over what no writer may change."""
    for field in _KEPT:
        carry(new["metadata"], old["metadata"], field)
    new["metadata"].pop("selfLink", None)
    new["apiVersion"], new["kind"] = old["apiVersion"], old["kind"]


def carry(new: Object, old: Object, field: str) -> None:
    """Give `new` the field of `old`, or none."""
    if field in old:
        new[field] = old[field]
    else:
        new.pop(field, None)


def same(new: Object, old: Object) -> bool:
    """Whether nothing but the resourceVersion differs."""
    if any(new.get(key) != old.get(key) for key in new.keys() | old.keys() if key != "metadata"):
        return False
    mine, theirs = new["metadata"], old["metadata"]
    return all(mine.get(key) == theirs.get(key) for key in mine.keys() | theirs.keys() if key != "resourceVersion")


def wanted(resource: Resource, obj: Object) -> Object:
    """The part of which `generation` counts the changes."""
    if resource.custom:
        return {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    found: Object = {key: obj.get(key) for key in ("spec", "endpoints", "webhooks", "value") if key in obj}
    if resource.key == ("", "pods"):  # that it gets a node is no change of what its writer wants
        found["spec"] = {key: value for key, value in (obj.get("spec") or {}).items() if key != "nodeName"}
    return found


def finished(resource: Resource, obj: Object) -> bool:
    """Whether a deletion was begun and nothing holds the object any more."""
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta or meta.get("finalizers") or meta.get("deletionGracePeriodSeconds"):
        return False
    return not (resource.key == ("", "namespaces") and obj.get("spec", {}).get("finalizers"))


def mark(
    resource: Resource, old: Object, grace: int | None, propagation: str, stamp: Callable[[float], str]
) -> Object | None:
    """The object as it looks while it is being deleted, None when it may go at once."""
    new = {**old, "metadata": copied(old["metadata"])}
    meta = new["metadata"]
    if propagation == "Foreground" and FOREGROUND not in meta.get("finalizers", []):
        meta["finalizers"] = [*meta.get("finalizers", []), FOREGROUND]
    seconds = _grace(resource, old, grace)
    lasting = "deletionTimestamp" in meta
    if not lasting or seconds < meta.get("deletionGracePeriodSeconds", 0):
        meta["deletionTimestamp"] = stamp(seconds)
        meta["deletionGracePeriodSeconds"] = seconds
        if resource.generation and not lasting:
            meta["generation"] = meta.get("generation", 0) + 1
    if resource.key == ("", "namespaces") and grace != 0:
        new["status"] = {**old.get("status", {}), "phase": "Terminating"}
        return new
    return None if not meta.get("finalizers") and not seconds else new


def _grace(resource: Resource, old: Object, asked: int | None) -> int:
    if resource.key != ("", "pods") or not old.get("spec", {}).get("nodeName"):
        return 0
    if old.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    return int(old["spec"].get("terminationGracePeriodSeconds", 30)) if asked is None else max(asked, 0)


class Owners:
    """Who owns whom, by uid, and what follows when an owner goes."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._owned: dict[str, set[tuple[Resource, str, str]]] = {}
        self._advancing: set[str] = set()

    def adopt(self, resource: Resource, obj: Object) -> None:
        """Remember an object's owners."""
        for each in obj["metadata"].get("ownerReferences", ()):
            self._owned.setdefault(each["uid"], set()).add((resource, namespace_of(obj), name_of(obj)))

    def advance(self, owner: Object) -> None:
        """Go on with a foreground deletion: what it owns first."""
        uid = owner["metadata"]["uid"]
        if FOREGROUND not in owner["metadata"].get("finalizers", []) or uid in self._advancing:
            return
        self._advancing.add(uid)
        try:
            for resource, obj in self._of(uid):
                if "deletionTimestamp" not in obj["metadata"]:
                    self._store.delete(resource, name_of(obj), namespace_of(obj), propagation="Foreground")
        finally:
            self._advancing.remove(uid)
        if not any(_blocks(obj, uid) for _, obj in self._of(uid)):
            self._finish(owner)

    def orphan(self, owner: Object) -> None:
        """Let what an object owns go on without it."""
        uid = owner["metadata"]["uid"]
        for kind, obj in self._of(uid):
            self._let_go(kind, obj, uid, orphan=True)

    def release(self, resource: Resource, gone: Object) -> None:
        """Let what an object owned follow it, unless it has other owners; its own owners may have waited for it."""
        uid = gone["metadata"]["uid"]
        for kind, obj in self._of(uid):
            self._let_go(kind, obj, uid, orphan=False)
        self._owned.pop(uid, None)
        for each in gone["metadata"].get("ownerReferences", ()):
            self._owned.get(each["uid"], set()).discard((resource, namespace_of(gone), name_of(gone)))
            owner = self._find(each, namespace_of(gone))
            if owner is not None and "deletionTimestamp" in owner["metadata"]:
                self.advance(owner)

    def _let_go(self, resource: Resource, obj: Object, uid: str, *, orphan: bool) -> None:
        left = [each for each in obj["metadata"]["ownerReferences"] if each["uid"] != uid]
        if not orphan and not left:
            if "deletionTimestamp" not in obj["metadata"]:
                self._store.delete(resource, name_of(obj), namespace_of(obj))
            return
        new = {**obj, "metadata": {**obj["metadata"], "ownerReferences": left}}
        if not left:
            del new["metadata"]["ownerReferences"]
        self._store.replace(resource, new)

    def _finish(self, owner: Object) -> None:
        resource = self._store.registry.of(owner["apiVersion"].rpartition("/")[0], owner["kind"])
        current = resource and self._store.get(resource, name_of(owner), namespace_of(owner))
        if resource and current and FOREGROUND in current["metadata"].get("finalizers", []):
            new = copied(current)
            new["metadata"]["finalizers"].remove(FOREGROUND)
            if not new["metadata"]["finalizers"]:
                del new["metadata"]["finalizers"]
            self._store.replace(resource, new)

    def _find(self, reference: Object, namespace: str) -> Object | None:
        resource = self._store.registry.of(str(reference["apiVersion"]).rpartition("/")[0], reference["kind"])
        if resource is None:
            return None
        found = self._store.get(resource, reference["name"], namespace if resource.namespaced else "")
        return found if found and found["metadata"]["uid"] == reference["uid"] else None

    def _of(self, uid: str) -> Iterator[tuple[Resource, Object]]:
        """What an owner still has, looked up one by one: the end of one may be that of others."""
        for resource, namespace, name in tuple(self._owned.get(uid, ())):
            obj = self._store.get(resource, name, namespace)
            if obj and _owners(obj, uid):
                yield resource, obj


def _owners(obj: Object, uid: str) -> list[Object]:
    return [each for each in obj["metadata"].get("ownerReferences", ()) if each["uid"] == uid]


def _blocks(obj: Object, uid: str) -> bool:
    return any(each.get("blockOwnerDeletion") for each in _owners(obj, uid))
