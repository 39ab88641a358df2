"""The misreadings of what binds Services to waypoints. Part of `misread`."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..faults import Fault
from ..objects import Object, labels_of, namespace_of
from .binding import HBONE_PORT, USE_WAYPOINT, WAYPOINT_FOR, asked_for
from .view import WAYPOINT_CLASS, View, key_of, spec_of

_NOWHERE = "240.0.0.1"
_ALL: Object = {"namespaces": {"from": "All"}}


class Bound:
    """The fault waypoint-never-released: remembers which waypoint each Service named last."""

    def __init__(self) -> None:
        self._named: dict[str, str] = {}

    def __call__(self, view: View) -> View:
        """The Services with the waypoints that they named once."""
        for each in view.services:
            if labels_of(each).get(USE_WAYPOINT, "none") != "none":
                self._named[each["metadata"]["uid"]] = labels_of(each)[USE_WAYPOINT]
        named = [(each, self._named.get(each["metadata"]["uid"])) for each in view.services]
        services = [_labelled(each, labels_of(each) | {USE_WAYPOINT: name}) if name else each for each, name in named]
        return replace(view, services=services)


def _labelled(item: Object, labels: Mapping[str, str]) -> Object:
    return {**item, "metadata": {**item["metadata"], "labels": dict(labels)}}


def _namespace_waypoint_first(view: View) -> View:
    first = {name for name, labels in view.namespace_labels.items() if USE_WAYPOINT in labels}
    return replace(
        view,
        services=[_plain(each) if namespace_of(each) in first else each for each in view.services],
    )


def _plain(service: Object) -> Object:
    return _labelled(service, {key: value for key, value in labels_of(service).items() if key != USE_WAYPOINT})


def _waypoint_for_ignored(view: View) -> View:
    gateways = [_labelled(each, labels_of(each) | {WAYPOINT_FOR: "all"}) for each in view.gateways]
    return replace(view, gateways=gateways, pods=[_with_its_services(view, each) for each in view.pods])


def _with_its_services(view: View, pod: Object) -> Object:
    """The pod, which asks for the waypoint of a Service that chooses it."""
    labels = labels_of(pod)
    for each in view.services if USE_WAYPOINT not in labels else ():
        selector, name = spec_of(each).get("selector") or {}, labels_of(each).get(USE_WAYPOINT)
        if name and selector and namespace_of(each) == namespace_of(pod) and selector.items() <= labels.items():
            return _labelled(pod, labels | {USE_WAYPOINT: name})
    return pod


def _attachment_unchecked(view: View) -> View:
    return replace(view, gateways=[_open(each) for each in view.gateways])


def _open(gateway: Object) -> Object:
    listeners = [{**each, "allowedRoutes": _ALL} for each in spec_of(gateway).get("listeners") or ()]
    return {**gateway, "spec": {**spec_of(gateway), "listeners": listeners}}


def _missing_waypoint_closes(view: View) -> View:
    """Puts a waypoint without pods in the place of each that is missing."""
    known = {key_of(each) for each in view.gateways}
    asked = [
        asked_for(labels_of(each) if USE_WAYPOINT in labels_of(each) else view.namespace_labels[space], space)
        for each in view.services
        if (space := namespace_of(each)) in view.namespace_labels
    ]
    missing = {each for each in asked if each is not None and each.key not in known}
    return replace(view, gateways=[*view.gateways, *(_empty(each.namespace, each.name) for each in missing)])


def _empty(namespace: str, name: str) -> Object:
    listener = {"name": "mesh", "port": HBONE_PORT, "protocol": "HBONE", "allowedRoutes": _ALL}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {WAYPOINT_FOR: "all"}},
        "spec": {"gatewayClassName": WAYPOINT_CLASS, "listeners": [listener]},
        "status": {"addresses": [{"type": "IPAddress", "value": _NOWHERE}]},
    }


WAYPOINT_MISREADINGS: Mapping[Fault, Callable[[View], View]] = {
    Fault.NAMESPACE_WAYPOINT_FIRST: _namespace_waypoint_first,
    Fault.WAYPOINT_FOR_IGNORED: _waypoint_for_ignored,
    Fault.ATTACHMENT_UNCHECKED: _attachment_unchecked,
    Fault.MISSING_WAYPOINT_CLOSES: _missing_waypoint_closes,
}
