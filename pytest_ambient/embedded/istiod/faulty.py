"""The faults of the embedded mesh that are wrong configuration: what istiod knows, made wrong before it is pushed.

Statuses are made from the objects and stay right: a broken mesh that reports itself healthy.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from ..faults import Fault
from .faulty_outages import ingress_past_waypoint, istiod_away, past_lost_waypoints, ztunnel_restarted
from .faulty_routes import ROUTE_FAULTS
from .model import (
    ROOT_NAMESPACE,
    L4Clause,
    L4Match,
    L4Policy,
    L4Rule,
    L7Policy,
    Mesh,
    RouteMatch,
    RouteRule,
    StringMatch,
    Workload,
)

_Item = TypeVar("_Item")


def broken(mesh: Mesh, faults: Iterable[Fault]) -> Mesh:
    """The mesh with those faults; faults that are not wrong configuration change nothing here."""
    for fault in sorted(faults):
        mesh = BREAKS.get(fault, _unbroken)(mesh)
    return mesh


def late(mesh: Mesh, earlier: Mesh, shown: Mesh) -> Mesh:
    """The mesh with pods, Services and bindings of now, and policies and routes of an earlier moment.

    What was `shown` to the proxies last goes late, too; what came and went in between never arrives.
    """
    sides = (mesh, shown)
    l4 = _alike(*(each.l4_policies for each in (earlier, *sides)))
    bound = {uid: [key for key in each.policies if key in l4] for uid, each in earlier.workloads.items()}
    checked = _kept(*({key: each.tokens for key, each in one.waypoints.items()} for one in (earlier, *sides)))
    attached = _kept(*({key: each.policies for key, each in one.waypoints.items()} for one in (earlier, *sides)))
    return replace(
        mesh,
        workloads={uid: replace(each, policies=tuple(bound.get(uid, ()))) for uid, each in mesh.workloads.items()},
        waypoints={
            key: replace(each, policies=attached.get(key, ()), tokens=checked.get(key, ()))
            for key, each in mesh.waypoints.items()
        },
        l4_policies=l4,
        service_policies=_kept(*(each.service_policies for each in (earlier, *sides))),
        service_tokens=_kept(*(each.service_tokens for each in (earlier, *sides))),
        unlogged=earlier.unlogged & (mesh.unlogged | shown.unlogged),
        log_filters=_alike(*(each.log_filters for each in (earlier, *sides))),
        tracers=_alike(*(each.tracers for each in (earlier, *sides))),
        routes=_kept(*(each.routes for each in (earlier, *sides))),
        destinations=_alike(*(each.destinations for each in (earlier, *sides))),
    )


def _alike(earlier: Mapping[str, _Item], *sides: Mapping[str, _Item]) -> Mapping[str, _Item]:
    """Of what was earlier that which is the same with one of the others."""
    return {key: each for key, each in earlier.items() if any(each == side.get(key) for side in sides)}


def _kept(
    earlier: Mapping[str, tuple[_Item, ...]], *sides: Mapping[str, tuple[_Item, ...]]
) -> Mapping[str, tuple[_Item, ...]]:
    """Of what was earlier that which one of the others has still."""
    kept = {
        key: tuple(one for one in each if any(one in side.get(key, ()) for side in sides))
        for key, each in earlier.items()
    }
    return {key: each for key, each in kept.items() if each}


def _unbroken(mesh: Mesh) -> Mesh:
    return mesh


def _policy_ignored(mesh: Mesh) -> Mesh:
    return _l7_unenforced(_l4_unenforced(mesh))


def _l4_unenforced(mesh: Mesh) -> Mesh:
    kept = {key: each for key, each in mesh.l4_policies.items() if _from_peer_authentication(each)}
    workloads = {
        uid: replace(each, policies=tuple(key for key in each.policies if key in kept))
        for uid, each in mesh.workloads.items()
    }
    return replace(mesh, l4_policies=kept, workloads=workloads)


def _from_peer_authentication(policy: L4Policy) -> bool:
    return "_" in policy.name  # no object's name may hold one


def _policy_on_wrong_workload(mesh: Mesh) -> Mesh:
    moved: dict[str, set[str]] = {uid: set() for uid in mesh.workloads}
    selective = {key: each for key, each in mesh.l4_policies.items() if each.scope == "WorkloadSelector"}
    for key, policy in selective.items():
        named = [each for each in mesh.workloads.values() if key in each.policies]
        for each in named if _from_peer_authentication(policy) else _others(mesh, policy, named):
            moved[each.uid].add(key)
    workloads = {uid: replace(each, policies=tuple(sorted(moved[uid]))) for uid, each in mesh.workloads.items()}
    services: dict[str, tuple[L7Policy, ...]] = {}
    for key, policies in mesh.service_policies.items():
        wrong = _other_service(mesh, key)
        services[wrong] = services.get(wrong, ()) + policies
    return replace(mesh, workloads=workloads, service_policies=services)


def _others(mesh: Mesh, policy: L4Policy, named: list[Workload]) -> list[Workload]:
    """The pods of the policy's namespace that it does not name."""
    return [
        each
        for each in mesh.workloads.values()
        if each.namespace == policy.namespace and not each.is_waypoint and each not in named
    ]


