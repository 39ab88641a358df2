"""What the conditions of a namespace say while it is being emptied."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ..api.store import Resource, timestamp
from ..objects import Object

_DONE = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted", "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}  # fmt: skip


def remaining(left: Mapping[Resource, Sequence[Object]], previous: Sequence[Object]) -> list[Object]:
    """The conditions of a namespace that still holds these objects; `previous` are those that it has."""
    things = sorted(f"{kind.plural}.{kind.group} has {len(found)} resource instances" for kind, found in left.items())
    holders = Counter(
        word for found in left.values() for each in found for word in each["metadata"].get("finalizers") or ()
    )
    held = [f"{word} in {count} resource instances" for word, count in sorted(holders.items())]
    found = {
        "NamespaceContentRemaining": ("SomeResourcesRemain", "Some resources are remaining: ", things),
        "NamespaceFinalizersRemaining": (
            "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: ", held,
        ),
    }  # fmt: skip
    told = []
    for kind, (reason, message) in _DONE.items():
        worse, opening, words = found.get(kind, ("", "", []))
        if words:
            reason, message = worse, opening + ", ".join(words)
        told.append(_condition(kind, "True" if words else "False", reason, message, previous))
    return told


def _condition(kind: str, status: str, reason: str, message: str, previous: Sequence[Object]) -> Object:
    old = next((each for each in previous if each["type"] == kind), {})
    since = old["lastTransitionTime"] if old.get("status") == status else timestamp()
    return {"lastTransitionTime": since, "message": message, "reason": reason, "status": status, "type": kind}
