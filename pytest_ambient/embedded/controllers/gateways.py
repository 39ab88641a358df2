"""Waypoints and ingress gateways: the ServiceAccount, Deployment and Service of each Gateway."""

from collections.abc import Callable, Iterable

from ..api.applying import installed
from ..api.copying import copied
from ..api.store import Change, Resource, Store, find
from ..istiod.binding import is_ours
from ..istiod.view import GATEWAY_CONTROLLER
from ..objects import Object, annotations_of, labels_of, name_of, namespace_of
from .queue import Controller, Key, itself
from .waypoint import INGRESS_CLASS, WAYPOINT_CLASS, account, deployment, service

_GATEWAY = find("Gateway", "gateway.networking.k8s.io")
_ACCOUNT, _SERVICE, _DEPLOYMENT = find("ServiceAccount"), find("Service"), find("Deployment", "apps")
_MADE = (_ACCOUNT, _SERVICE, _DEPLOYMENT)
_AGAIN = 0.5
"""Seconds until it is looked again whether there is an istiod, whose work this is."""


class Gateways(Controller):
    """Makes what a waypoint or gateway consists of, and makes it again when it goes."""

    def __init__(self, store: Store, image: str, away: Callable[[], bool] = lambda: False) -> None:
        super().__init__(store)
        self._image, self._away = image, away

    def touched(self, change: Change) -> Iterable[Key]:
        """A Gateway itself, and the one of which something was deleted or changed."""
        if change.resource == _GATEWAY:
            return (itself(change),)
        if change.resource not in _MADE:
            return ()
        owners = change.object["metadata"].get("ownerReferences") or ()
        names = [str(each["name"]) for each in owners if each.get("kind") == "Gateway"]
        return [(namespace_of(change.object), each) for each in names]

    def reconcile(self, namespace: str, name: str) -> None:
        """Bring a Gateway's objects to what its Gateway asks for."""
        gateway = self.store.get(_GATEWAY, name, namespace)
        if gateway is None or "deletionTimestamp" in gateway["metadata"]:
            return
        if gateway["spec"].get("gatewayClassName") not in (WAYPOINT_CLASS, INGRESS_CLASS) or not is_ours(gateway):
            return
        if self._away():
            self.enqueue((namespace, name), _AGAIN)
            return
        self._put(_ACCOUNT, account(gateway))
        self._put(_SERVICE, service(gateway))
        self._put(_DEPLOYMENT, deployment(gateway, self._image))

    def _put(self, resource: Resource, wanted: Object) -> None:
        known = self.store.get(resource, name_of(wanted), namespace_of(wanted))
        if known is None:
            installed(self.store, resource, wanted, GATEWAY_CONTROLLER)
            return
        changed = copied(known)
        meta = changed["metadata"]
        meta["labels"] = labels_of(known) | labels_of(wanted)
        meta["ownerReferences"] = wanted["metadata"]["ownerReferences"]
        for part, value in wanted.get("spec", {}).items():
            if part == "template":
                changed["spec"][part] = _annotated(value, annotations_of(changed["spec"][part]))
            elif part != "replicas":  # whoever scales a waypoint keeps that
                changed["spec"][part] = value
        self.store.replace(resource, changed)


def _annotated(template: Object, known: dict[str, str]) -> Object:
    """The pod template with the annotations that others gave it, as `kubectl rollout restart` does."""
    meta = template["metadata"]
    return {**template, "metadata": {**meta, "annotations": known | meta["annotations"]}}