def _other_service(mesh: Mesh, key: str) -> str:
    namespace = key.split("/", 1)[0]
    others = [other for other, each in mesh.services.items() if each.namespace == namespace and other != key]
    return min(others, default="")


def _everything_denied(mesh: Mesh) -> Mesh:
    any_identity = L4Clause((L4Match(principals=(StringMatch("presence"),)),))
    policy = L4Policy(str(Fault.EVERYTHING_DENIED), ROOT_NAMESPACE, "Global", "DENY", (L4Rule((any_identity,)),))
    return replace(mesh, l4_policies={**mesh.l4_policies, policy.key: policy})


def _l7_unenforced(mesh: Mesh) -> Mesh:
    waypoints = {key: replace(each, policies=()) for key, each in mesh.waypoints.items()}
    return replace(mesh, waypoints=waypoints, service_policies={})


def _waypoint_bypassed(mesh: Mesh) -> Mesh:
    return replace(
        mesh,
        services={key: replace(each, waypoint=None) for key, each in mesh.services.items()},
        workloads={uid: replace(each, waypoint=None) for uid, each in mesh.workloads.items()},
    )


def _split_62_38(mesh: Mesh) -> Mesh:
    return _weighted(mesh, lambda position: (62, 38)[position] if position < 2 else 0)


def _split_frozen(mesh: Mesh) -> Mesh:
    return _weighted(mesh, lambda position: 0 if position else 1)


def _weighted(mesh: Mesh, weight: Callable[[int], int]) -> Mesh:
    def changed(rule: RouteRule) -> RouteRule:
        if len(rule.backends) < 2:
            return rule
        backends = tuple(replace(each, weight=weight(position)) for position, each in enumerate(rule.backends))
        return replace(rule, backends=backends, direct_status=None)

    return _rerouted(mesh, lambda rules: tuple(changed(rule) for rule in rules))


def _header_route_ignored(mesh: Mesh) -> Mesh:
    def plain(rules: tuple[RouteRule, ...]) -> tuple[RouteRule, ...]:
        kept = [
            replace(rule, matches=tuple(each for each in rule.matches if not _asks_more_than_path(each)))
            for rule in rules
        ]
        return tuple(rule for rule in kept if rule.matches)

    return _rerouted(mesh, plain)


def _asks_more_than_path(match: RouteMatch) -> bool:
    return bool(match.headers or match.queries or match.method)


def _waypoints_always_admitted(mesh: Mesh) -> Mesh:
    identities = tuple(each.identity for each in mesh.waypoints.values())
    rule = L4Rule((L4Clause((L4Match(service_accounts=identities),)),))
    admitting = {
        key: replace(each, rules=(*each.rules, rule)) if each.action == "ALLOW" and identities else each
        for key, each in mesh.l4_policies.items()
    }
    return replace(mesh, l4_policies=admitting)


def _rerouted(mesh: Mesh, change: Callable[[tuple[RouteRule, ...]], tuple[RouteRule, ...]]) -> Mesh:
    routes = {
        key: tuple(replace(route, rules=change(route.rules)) for route in each) for key, each in mesh.routes.items()
    }
    return replace(mesh, routes=routes)


BREAKS: Mapping[Fault, Callable[[Mesh], Mesh]] = {
    Fault.POLICY_IGNORED: _policy_ignored,
    Fault.POLICY_ON_WRONG_WORKLOAD: _policy_on_wrong_workload,
    Fault.EVERYTHING_DENIED: _everything_denied,
    Fault.L7_POLICY_UNENFORCED: _l7_unenforced,
    Fault.WAYPOINT_BYPASSED: _waypoint_bypassed,
    Fault.LOST_WAYPOINT_FAILS_OPEN: past_lost_waypoints,
    Fault.FORGETS_WITHOUT_ISTIOD: lambda mesh: _policy_ignored(mesh) if istiod_away(mesh) else mesh,
    Fault.FORGETS_AT_RESTART: lambda mesh: _l4_unenforced(mesh) if ztunnel_restarted(mesh) else mesh,
    Fault.INGRESS_PAST_WAYPOINT: ingress_past_waypoint,
    Fault.SPLIT_62_38: _split_62_38,
    Fault.SPLIT_FROZEN: _split_frozen,
    Fault.HEADER_ROUTE_IGNORED: _header_route_ignored,
    Fault.WAYPOINTS_ALWAYS_ADMITTED: _waypoints_always_admitted,
    **ROUTE_FAULTS,
}
"""What each fault makes of the mesh."""
