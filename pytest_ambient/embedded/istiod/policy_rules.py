"""What Istio's validation refuses in AuthorizationPolicies and PeerAuthentications, in its words."""

from collections.abc import Iterator

from ..objects import Object
from .authorization import target_refs
from .policy_conditions import condition_mistakes
from .policy_values import ACCOUNTS, ADDRESSES, PORTS, checked_field
from .view import spec_of

HTTP_ONLY_DENY = (
    "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP "
    "attributes in a DENY rule; it is recommended to explicitly specify the port"
)
"""The warning that comes with such a policy."""

NO_LABELS = "workload selector specified without labels"
"""The warning that comes with such a selector."""

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
    ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
)
_LISTED = (
    "core/v1/Service networking.istio.io/v1/ServiceEntry "
    "gateway.networking.k8s.io/v1/Gateway gateway.networking.k8s.io/v1/GatewayClass"
)


def authorization_mistakes(policy: Object) -> Iterator[str]:
    """What is wrong with an AuthorizationPolicy; nothing when it is right."""
    spec = spec_of(policy)
    yield from target_mistakes(policy)
    action = spec.get("action") or "ALLOW"
    if action in ("DENY", "CUSTOM") and not spec.get("rules"):
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
    if spec.get("rules") and not (spec.get("provider") or {}).get("name"):
        yield "`provider.name` must not be empty"
    for rule in filter(None, spec.get("rules") or ()):
        sources = [each.get("source") or {} for each in rule.get("from") or () if each]
        said = [f"From.{field[0].upper()}{field[1:]}" for each in sources for field in _WHO if each.get(field)]
        keys = [str(each.get("key", "")) for each in rule.get("when") or ()]
        said += [key for key in keys if key in _WHO_KEYS or key.startswith("request.auth.")]
        yield from (f"{each} is currently not supported with CUSTOM action" for each in said)


def authorization_warnings(policy: Object) -> list[str]:
    """What a writer of the policy should be told although it is accepted: once for each rule."""
    rules: list[Object] = spec_of(policy).get("rules") or []
    denies = spec_of(policy).get("action") == "DENY"
    return [*selector_warnings(policy), *(HTTP_ONLY_DENY for each in rules if denies and _only_http(each or {}))]


def selector_warnings(item: Object) -> list[str]:
    """Likewise of an object's selector."""
    selector: Object | None = spec_of(item).get("selector")
    return [NO_LABELS] if selector is not None and not selector.get("matchLabels") else []


def _only_http(rule: Object) -> bool:
    sources = [each.get("source") or {} for each in rule.get("from") or ()]
    operations = [each.get("operation") or {} for each in rule.get("to") or ()]
    l4_source = any(field in each for each in sources for field in (*_NAMES, *ADDRESSES, *ACCOUNTS))
    l4_operation = any(field in each for each in operations for field in PORTS)
    return bool(operations and not l4_operation) or bool(sources and not operations and not l4_source)


def target_mistakes(policy: Object) -> Iterator[str]:
    """What is wrong with what a policy aims at."""
    for ref in target_refs(policy):
        if (ref.get("group", ""), ref.get("kind")) not in _TARGETS:
            yield f"targetRef must be to one of [{_LISTED}] but was {ref.get('group', '')}/{ref.get('kind', '')}"


def _rule_mistakes(rule: Object) -> Iterator[str]:
    for part, inner in (("from", "source"), ("to", "operation")):
        for each in rule.get(part) or ():
            if not isinstance(each, dict) or each.get(inner) is None:
                yield f"`{part}.{inner}` must not be nil"
            elif not any(each[inner].values()):
                yield f"`{part}.{inner}` must not be empty"


def _value_mistakes(rule: Object) -> Iterator[str]:
    parts = [each.get("source") or {} for each in rule.get("from") or () if each]
    parts += [each.get("operation") or {} for each in rule.get("to") or () if each]
    for field, values in (pair for part in parts for pair in part.items()):
        yield from checked_field(field, values or [])
    for when in rule.get("when") or ():
        yield from condition_mistakes(when)
