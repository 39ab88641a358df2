"""Namespaces: what each one holds from its beginning, and its end."""

from collections.abc import Iterable, Mapping

from ..api.copying import copied
from ..api.store import Change, Resource, Store, find
from ..objects import Object, name_of, namespace_of
from .leftovers import remaining
from .queue import Controller, Key

_NAMESPACE, _ACCOUNT, _CONFIG, _EVENT = find("Namespace"), find("ServiceAccount"), find("ConfigMap"), find("Event")


class Namespaces(Controller):
    """Gives each namespace its default ServiceAccount and certificates; empties those that are deleted."""

    def __init__(self, store: Store, certificates: Mapping[str, Mapping[str, str]]) -> None:
        """`certificates`: the data of the ConfigMaps that every namespace has, by their name."""
        super().__init__(store)
        self._certificates = certificates
        for each in store.list(_NAMESPACE):
            self.reconcile("", name_of(each))

    def touched(self, change: Change) -> Iterable[Key]:
        """A namespace itself; the one of an object that has gone while it ends or that it must have."""
        if change.resource == _NAMESPACE:
            return (("", name_of(change.object)),)
        if change.type == "DELETED" and namespace_of(change.object):
            return (("", namespace_of(change.object)),)
        return ()

    def reconcile(self, namespace: str, name: str) -> None:
        """Fill a namespace, or go on emptying it."""
        space = self.store.get(_NAMESPACE, name)
        if space is None:
            return
        if "deletionTimestamp" in space["metadata"]:
            self._empty(space)
            return
        if self.store.get(_ACCOUNT, "default", name) is None:
            self.store.create(_ACCOUNT, {"metadata": {"name": "default", "namespace": name}})
        for config, data in self._certificates.items():
            if self.store.get(_CONFIG, config, name) is None:
                self.store.create(_CONFIG, {"metadata": {"name": config, "namespace": name}, "data": dict(data)})

    def _empty(self, space: Object) -> None:
        name = name_of(space)
        left: dict[Resource, list[Object]] = {}
        for resource in list(self.store.registry):
            if not resource.namespaced or "delete" not in resource.verbs:
                continue
            for each in self.store.list(resource, name):
                current = self.store.get(resource, name_of(each), name)
                if current and "deletionTimestamp" not in current["metadata"]:
                    self.store.delete(resource, name_of(each), name)
                current = self.store.get(resource, name_of(each), name)
                if current:
                    left.setdefault(resource, []).append(current)
        if left:
            status = {"phase": "Terminating", "conditions": remaining(left, space["status"].get("conditions") or ())}
            self.store.set_status(_NAMESPACE, name, "", status)
        else:
            ended = copied(space)
            ended["spec"]["finalizers"] = []
            self.store.replace(_NAMESPACE, ended)
