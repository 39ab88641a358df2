"""What Istio's validation refuses in AuthorizationPolicies and PeerAuthentications, in its words."""

import re
from collections.abc import Iterator, Sequence

from ..objects import Object
from .authorization import target_refs
from .policy_values import ACCOUNTS, ADDRESSES, PORTS, account, address, checked, checked_field, nonempty, port
from .view import spec_of

HTTP_ONLY_DENY = (
    "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP "
    "attributes in a DENY rule; it is recommended to explicitly specify the port"
)
"""The warning that comes with such a policy."""

_MEANINGLESS = (
    "{} action without `rules` is meaningless as it will never be triggered, "
    "add an empty rule `{{}}` if you want it be triggered for every request"
)
_NAMES = ("principals", "notPrincipals", "namespaces", "notNamespaces")
_WHO = (
    "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts", "trustDomains", "notTrustDomains",
    "principals", "notPrincipals", "requestPrincipals", "notRequestPrincipals",
)  # fmt: skip
_WHO_KEYS = ("source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal")
_TARGETS = (
    ("", "Service"),
    ("core", "Service"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
)
_PLAIN_KEYS = (
    "source.namespace", "source.principal", "request.auth.principal", "request.auth.audiences",
    "request.auth.presenter", "connection.sni",
)  # fmt: skip
_MAPPED_KEYS = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_MAPPED = re.compile(r"[^\[]+\[.+\]$")


def authorization_mistakes(policy: Object) -> Iterator[str]:
    """What is wrong with an AuthorizationPolicy; nothing when it is right."""
    spec = spec_of(policy)
    yield from target_mistakes(policy)
    yield from selector_mistakes(spec)
    action = spec.get("action") or "ALLOW"
    if action in ("DENY", "CUSTOM") and spec.get("rules") is None:
        yield _MEANINGLESS.format(action)
    if action == "CUSTOM":
        yield from _custom_mistakes(spec)
    if spec.get("provider") and action != "CUSTOM":
        yield f"`provider` must not be with non CUSTOM action, found {action}"
    for position, rule in enumerate(spec.get("rules") or ()):
        yield from (f"{each}, found at rule {position}" for each in _rule_mistakes(rule or {}))
        yield from _value_mistakes(rule or {})


def _custom_mistakes(spec: Object) -> Iterator[str]:
    """An authorizer can't be left what depends on who calls: that is not known yet when it is asked."""
    if spec.get("rules") is not None and not (spec.get("provider") or {}).get("name"):
        yield "`provider.name` must not be empty"
    for rule in filter(None, spec.get("rules") or ()):
        sources = [each.get("source") or {} for each in rule.get("from") or () if each]
        said = [f"From.{field[0].upper()}{field[1:]}" for each in sources for field in _WHO if each.get(field)]
        keys = [str(each.get("key", "")) for each in rule.get("when") or ()]
        said += [key for key in keys if key in _WHO_KEYS or key.startswith("request.auth.")]
        yield from (f"{each} is currently not supported with CUSTOM action" for each in said)


def peer_mistakes(peer: Object) -> Iterator[str]:
    """What is wrong with a PeerAuthentication; nothing when it is right."""
    spec = spec_of(peer)
    levels: Object | None = spec.get("portLevelMtls")
    if levels and not (spec.get("selector") or {}).get("matchLabels"):
        yield "mesh/namespace peer authentication cannot have port level mTLS"
    if levels == {}:
        yield "port level mTLS, if defined, must have at least one element"
    if not all(str(each).isdigit() and 0 < int(each) < 65536 for each in levels or ()):
        yield "port must be in range 1..65535"
    yield from selector_mistakes(spec)


def authorization_warnings(policy: Object) -> list[str]:
    """What a writer of the policy should be told although it is accepted."""
    rules: list[Object] = spec_of(policy).get("rules") or []
    denies = spec_of(policy).get("action") == "DENY"
    return [HTTP_ONLY_DENY] if denies and any(_only_http(each or {}) for each in rules) else []


def _only_http(rule: Object) -> bool:
    sources = [each.get("source") or {} for each in rule.get("from") or ()]
    operations = [each.get("operation") or {} for each in rule.get("to") or ()]
    l4_source = any(field in each for each in sources for field in (*_NAMES, *ADDRESSES, *ACCOUNTS))
    l4_operation = any(field in each for each in operations for field in PORTS)
    return bool(operations and not l4_operation) or bool(sources and not operations and not l4_source)


def target_mistakes(policy: Object) -> Iterator[str]:
    """What is wrong with what a policy aims at."""
    spec = spec_of(policy)
    given = [spec.get("selector") is not None, spec.get("targetRef") is not None, bool(spec.get("targetRefs"))]
    if sum(given) > 1:
        yield "only one of targetRefs or workloadSelector can be set"
    for ref in target_refs(policy):
        if not ref.get("name"):
            yield "targetRef name must be set"
        if ref.get("namespace"):
            yield "targetRef namespace must not be set; cross namespace referencing is not supported"
        if (ref.get("group", ""), ref.get("kind")) not in _TARGETS:
            listed = ", ".join(f"{group or 'core'}/{kind}" for group, kind in _TARGETS[1:])
            yield f"targetRef must be to one of [{listed}] but was {ref.get('group', '')}/{ref.get('kind', '')}"


def selector_mistakes(spec: Object) -> Iterator[str]:
    """What is wrong with the selector of a spec."""
    for key, value in ((spec.get("selector") or {}).get("matchLabels") or {}).items():
        if not key:
            yield f'empty key is not supported in selector: "{key}={value}"'
        if "*" in key or "*" in str(value):
            yield f'wildcard is not supported in selector: "{key}={value}"'


def _rule_mistakes(rule: Object) -> Iterator[str]:
    for part, inner in (("from", "source"), ("to", "operation")):
        if rule.get(part) == []:
            yield f"`{part}` must not be empty"
        for each in rule.get(part) or ():
            if not isinstance(each, dict) or each.get(inner) is None:
                yield f"`{part}.{inner}` must not be nil"
            elif not any(each[inner].values()):
                yield f"`{part}.{inner}` must not be empty"
            elif any(map(each[inner].get, ACCOUNTS)) and any(map(each[inner].get, _NAMES)):
                yield "cannot set serviceAccounts with namespaces or principals"


def _value_mistakes(rule: Object) -> Iterator[str]:
    parts = [each.get("source") or {} for each in rule.get("from") or () if each]
    parts += [each.get("operation") or {} for each in rule.get("to") or () if each]
    for field, values in (pair for part in parts for pair in part.items()):
        yield from checked_field(field, values or [])
    for when in rule.get("when") or ():
        yield from _condition_mistakes(when)


def _condition_mistakes(when: Object) -> Iterator[str]:
    key = str(when.get("key", ""))
    if not key:
        yield "`key` must not be empty"
        return
    if not when.get("values") and not when.get("notValues"):
        yield f"at least one of `values` or `notValues` must be set for key {key}"
    for word, values in (("value", when.get("values") or ()), ("notValue", when.get("notValues") or ())):
        yield from (f"invalid `{word}` for `key` {key}: {each}" for each in _attribute_mistakes(key, values))


def _attribute_mistakes(key: str, values: Sequence[str]) -> Iterator[str]:
    if key.startswith(_MAPPED_KEYS):
        if not _MAPPED.fullmatch(key):
            yield f"bad key ({key}): should have format a[b]"
        yield from checked(key, values, nonempty)
    elif key in ("source.ip", "remote.ip", "destination.ip"):
        yield from checked(key, values, address)
    elif key == "destination.port":
        yield from checked(key, values, port)
    elif key == "source.serviceAccount":
        yield from checked(key, values, account)
    elif key in _PLAIN_KEYS:
        yield from checked(key, values, nonempty)
    else:
        yield f"unknown attribute: {key}"
