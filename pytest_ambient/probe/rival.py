"""Somebody else who changes back what a rule has broken: an operator, a GitOps controller, a person."""

from collections.abc import Iterable, Iterator

from pytest_ambient._kube import Kube, Object
from pytest_ambient.probe.applied import Change, Path, at, owner_of


def changed_back(kube: Kube, changes: Iterable[Change]) -> str:
    """Why workloads that were there before are not as they were changed; empty when they are."""
    for change in changes:
        item, then = change.document, change.applied
        if change.created or then is None or not item.kind.startswith("apps/"):
            continue
        now = kube.get(item.kind, item.name, item.namespace)
        if now is None:
            return f"somebody deleted {item} meanwhile: nothing is known of what the rule broke"
        for path in _leaves(item.object.get("spec") or {}, ("spec",)):
            if at(now, path) != at(then, path):
                who = owner_of(now, path) or "somebody"
                return f"{who} changed {'.'.join(path)} of {item} back meanwhile: it did not stay as the rule needs it"
    return ""


def _leaves(wanted: Object, path: Path) -> Iterator[Path]:
    """The paths of all values that are no maps."""
    for key, value in wanted.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)
