"""The faults of the embedded mesh that are misreadings: istiod takes its objects to say what they do not say.

Proxies get what was misread. Statuses are made from the objects as they are: a broken mesh that reports itself healthy.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from ..faults import Fault
from ..objects import Object, labels_of, namespace_of
from ..versions import VERSION, version_of
from .authorization import target_refs
from .misread_waypoints import WAYPOINT_MISREADINGS, Bound
from .model import ROOT_NAMESPACE, TRUST_DOMAIN
from .snapshot import OPEN
from .view import View, spec_of

Misreading = Callable[[View], View]
_PRINCIPAL = re.compile(r"[^/]+/ns/([^/]+)/sa/([^/]+)")
_PRINCIPALS = {"principals": "serviceAccounts", "notPrincipals": "notServiceAccounts"}
_ANY_ACCOUNT = f"{TRUST_DOMAIN}/ns/{{0}}/*"
_ANY_NAMESPACE = "*/sa/{1}"


class Misreader:
    """Reads a view under faults; what is no misreading changes nothing here."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        found = [_MISREADINGS[each] for each in sorted(faults) if each in _MISREADINGS]
        self._misreadings: list[Misreading] = [*found, *([Bound()] if Fault.WAYPOINT_NEVER_RELEASED in faults else [])]

    def __call__(self, view: View) -> View:
        """What istiod takes these objects for."""
        for each in self._misreadings:
            view = each(view)
        return view


def _policies(change: Callable[[View, Object], Iterable[Object]]) -> Misreading:
    return lambda view: replace(view, policies=[new for each in view.policies for new in change(view, each)])


def _parts(change: Callable[[Object], Object]) -> Misreading:
    """Changes the sources, operations and conditions of all policies."""
    return _sided(lambda _, __, part: change(part))


def _sided(change: Callable[[View, str, Object], Object]) -> Misreading:
    """Likewise, knowing the view and the policy's namespace."""

    def changed(view: View, policy: Object) -> Iterable[Object]:
        part = partial(change, view, namespace_of(policy))
        yield _with(policy, rules=[_rule(part, each or {}) for each in spec_of(policy).get("rules") or ()])

    return _policies(lambda view, each: changed(view, each) if spec_of(each).get("rules") else (each,))


def _rule(change: Callable[[Object], Object], rule: Object) -> Object:
    found = dict(rule)
    for part, inner in (("from", "source"), ("to", "operation")):
        if rule.get(part):
            found[part] = [{inner: change(each.get(inner) or {})} for each in rule[part]]
    return found | ({"when": [change(each) for each in rule["when"]]} if rule.get("when") else {})


def _with(item: Object, **fields: object) -> Object:
    return {**item, "spec": {**spec_of(item), **fields}}


def _less(item: Object, *fields: str) -> Object:
    return {field: value for field, value in item.items() if field not in fields}


def _without(*fields: str, keys: tuple[str, ...] = ()) -> Misreading:
    """Fields, and conditions of these keys, ask for nothing."""
    forms = [*fields, *(f"not{each[:1].upper()}{each[1:]}" for each in fields)]
    values = ("values", "notValues")
    return _parts(lambda part: _less(part, *forms, *(values if part.get("key") in keys else ())))


def _not_forms_ignored(part: Object) -> Object:
    return {field: value for field, value in part.items() if not field.startswith("not")}


def _wildcards_taken_literally(part: Object) -> Object:
    return {
        name: [_literal(each) for each in value] if isinstance(value, list) else value for name, value in part.items()
    }


def _literal(value: str) -> str:
    start, end = ("%2A" if value.startswith("*") else ""), ("%2A" if value[1:].endswith("*") else "")
    return start + value.removeprefix("*").removesuffix("*") + end


def _longer_paths(part: Object) -> Object:
    longer = {
        field: [each if "*" in each else f"{each}*" for each in part[field]]
        for field in ("paths", "notPaths")
        if part.get(field)
    }
    return part | longer


def _ports_of_the_service(view: View, namespace: str, part: Object) -> Object:
    targets: dict[str, set[str]] = {}
    for service in view.services:
        for each in spec_of(service).get("ports") or () if namespace_of(service) == namespace else ():
            targets.setdefault(str(each["port"]), set()).add(str(each.get("targetPort") or each["port"]))
    meant = {
        field: sorted({target for each in part[field] for target in targets.get(each, {each}) if target.isdigit()})
        for field in ("ports", "notPorts")
        if part.get(field)
    }
    return part | meant


