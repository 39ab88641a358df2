"""EndpointSlices of the Endpoints that somebody wrote for a Service without a selector."""

from collections.abc import Iterable, Iterator

from ..api.copying import copied
from ..api.store import Change, find
from ..objects import Object, annotations_of, labels_of, name_of, namespace_of
from . import slices
from .queue import Controller, Key, itself

_SERVICE, _ENDPOINTS = find("Service"), find("Endpoints")
_SLICE = find("EndpointSlice", "discovery.k8s.io")
_MANAGER = "endpointslicemirroring-controller.k8s.io"
_SKIPPED, _LEADER = "endpointslice.kubernetes.io/skip-mirror", "control-plane.alpha.kubernetes.io/leader"
_KEPT = ("hostname", "nodeName", "targetRef")


class MirroredEndpoints(Controller):
    """Keeps a slice for all subsets with the same ports."""

    def touched(self, change: Change) -> Iterable[Key]:
        """Both are called alike."""
        return (itself(change),) if change.resource in (_SERVICE, _ENDPOINTS) else ()

    def reconcile(self, namespace: str, name: str) -> None:
        """Bring the slices to what is written."""
        written = self.store.get(_ENDPOINTS, name, namespace)
        known = self.store.list(_SLICE, namespace, {slices.OF: name, slices.MANAGED: _MANAGER})
        left = {repr(each.get("ports")): each for each in known}
        if written is not None and self._mirrored(written):
            for fresh in _contents(written):
                old = left.pop(repr(fresh["ports"]), None)
                if old is None:
                    self.store.create(_SLICE, slices.empty(written, _MANAGER) | fresh)
                elif old.get("endpoints") != fresh["endpoints"]:
                    self.store.replace(_SLICE, copied(old) | fresh)
        for each in left.values():
            self.store.delete(_SLICE, name_of(each), namespace)

    def _mirrored(self, written: Object) -> bool:
        service = self.store.get(_SERVICE, name_of(written), namespace_of(written))
        wanted = labels_of(written).get(_SKIPPED) != "true" and _LEADER not in annotations_of(written)
        return wanted and service is not None and not service["spec"].get("selector")


def _contents(written: Object) -> Iterable[Object]:
    found: dict[str, Object] = {}
    for subset in written.get("subsets") or ():
        ports = subset.get("ports") or []
        found.setdefault(repr(ports), {"ports": ports, "endpoints": []})["endpoints"] += _endpoints(subset)
    return found.values()


def _endpoints(subset: Object) -> Iterator[Object]:
    for field, ready in (("addresses", True), ("notReadyAddresses", False)):
        for each in subset.get(field) or ():
            kept = {name: each[name] for name in _KEPT if name in each}
            yield {"addresses": [each["ip"]], "conditions": {"ready": ready}, **kept}
