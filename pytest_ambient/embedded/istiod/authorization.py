"""AuthorizationPolicies without a target, as ztunnel gets them, and what ztunnel makes of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..objects import Object, annotations_of, name_of, namespace_of
from .model import ROOT_NAMESPACE, Action, Identity, L4Clause, L4Match, L4Policy, L4Rule, StringMatch
from .view import spec_of

_DRY_RUN = "istio.io/dry-run"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")

_HTTP_OPERATION = ("hosts", "notHosts", "methods", "notMethods", "paths", "notPaths")
_HTTP_SOURCE = ("remoteIpBlocks", "notRemoteIpBlocks", "requestPrincipals", "notRequestPrincipals")
_L4_CONDITIONS = ("source.ip", "source.namespace", "source.principal", "destination.ip", "destination.port")

_HTTP_FOUND = (
    "ztunnel does not support HTTP attributes (found: {found}). "
    "In ambient mode you must use a waypoint proxy to enforce HTTP rules. {consequence}"
)
_CONSEQUENCE: dict[Action, str] = {
    "ALLOW": "Within an ALLOW policy, rules matching HTTP attributes are omitted. "
    "This will be more restrictive than requested.",
    "DENY": "DENY policy with HTTP attributes is enforced without the HTTP rules. "
    "This will be more restrictive than requested.",
}


@dataclass(frozen=True)
class Converted:
    """What became of one AuthorizationPolicy; without a policy nothing is enforced."""

    policy: L4Policy | None
    reason: str = "Accepted"
    message: str = "attached to ztunnel"


def target_refs(policy: Object) -> list[Object]:
    """The objects at whose waypoint the policy holds; `targetRef` is the old singular form."""
    spec = spec_of(policy)
    refs: list[Object] = spec.get("targetRefs") or []
    return refs or ([spec["targetRef"]] if spec.get("targetRef") else [])


def is_dry_run(policy: Object) -> bool:
    """Whether the policy is only to judge."""
    return annotations_of(policy).get(_DRY_RUN) in _TRUE


def convert(policy: Object) -> Converted:
    """The policy as ztunnel gets it; HTTP attributes drop an ALLOW rule whole and are stripped from a DENY rule.

    A policy with a target is never ztunnel's.
    """
    if is_dry_run(policy):
        why = "using dry-run annotation, but support for ambient dry-run authorizationPolicies isn't enabled"
        named = f"{namespace_of(policy)}/{name_of(policy)}"
        return Converted(None, "UnsupportedValue", f'found policy "{named}" {why}')
    if target_refs(policy):
        return Converted(None)
    action = enforced_action(policy)
    if action is None:
        return Converted(None, "UnsupportedValue", f"ztunnel does not support the {spec_of(policy)['action']} action")
    rules, found = [], set()
    for each in spec_of(policy).get("rules") or ():
        http = _http_attributes(each)
        found |= http
        if not http or action == "DENY":
            rules.append(_rule(each, namespace_of(policy)))
    converted = L4Policy(name_of(policy), namespace_of(policy), _scope(policy), action, tuple(rules))
    if not found:
        return Converted(converted)
    message = _HTTP_FOUND.format(found=", ".join(sorted(found)), consequence=_CONSEQUENCE[action])
    return Converted(converted, "UnsupportedValue", message)


def enforced_action(policy: Object) -> Action | None:
    """What the policy does; None for CUSTOM and AUDIT, which refuse nobody here."""
    match spec_of(policy).get("action") or "ALLOW":
        case "ALLOW":
            return "ALLOW"
        case "DENY":
            return "DENY"
    return None


def string_match(value: str) -> StringMatch:
    """A policy's string with Istio's `*` forms."""
    if value == "*":
        return StringMatch("presence")
    if value.startswith("*"):
        return StringMatch("suffix", value[1:])
    return StringMatch("prefix", value[:-1]) if value.endswith("*") else StringMatch("exact", value)


def _scope(policy: Object) -> Literal["Global", "Namespace", "WorkloadSelector"]:
    if spec_of(policy).get("selector") is not None:
        return "WorkloadSelector"
    return "Global" if namespace_of(policy) == ROOT_NAMESPACE else "Namespace"


def _operations(rule: Object) -> list[Object]:
    return [each.get("operation") or {} for each in rule.get("to") or ()]


def _sources(rule: Object) -> list[Object]:
    return [each.get("source") or {} for each in rule.get("from") or ()]


def _http_attributes(rule: Object) -> set[str]:
    found = {field for each in _operations(rule) for field in _HTTP_OPERATION if each.get(field)}
    found |= {field for each in _sources(rule) for field in _HTTP_SOURCE if each.get(field)}
    return found | {each["key"] for each in rule.get("when") or () if each["key"] not in _L4_CONDITIONS}


def _rule(rule: Object, namespace: str) -> L4Rule:
    clauses = [tuple(_operation(each) for each in _operations(rule))]
    clauses.append(tuple(_source(each, namespace) for each in _sources(rule)))
    clauses += [(_condition(each),) for each in rule.get("when") or ()]
    return L4Rule(tuple(L4Clause(matches) for matches in clauses if matches))


def _operation(operation: Object) -> L4Match:
    return L4Match(
        destination_ports=_ports(operation.get("ports")), not_destination_ports=_ports(operation.get("notPorts"))
    )


def _source(source: Object, namespace: str) -> L4Match:
    return L4Match(
        principals=_strings(source.get("principals")),
        not_principals=_strings(source.get("notPrincipals")),
        namespaces=_strings(source.get("namespaces")),
        not_namespaces=_strings(source.get("notNamespaces")),
        service_accounts=_accounts(source.get("serviceAccounts"), namespace),
        not_service_accounts=_accounts(source.get("notServiceAccounts"), namespace),
        source_ips=tuple(source.get("ipBlocks") or ()),
        not_source_ips=tuple(source.get("notIpBlocks") or ()),
    )


def _condition(when: Object) -> L4Match:
    values, others = when.get("values"), when.get("notValues")
    match when["key"]:
        case "source.ip":
            return L4Match(source_ips=tuple(values or ()), not_source_ips=tuple(others or ()))
        case "source.namespace":
            return L4Match(namespaces=_strings(values), not_namespaces=_strings(others))
        case "source.principal":
            return L4Match(principals=_strings(values), not_principals=_strings(others))
        case "destination.ip":
            return L4Match(destination_ips=tuple(values or ()), not_destination_ips=tuple(others or ()))
        case "destination.port":
            return L4Match(destination_ports=_ports(values), not_destination_ports=_ports(others))
    return L4Match()


def _strings(values: Sequence[str] | None) -> tuple[StringMatch, ...]:
    return tuple(string_match(each) for each in values or ())


def _ports(values: Sequence[str] | None) -> tuple[int, ...]:
    return tuple(int(each) for each in values or ())


def _accounts(values: Sequence[str] | None, namespace: str) -> tuple[Identity, ...]:
    pairs = [each.split("/", 1) if "/" in each else [namespace, each] for each in values or ()]
    return tuple(Identity(where, account) for where, account in pairs)
