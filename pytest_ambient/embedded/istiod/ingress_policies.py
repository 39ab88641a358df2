"""Which AuthorizationPolicies, RequestAuthentications and Telemetries hold at an ingress gateway's own proxy.

Other than a waypoint it also heeds those without a target, of the root namespace and its own, that select its pods.
"""

from collections.abc import Iterator, Mapping, Sequence

from ..objects import Object, labels_of, name_of, namespace_of
from .authorization import target_refs
from .model import ROOT_NAMESPACE, L7Policy, TokenRule
from .telemetry import logged, wide
from .tokens import rules_of
from .view import GATEWAY_API, GATEWAY_NAME, MANAGED, MANAGED_BY_GATEWAY, View, age_of, spec_of
from .waypoint_policies import waypoint_policy


def policies_at(view: View, gateway: Object) -> tuple[L7Policy, ...]:
    """The policies that the gateway enforces, the oldest first."""
    found = (waypoint_policy(each) for each in _held(view, gateway, view.policies))
    return tuple(each for each in found if each is not None)


def tokens_at(view: View, gateway: Object) -> tuple[TokenRule, ...]:
    """Whose tokens it verifies, by the oldest first."""
    return tuple(rule for each in _held(view, gateway, view.authentications) for rule in rules_of(each))


def logged_at(view: View, gateway: Object) -> str | None:
    """Of which requests its access log tells; it is on the side of callers."""
    said = (entry for each in _telemetries(view, gateway) for entry in spec_of(each).get("accessLogging") or ())
    return logged(view, said, "CLIENT")


def _telemetries(view: View, gateway: Object) -> Iterator[Object]:
    """From the widest to the narrowest; those that target or select something are asked in its own namespace alone."""
    ordered, own = sorted(view.telemetries, key=age_of), namespace_of(gateway)
    for namespace in dict.fromkeys((ROOT_NAMESPACE, own)):
        yield from [each for each in ordered if namespace_of(each) == namespace and wide(each)][:1]
    aimed = [each for each in ordered if namespace_of(each) == own and not wide(each)]
    yield from _held(view, gateway, aimed)


def _held(view: View, gateway: Object, items: Sequence[Object]) -> Iterator[Object]:
    labels = _labels(view, gateway)
    for each in sorted(items, key=age_of):
        if _holds(each, gateway, labels):
            yield each


def _holds(item: Object, gateway: Object, labels: Mapping[str, str]) -> bool:
    if refs := target_refs(item):
        named = {"group": GATEWAY_API, "kind": "Gateway", "name": name_of(gateway)}
        own = namespace_of(item) == namespace_of(gateway)
        return own and any(named.items() <= each.items() for each in refs)
    wanted: Mapping[str, str] = (spec_of(item).get("selector") or {}).get("matchLabels") or {}
    return namespace_of(item) in (namespace_of(gateway), ROOT_NAMESPACE) and wanted.items() <= labels.items()


def _labels(view: View, gateway: Object) -> Mapping[str, str]:
    """Those of its pods, which are all alike."""
    own = {MANAGED: MANAGED_BY_GATEWAY, GATEWAY_NAME: name_of(gateway)}
    pods = (each for each in view.pods if namespace_of(each) == namespace_of(gateway))
    return next((labels_of(each) for each in pods if own.items() <= labels_of(each).items()), own)
