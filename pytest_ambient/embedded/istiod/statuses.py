"""The status of every object that istiod reports on, as it should be now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..objects import Object, labels_of, namespace_of
from .authorization import convert, target_refs
from .backends import is_entry, mesh_parents, parent_key, reference_problem
from .binding import USE_WAYPOINT, Gate, Refusal, gates, ingress_too, is_waypoint, service_gate
from .conditions import Clock, Said, merged, without
from .gateway_status import class_status, gateway_status
from .http_route import every_route
from .ingress import accepted, gateway_parents, is_ingress
from .view import GATEWAY_CONTROLLER, MESH_CONTROLLER, REMOTE_CONTROLLER, View, key_of, spec_of
from .waypoint_policies import Binding, bindings

_BOUND = "istio.io/WaypointBound"
_NO_LABEL = (
    "istio.io/use-waypoint label missing from parent and parent namespace; in ambient mode, route will not be respected"
)


@dataclass(frozen=True)
class Status:
    """An object and the status that it should have."""

    item: Object
    status: Object


def statuses(view: View, clock: Clock, allotted: Mapping[str, list[Object]] = MappingProxyType({})) -> Iterator[Status]:
    """Every object whose status should differ from what it is; `allotted` are new addresses of ServiceEntries."""
    for each in _all(view, clock, allotted):
        if (each.item.get("status") or {}) != each.status:
            yield each


def _all(view: View, clock: Clock, allotted: Mapping[str, list[Object]]) -> Iterator[Status]:
    known = gates(view)
    for item in view.classes:
        if spec_of(item).get("controllerName") in (MESH_CONTROLLER, GATEWAY_CONTROLLER, REMOTE_CONTROLLER):
            yield Status(item, class_status(item, clock.seconds))
    for item in view.gateways:
        if is_waypoint(item) or is_ingress(item):
            yield Status(item, gateway_status(view, item, clock.seconds))
    for item in view.services:
        yield Status(item, service_status(view, known, item, clock.seconds))
    for item in view.entries:
        yield Status(item, entry_status(view, known, item, clock.nanoseconds, allotted.get(key_of(item))))
    for item in view.policies:
        yield Status(item, policy_status(view, known, item, clock.nanoseconds))
    for item in (*every_route(view), *view.tcp_routes):
        yield Status(item, route_status(view, item, clock.seconds))


def service_status(view: View, known: Mapping[str, Gate], service: Object, now: str) -> Object:
    """A Service's status with the condition that says whether its waypoint takes it."""
    status: Object = service.get("status") or {}
    present: list[Object] = status.get("conditions") or []
    gate = service_gate(view, known, service)
    if gate is None:
        kept = without(present, _BOUND)
    elif isinstance(gate, Refusal):
        kept = merged(present, [Said(_BOUND, False, gate.reason, gate.message)], now)
    else:
        message = f"Successfully attached to waypoint {gate.ref.key}{_ingress_note(view, service)}"
        kept = merged(present, [Said(_BOUND, True, "WaypointAccepted", message)], now)
    rest = {field: value for field, value in status.items() if field != "conditions"}
    return {"conditions": kept, **rest} if kept else rest


def entry_status(
    view: View, known: Mapping[str, Gate], entry: Object, now: str, allotted: list[Object] | None = None
) -> Object:
    """A ServiceEntry's status: a Service's condition, and the addresses that its hosts get."""
    status = service_status(view, known, entry, now)
    return status if allotted is None else {**status, "addresses": allotted}


def _ingress_note(view: View, service: Object) -> str:
    return ". Ingress traffic will traverse the waypoint" if ingress_too(view, service) else ""


