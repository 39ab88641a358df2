"""Which namespaces istiod looks at: where it is told to look at some alone, a run's own must be among them."""

from collections.abc import Mapping, Sequence

from pytest_ambient._kube import Object
from pytest_ambient.errors import BrokenEnvironment
from pytest_ambient.manifest import REVISION

NAME = "kubernetes.io/metadata.name"
"""The label that Kubernetes itself gives every namespace."""
INJECTION = "istio-injection"
"""The label of a namespace whose pods get sidecars, unless it says `disabled`; `istio.io/rev` is the other."""


def needed(selectors: Sequence[Object], labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that a namespace with these lacks to be looked at; BrokenEnvironment where none would do.

    None that gives its pods sidecars: ambient mode would leave them alone.
    """
    if not selectors or any(selected(one, labels) for one in selectors):
        return {}
    for one in selectors:
        more = {**(one.get("matchLabels") or {}), **_asked(one)}
        added = {key: str(value) for key, value in more.items() if key != NAME}
        if selected(one, {**labels, **added}) and not _injects(added):
            return added
    raise BrokenEnvironment(
        f"istiod does not look at namespace {labels.get(NAME, '')}, nor would it by labels: the mesh configuration's "
        "discoverySelectors leave it out or take it for one whose pods get sidecars"
    )


def _injects(labels: Mapping[str, str]) -> bool:
    return labels.get(INJECTION, "disabled") != "disabled" or REVISION in labels


def selected(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector of Kubernetes takes an object with these labels."""
    plain = all(labels.get(key) == str(value) for key, value in (selector.get("matchLabels") or {}).items())
    return plain and all(_fits(one, labels) for one in selector.get("matchExpressions") or ())


def _fits(expression: Object, labels: Mapping[str, str]) -> bool:
    there, values = labels.get(str(expression.get("key"))), [str(one) for one in expression.get("values") or ()]
    found = {"In": there in values, "NotIn": there not in values, "Exists": there is not None}
    return found.get(str(expression.get("operator")), there is None)


def _asked(selector: Object) -> dict[str, str]:
    """Labels that expressions ask for: any value where they name none, else their first."""
    found = {}
    for one in selector.get("matchExpressions") or ():
        if one.get("operator") in ("In", "Exists"):
            values = [str(value) for value in one.get("values") or ["true"]]
            found[str(one.get("key"))] = "disabled" if "disabled" in values else values[0]
    return found
