"""The cluster's objects in memory: written one at a time, each change numbered and told to whoever subscribed.

One thread only. Objects that come out are shared: copy before changing one.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from ..objects import Object, labels_of, name_of, namespace_of
from . import deletion
from .copying import copied
from .defaults import complete
from .errors import already_exists, conflict, not_found
from .journal import Change, Journal, Word, timestamp
from .names import check_name, generated_name
from .registry import Registry
from .resources import RESOURCES, Resource, find

__all__ = ["RESOURCES", "Change", "Hook", "Resource", "Store", "find", "timestamp"]

Objects: TypeAlias = list[Object]
Hook: TypeAlias = Callable[[Object, Object | None], None]
"""Called with the new object, which it may change, and the old one; raises ApiError to refuse."""


class Store:
    """All objects of the cluster.

    Every write is checked, defaulted and admitted by the hooks before anything changes; ApiError says what is wrong.
    """

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or Registry()
        self._objects: dict[tuple[str, str], dict[tuple[str, str], Object]] = {}
        self._hooks: dict[tuple[str, str], list[Hook]] = {}
        self._journal = Journal()
        self._owners = deletion.Owners(self)

    @property
    def version(self) -> int:
        """The resourceVersion of the last change."""
        return self._journal.version

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The object, or None."""
        return self._objects.get(resource.key, {}).get((namespace, name))

    def list(
        self, resource: Resource, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> Objects:
        """The objects in order of namespace and name; all namespaces when none is given."""
        kept = self._objects.get(resource.key, {})
        keys = sorted(key for key in kept if not namespace or key[0] == namespace)
        found = [kept[key] for key in keys]
        if labels:
            found = [each for each in found if labels.items() <= labels_of(each).items()]
        return found

    def admit(self, resource: Resource, hook: Hook) -> None:
        """Call `hook` before each creation and replacement of that kind, after earlier hooks."""
        self._hooks.setdefault(resource.key, []).append(hook)

    def subscribe(self, seen: Callable[[Change], None]) -> Callable[[], None]:
        """Call `seen` after each change, in order; returns what ends that."""
        return self._journal.subscribe(seen)

    def since(self, version: int) -> Iterable[Change] | None:
        """The changes after that resourceVersion, None when they are no longer remembered."""
        return self._journal.since(version)

    def create(self, resource: Resource, obj: Object, *, dry_run: bool = False) -> Object:
        """Add an object (a copy of `obj`, completed) and return it; AlreadyExists when its name is taken."""
        new = copied(obj)
        meta = new.setdefault("metadata", {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = generated_name(str(meta["generateName"]))
        new = {"apiVersion": resource.api_version, "kind": resource.kind} | new
        new["apiVersion"] = resource.api_version
        check_name(resource, new)
        if self.get(resource, name_of(new), namespace_of(new)):
            raise already_exists(resource, name_of(new))
        for gone in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            meta.pop(gone, None)
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = timestamp()
        if resource.generation:
            meta["generation"] = 1
        self._admit(resource, new, None)
        if dry_run:
            return new
        self._commit("ADDED", resource, new, None)
        self._owners.adopt(resource, new)
        self._journal.tell()
        return new

    def replace(self, resource: Resource, obj: Object, *, dry_run: bool = False) -> Object:
        """Put a changed copy in the place of an object and return what is stored; nothing happens when it is equal.

        Its status is not touched where it has its own subresource. Conflict when `obj` is of another resourceVersion;
        NotFound when there is nothing to replace. The last finalizer's removal ends a deletion.
        """
        old = self._current(resource, obj)
        new = copied(obj)
        deletion.keep_identity(new, old)
        if resource.status:
            deletion.carry(new, old, "status")
        self._admit(resource, new, old)
        return self._put(resource, new, old, dry_run=dry_run)

    def replace_status(self, resource: Resource, obj: Object, *, dry_run: bool = False) -> Object:
        """Like `replace`, for `status` and managedFields alone."""
        old = self._current(resource, obj)
        new = {key: value for key, value in old.items() if key != "status"}
        deletion.carry(new, copied(obj), "status")
        new["metadata"] = dict(old["metadata"])
        deletion.carry(new["metadata"], copied(obj["metadata"]), "managedFields")
        return self._put(resource, new, old, dry_run=dry_run)

    def set_status(self, resource: Resource, name: str, namespace: str, status: Object) -> None:
        """Replace an object's status; nothing happens when it is equal or the object is gone."""
        old = self.get(resource, name, namespace)
        if old is not None and old.get("status") != status:
            self._put(resource, {**old, "metadata": dict(old["metadata"]), "status": copied(status)}, old)

    def delete(
        self, resource: Resource, name: str, namespace: str = "", *,
        grace: int | None = None, propagation: str = "Background", dry_run: bool = False,
    ) -> Object:  # fmt: skip
        """Delete an object as the API does and return its last state; NotFound when there is none.

        A pod on a node is only marked, for `grace` seconds (its own period by default): who runs it deletes it again
        with `grace=0`. Finalizers delay the end likewise; a Namespace ends once `spec.finalizers` is empty (`replace`)
        or with `grace=0`. `propagation` is Background, Foreground or Orphan, for the objects that it owns.
        """
        old = self.get(resource, name, namespace)
        if old is None:
            raise not_found(resource, name)
        if dry_run:
            return old
        if propagation == "Orphan":
            self._owners.orphan(old)
        marked = deletion.mark(resource, old, grace, propagation, timestamp)
        if marked is None:
            self.remove(resource, old)
            return old
        if marked != old:
            self._commit("MODIFIED", resource, marked, old)
            self._owners.advance(marked)
            self._journal.tell()
        return marked

    def remove(self, resource: Resource, old: Object) -> None:
        """Take an object out at once, whatever holds it, and let what it owned follow."""
        last = {**old, "metadata": dict(old["metadata"])}
        self._commit("DELETED", resource, last, old)
        self._owners.release(resource, last)
        self._journal.tell()

    def _current(self, resource: Resource, obj: Object) -> Object:
        old = self.get(resource, name_of(obj), namespace_of(obj))
        if old is None:
            raise not_found(resource, name_of(obj))
        meta = obj["metadata"]
        if meta.get("resourceVersion") not in (None, "", old["metadata"]["resourceVersion"]):
            raise conflict(resource, name_of(obj))
        if meta.get("uid") not in (None, "", old["metadata"]["uid"]):
            why = (
                f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {old['metadata']['uid']}"
            )
            raise conflict(resource, name_of(obj), why)
        return old

    def _admit(self, resource: Resource, new: Object, old: Object | None) -> None:
        complete(resource, self.registry.schema(resource), new)
        for hook in self._hooks.get(resource.key, ()):
            hook(new, old)

    def _put(self, resource: Resource, new: Object, old: Object, *, dry_run: bool = False) -> Object:
        if deletion.same(new, old):
            return old
        if resource.generation and deletion.wanted(resource, new) != deletion.wanted(resource, old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if dry_run:
            return new
        if deletion.finished(resource, new):
            self.remove(resource, new)
            return new
        self._commit("MODIFIED", resource, new, old)
        self._owners.adopt(resource, new)
        self._journal.tell()
        return new

    def _commit(self, word: Word, resource: Resource, new: Object, old: Object | None) -> None:
        self._journal.add(word, resource, new, old)
        kept = self._objects.setdefault(resource.key, {})
        where = (namespace_of(new), name_of(new))
        if word == "DELETED":
            kept.pop(where, None)
        else:
            kept[where] = new