def policy_status(view: View, known: Mapping[str, Gate], policy: Object, now: str) -> Object:
    """An AuthorizationPolicy's status: how ztunnel or its waypoint took it."""
    status: Object = policy.get("status") or {}
    present: list[Object] = status.get("conditions") or []
    generation = str(policy.get("metadata", {}).get("generation", 1))
    made, said = convert(policy), []
    if not target_refs(policy) or made.reason != "Accepted":  # of dry-run policies ztunnel complains wherever they aim
        said.append(Said("ZtunnelAccepted", made.policy is not None, made.reason, made.message))
    if target_refs(policy):
        said.append(_waypoint_accepted(bindings(view, known, policy)))
    told = {each.type for each in said}
    for each in ("ZtunnelAccepted", "WaypointAccepted"):
        present = present if each in told else without(present, each)
    return {**status, "conditions": merged(present, said, now, generation)}


def _waypoint_accepted(found: list[Binding]) -> Said:
    if len(found) == 1:
        return Said("WaypointAccepted", found[0].bound, found[0].reason, found[0].message)
    unbound = [each.ancestor for each in found if not each.bound]
    bound = len(unbound) < len(found)
    reason = ("PartiallyInvalid" if unbound else "Accepted") if bound else "Invalid"
    return Said("WaypointAccepted", bound, reason, f"Invalid targetRefs: {', '.join(unbound)}" if unbound else "")


def route_status(view: View, route: Object, now: str) -> Object:
    """A route's status: one entry for each parent that Istio knows; other controllers' entries stay."""
    status: Object = route.get("status") or {}
    present: list[Object] = status.get("parents") or []
    ours = [*mesh_parents(route), *gateway_parents(view, route)]
    parents = [each for each in spec_of(route).get("parentRefs") or () if each in ours]
    others = [each for each in present if each.get("controllerName") != GATEWAY_CONTROLLER]
    kept = [each for each in present if each in others or each["parentRef"] in parents]
    for parent in sorted(parents, key=lambda each: _order(route, each), reverse=True):
        old: Object = next((each for each in kept if _is_ours(each, parent)), {})
        generation = int(route.get("metadata", {}).get("generation", 1))
        said = _route_said(view, route, parent)
        new: Object = {
            "conditions": merged(old.get("conditions") or [], said, now, generation),
            "controllerName": GATEWAY_CONTROLLER,
            "parentRef": dict(parent),
        }
        kept = [new if each is old else each for each in kept] + ([] if old else [new])
    return {**status, "parents": kept}


def _order(route: Object, parent: Object) -> str:
    """What new entries are sorted by, the last first."""
    named = [str(parent.get(field, "")) for field in ("group", "kind", "name", "sectionName")]
    return f"{'/'.join(named)}/{parent.get('port', 0)}.{parent.get('namespace') or namespace_of(route)}"


def _is_ours(entry: Object, parent: Object) -> bool:
    return entry.get("controllerName") == GATEWAY_CONTROLLER and entry.get("parentRef") == parent


def _route_said(view: View, route: Object, parent: Object) -> list[Said]:
    fits, words = _fits(view, route, parent)
    resolved = Said("ResolvedRefs", True, "ResolvedRefs", "All references resolved")
    if problem := reference_problem(view, route, parent):
        resolved = Said("ResolvedRefs", False, problem.reason, problem.message)
    return [fits, resolved, Said("ResolvedWaypoints", True, "ResolvedWaypoints", words)]


def _fits(view: View, route: Object, parent: Object) -> tuple[Said, str]:
    """Whether the parent takes the route, and what is to say of its waypoint."""
    if parent.get("kind") == "Gateway":
        return accepted(view, route, parent), "All waypoints resolved"
    key, entry = parent_key(route, parent), is_entry(parent)
    found = next((each for each in (view.entries if entry else view.services) if key_of(each) == key), None)
    if found is not None:
        return Said("Accepted", True, "Accepted", "Route was valid"), _waypoint_words(view, found)
    why = f'parent service{" entry" if entry else ""}: "{parent.get("name", "")}" not found'
    return Said("Accepted", False, "NoMatchingParent", why), _waypoint_words(view, None)


def _waypoint_words(view: View, service: Object | None) -> str:
    if service is None:
        return "parent not found"
    labels = (labels_of(service), view.namespace_labels.get(namespace_of(service), {}))
    named = any(each.get(USE_WAYPOINT, "none") not in ("", "none") for each in labels)
    return "All waypoints resolved" if named else _NO_LABEL