def _known_by(form: str) -> Misreading:
    """Accounts are known by a part of their principal."""

    def known(_: View, namespace: str, part: Object) -> Object:
        found = dict(part)
        for field, accounts in _PRINCIPALS.items():
            pairs = [each.split("/", 1) if "/" in each else [namespace, each] for each in part.get(accounts) or ()]
            named = [*map(shortened, part.get(field) or ()), *(form.format(*each) for each in pairs)]
            found = _less(found, accounts) | ({field: named} if named else {})
        if part.get("key") == "source.principal":
            found |= {field: [*map(shortened, part[field])] for field in ("values", "notValues") if part.get(field)}
        return found

    def shortened(principal: str) -> str:
        parts = _PRINCIPAL.fullmatch(principal)
        return form.format(*parts.groups()) if parts and "*" not in principal else principal

    return _sided(known)


def _when_ignored(_: View, policy: Object) -> Iterable[Object]:
    rules = spec_of(policy).get("rules")
    yield _with(policy, rules=[_less(each or {}, "when") for each in rules]) if rules else policy


def _one_condition_is_enough(_: View, policy: Object) -> Iterable[Object]:
    rules: list[Object] = spec_of(policy).get("rules") or []
    split = [{part: value} for rule in rules for part, value in (rule or {}).items() if value]
    yield _with(policy, rules=split) if split else policy


def _allow_beats_deny(view: View, policy: Object) -> Iterable[Object]:
    allowing = {namespace_of(each) for each in view.policies if spec_of(each).get("action", "ALLOW") == "ALLOW"}
    return () if spec_of(policy).get("action") == "DENY" and namespace_of(policy) in allowing else (policy,)


def _empty_rules_mixed_up(_: View, policy: Object) -> Iterable[Object]:
    allows, rules = spec_of(policy).get("action", "ALLOW") == "ALLOW", spec_of(policy).get("rules")
    mixed = [{}] if not rules else [] if rules == [{}] else rules
    yield _with(policy, rules=mixed) if allows else policy


def _audit_and_custom_deny(_: View, policy: Object) -> Iterable[Object]:
    yield _with(policy, action="DENY") if spec_of(policy).get("action") in ("AUDIT", "CUSTOM") else policy


def _policies_hold_everywhere(view: View) -> View:
    peers = [{**each, "spec": _less(spec_of(each), "selector")} for each in view.peers]
    return replace(view, policies=[_wide(each) for each in view.policies], peers=peers)


def _wide(policy: Object) -> Object:
    if target_refs(policy):
        return policy
    spec = _less(spec_of(policy), "selector")
    return {**policy, "metadata": {**policy["metadata"], "namespace": ROOT_NAMESPACE}, "spec": spec}


def _root_namespace_ignored(view: View) -> View:
    policies = [each for each in view.policies if namespace_of(each) != ROOT_NAMESPACE]
    return replace(view, policies=policies, peers=[each for each in view.peers if namespace_of(each) != ROOT_NAMESPACE])


def _targets_and_selectors_alike(view: View, policy: Object) -> Iterable[Object]:
    yield policy
    chosen = (spec_of(policy).get("selector") or {}).get("matchLabels")
    plain = {**policy, "spec": _less(spec_of(policy), "selector", "targetRefs", "targetRef")}
    for service in view.services if namespace_of(policy) != ROOT_NAMESPACE else ():
        name, selector = service["metadata"]["name"], spec_of(service).get("selector")
        if namespace_of(service) != namespace_of(policy) or not selector:
            continue
        if chosen is not None and chosen.items() <= selector.items():
            yield _with(plain, targetRefs=[{"group": "", "kind": "Service", "name": name}])
        if any(each.get("kind") == "Service" and each.get("name") == name for each in target_refs(policy)):
            yield _with(plain, selector={"matchLabels": selector})


def _gateway_targets_ignored(_: View, policy: Object) -> Iterable[Object]:
    kept = [each for each in target_refs(policy) if each.get("kind") == "Service"]
    if kept or not target_refs(policy):
        yield _with({**policy, "spec": _less(spec_of(policy), "targetRef")}, targetRefs=kept)


