"""The fault application-makes-403: which requests an application refuses in the place of its waypoint.

It can't know who calls, so it goes by the policies' methods alone; a policy without methods makes it refuse everybody.
"""

from collections.abc import Iterator

from ..api.store import Store, find
from ..objects import Object, labels_of, name_of, namespace_of

_POLICY, _SERVICE = find("AuthorizationPolicy", "security.istio.io"), find("Service")


def refused(store: Store, pod: Object, method: str) -> bool:
    """Whether the pod's application refuses requests with that method, by the policies that target its Services."""
    namespace, labels = namespace_of(pod), labels_of(pod).items()
    mine = {
        name_of(each)
        for each in store.list(_SERVICE, namespace)
        if each["spec"].get("selector") and each["spec"]["selector"].items() <= labels
    }
    return any(_refuses(each, method) for each in store.list(_POLICY, namespace) if mine & set(_targets(each)))


def _targets(policy: Object) -> Iterator[str]:
    spec = policy.get("spec") or {}
    for each in [*(spec.get("targetRefs") or ()), *([spec["targetRef"]] if spec.get("targetRef") else ())]:
        if each.get("kind") == "Service":
            yield str(each.get("name", ""))


def _refuses(policy: Object, method: str) -> bool:
    spec = policy.get("spec") or {}
    named = {each for rule in spec.get("rules") or () for each in _methods(rule)}
    denies = spec.get("action") == "DENY"
    return not named or (method in named) is denies


def _methods(rule: Object) -> Iterator[str]:
    for each in rule.get("to") or ():
        yield from (each.get("operation") or {}).get("methods") or ()
