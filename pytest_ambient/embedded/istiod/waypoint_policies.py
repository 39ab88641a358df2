"""AuthorizationPolicies with a target: where each one holds, and the policy as the waypoint gets it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..objects import Object, name_of, namespace_of
from .authorization import enforced_action, is_dry_run, target_refs
from .binding import Gate, service_gate
from .model import ROOT_NAMESPACE, Condition, L7Policy, L7Rule, Operation, Source
from .view import MESH_CONTROLLER, View, age_of, key_of, spec_of


@dataclass(frozen=True)
class Binding:
    """What became of one `targetRef`."""

    kind: str
    key: str
    """`NAMESPACE/NAME` of the target."""
    ancestor: str
    """The target as a message about several targets names it."""
    bound: bool
    reason: str
    message: str


def bindings(view: View, known: Mapping[str, Gate], policy: Object) -> list[Binding]:
    """One binding for each target of the policy."""
    return [_binding(view, known, namespace_of(policy), each) for each in target_refs(policy)]


def _binding(view: View, known: Mapping[str, Gate], namespace: str, ref: Object) -> Binding:
    kind, key = str(ref.get("kind", "")), f"{namespace}/{ref.get('name', '')}"
    bound, reason, message = _resolve(view, known, kind, key)
    return Binding(kind, key, f"{kind}.{ref.get('group') or 'core'}:{key}", bound, reason, message)


def _resolve(view: View, known: Mapping[str, Gate], kind: str, key: str) -> tuple[bool, str, str]:
    match kind:
        case "Service" | "ServiceEntry":
            named = view.services if kind == "Service" else view.entries
            target = next((each for each in named if key_of(each) == key), None)
            return _through(view, known, target, f"{kind} {key}")
        case "Gateway":
            found = key in known or _has_address(view, key)
            return (True, "Accepted", f"bound to {key}") if found else (False, "TargetNotFound", "not bound")
        case "GatewayClass":
            return _class(view, *key.split("/", 1))
    return False, "Invalid", "not bound"


def _through(view: View, known: Mapping[str, Gate], item: Object | None, what: str) -> tuple[bool, str, str]:
    if item is None:
        return False, "TargetNotFound", f"{what} was not found"
    gate = service_gate(view, known, item)
    if not isinstance(gate, Gate):
        return False, "AncestorNotBound", f"{what} is not bound to a waypoint"
    return True, "Accepted", f"bound to {gate.ref.key}"


def _has_address(view: View, key: str) -> bool:
    """Whether any Gateway of that key has one: Istio takes an ingress gateway with an address for a waypoint here."""
    return any(key_of(each) == key and (each.get("status") or {}).get("addresses") for each in view.gateways)


def _class(view: View, namespace: str, name: str) -> tuple[bool, str, str]:
    if namespace != ROOT_NAMESPACE:
        why = f"AuthorizationPolicy must be in the root namespace `{ROOT_NAMESPACE}` when referencing a GatewayClass"
        return False, "Invalid", why
    found = view.class_by_name.get(name)
    if found is None:
        return False, "TargetNotFound", "not bound"
    if spec_of(found).get("controllerName") != MESH_CONTROLLER:
        return False, "Invalid", f"GatewayClass must use controller name `{MESH_CONTROLLER}` for waypoints"
    return True, "Accepted", f"bound to {name}"


@dataclass(frozen=True)
class Attached:
    """The policies that waypoints enforce, by what they target, the oldest first."""

    services: Mapping[str, tuple[L7Policy, ...]]
    """Hosts of ServiceEntries among them."""
    gateways: Mapping[str, tuple[L7Policy, ...]]
    """By the waypoint's key, policies on its class included."""


def attached(view: View, known: Mapping[str, Gate]) -> Attached:
    """All policies that some waypoint enforces; AUDIT enforces nothing."""
    services: dict[str, tuple[L7Policy, ...]] = {}
    gateways: dict[str, tuple[L7Policy, ...]] = {}
    for each in sorted(view.policies, key=age_of):
        policy = waypoint_policy(each)
        for binding in bindings(view, known, each) if policy else ():
            if not binding.bound:
                continue
            kept = services if binding.kind in ("Service", "ServiceEntry") else gateways
            for key in aimed_at(view, known, binding):
                kept[key] = (*kept.get(key, ()), *_added(kept.get(key, ()), policy))
    return Attached(services, gateways)


def aimed_at(view: View, known: Mapping[str, Gate], binding: Binding) -> Sequence[str]:
    """The keys of what a target stands for: a class for all its waypoints, a ServiceEntry for its hosts."""
    match binding.kind:
        case "GatewayClass":
            return tuple(known)
        case "ServiceEntry":
            return [key_of(each) for each in view.hosts_of(binding.key)]
    return (binding.key,)


def _added(present: Sequence[L7Policy], policy: L7Policy | None) -> tuple[L7Policy, ...]:
    return () if policy is None or policy in present else (policy,)


def waypoint_policy(policy: Object) -> L7Policy | None:
    """The policy as a waypoint enforces it; None for an action that refuses nobody."""
    name, namespace, dry = name_of(policy), namespace_of(policy), is_dry_run(policy)
    rules = tuple(_rule(each or {}) for each in spec_of(policy).get("rules") or ())
    if spec_of(policy).get("action") == "CUSTOM":
        provider = str((spec_of(policy).get("provider") or {}).get("name", ""))
        return L7Policy(name, namespace, "CUSTOM", rules, provider, dry_run=dry)
    action = enforced_action(policy)
    return L7Policy(name, namespace, action, rules, dry_run=dry) if action else None


def _rule(rule: Object) -> L7Rule:
    return L7Rule(
        tuple(_source(each.get("source") or {}) for each in rule.get("from") or ()),
        tuple(_operation(each.get("operation") or {}) for each in rule.get("to") or ()),
        tuple(
            Condition(each["key"], tuple(each.get("values") or ()), tuple(each.get("notValues") or ()))
            for each in rule.get("when") or ()
        ),
    )


def _source(source: Object) -> Source:
    return Source(
        principals=_texts(source, "principals"),
        not_principals=_texts(source, "notPrincipals"),
        namespaces=_texts(source, "namespaces"),
        not_namespaces=_texts(source, "notNamespaces"),
        service_accounts=_texts(source, "serviceAccounts"),
        not_service_accounts=_texts(source, "notServiceAccounts"),
        ip_blocks=_texts(source, "ipBlocks"),
        not_ip_blocks=_texts(source, "notIpBlocks"),
        remote_ip_blocks=_texts(source, "remoteIpBlocks"),
        not_remote_ip_blocks=_texts(source, "notRemoteIpBlocks"),
        request_principals=_texts(source, "requestPrincipals"),
        not_request_principals=_texts(source, "notRequestPrincipals"),
        trust_domains=_texts(source, "trustDomains"),
        not_trust_domains=_texts(source, "notTrustDomains"),
    )


def _operation(operation: Object) -> Operation:
    return Operation(
        hosts=_texts(operation, "hosts"),
        not_hosts=_texts(operation, "notHosts"),
        ports=_texts(operation, "ports"),
        not_ports=_texts(operation, "notPorts"),
        methods=_texts(operation, "methods"),
        not_methods=_texts(operation, "notMethods"),
        paths=_texts(operation, "paths"),
        not_paths=_texts(operation, "notPaths"),
    )


def _texts(part: Object, field: str) -> tuple[str, ...]:
    return tuple(part.get(field) or ())
