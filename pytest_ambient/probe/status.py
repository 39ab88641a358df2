"""What an object's status says of its conditions."""

from collections.abc import Iterator

from pytest_ambient._kube import Object
from pytest_ambient.verdict.condition import Condition, ObjectStatus


def status_of(item: Object | None) -> ObjectStatus:
    """What an object says about itself; an HTTPRoute's conditions carry the parent they speak of."""
    if item is None:
        return ObjectStatus(exists=False)
    generation = item["metadata"].get("generation")
    return ObjectStatus(True, tuple(_conditions(item.get("status") or {})), generation)


def _conditions(status: Object) -> Iterator[Condition]:
    for entry in status.get("conditions") or []:
        yield _condition(entry)
    for parent in status.get("parents") or []:
        for entry in parent.get("conditions") or []:
            yield _condition(entry, parent=str(parent.get("parentRef", {}).get("name", "")))
    for listener in status.get("listeners") or []:
        for entry in listener.get("conditions") or []:
            yield _condition(entry, listener=str(listener.get("name", "")))


def _condition(entry: Object, *, parent: str = "", listener: str = "") -> Condition:
    seen = entry.get("observedGeneration")  # istiod writes it as a text in its own kinds (recorded on Istio 1.30.3)
    generation = int(seen) if seen is not None else None
    reason, message = str(entry.get("reason", "")), str(entry.get("message", ""))
    return Condition(str(entry["type"]), str(entry["status"]), reason, message, generation, parent, listener)