def _peers(change: Callable[[Object], Object]) -> Misreading:
    return lambda view: replace(view, peers=[{**each, "spec": change(spec_of(each))} for each in view.peers])


def _lenient(spec: Object) -> Object:
    levels = {port: _permissive(each) for port, each in (spec.get("portLevelMtls") or {}).items()}
    return spec | {"mtls": _permissive(spec.get("mtls"))} | ({"portLevelMtls": levels} if levels else {})


def _permissive(mtls: Object | None) -> Object:
    return {"mode": "PERMISSIVE"} if (mtls or {}).get("mode") == "STRICT" else mtls or {}


def _strict_unasked(view: View) -> View:
    meta = {"name": str(Fault.STRICT_UNASKED), "namespace": ROOT_NAMESPACE}
    return replace(view, peers=[*view.peers, {"metadata": meta, "spec": {"mtls": {"mode": "STRICT"}}}])


def _disable_means_plaintext(view: View) -> View:
    disabled = [each for each in view.peers if (spec_of(each).get("mtls") or {}).get("mode") == "DISABLE"]
    places = {namespace_of(each) for each in disabled}
    return replace(view, pods=[_opened(each) if namespace_of(each) in places else each for each in view.pods])


def _opened(pod: Object) -> Object:
    notes = pod["metadata"].get("annotations") or {}
    return {**pod, "metadata": {**pod["metadata"], "annotations": notes | {OPEN: "true"}}}


def _forgotten_by_another_version(view: View) -> View:
    """An istiod whose image is of another version reads no policy."""
    pods = (each for each in view.pods if labels_of(each).get("app") == "istiod")
    images = [str(one.get("image", "")) for each in pods for one in spec_of(each).get("containers") or ()]
    return replace(view, policies=()) if any(version_of(each) != VERSION for each in images) else view


_MISREADINGS: Mapping[Fault, Misreading] = {
    Fault.FORGETS_IN_ANOTHER_VERSION: _forgotten_by_another_version,
    Fault.NOT_FORMS_IGNORED: _parts(_not_forms_ignored),
    Fault.PORTS_OF_THE_SERVICE: _sided(_ports_of_the_service),
    Fault.IP_BLOCKS_IGNORED: _without("ipBlocks", keys=("source.ip", "destination.ip")),
    Fault.WHEN_IGNORED: _policies(_when_ignored),
    Fault.SOURCE_NAMESPACES_IGNORED: _without("namespaces", keys=("source.namespace",)),
    Fault.WILDCARDS_TAKEN_LITERALLY: _parts(_wildcards_taken_literally),
    Fault.ONE_CONDITION_IS_ENOUGH: _policies(_one_condition_is_enough),
    Fault.IDENTITY_BY_ACCOUNT_ONLY: _known_by(_ANY_NAMESPACE),
    Fault.IDENTITY_BY_NAMESPACE_ONLY: _known_by(_ANY_ACCOUNT),
    Fault.ALLOW_BEATS_DENY: _policies(_allow_beats_deny),
    Fault.EMPTY_RULES_MIXED_UP: _policies(_empty_rules_mixed_up),
    Fault.AUDIT_AND_CUSTOM_DENY: _policies(_audit_and_custom_deny),
    Fault.POLICIES_HOLD_EVERYWHERE: _policies_hold_everywhere,
    Fault.ROOT_NAMESPACE_IGNORED: _root_namespace_ignored,
    Fault.TARGETS_AND_SELECTORS_ALIKE: _policies(_targets_and_selectors_alike),
    Fault.GATEWAY_TARGETS_IGNORED: _policies(_gateway_targets_ignored),
    Fault.PATHS_MATCH_LOOSELY: _parts(_longer_paths),
    Fault.STRICT_NOT_ENFORCED: _peers(_lenient),
    Fault.STRICT_UNASKED: _strict_unasked,
    Fault.PORT_LEVEL_MTLS_IGNORED: _peers(lambda spec: _less(spec, "portLevelMtls")),
    Fault.DISABLE_MEANS_PLAINTEXT: _disable_means_plaintext,
    **WAYPOINT_MISREADINGS,
}
