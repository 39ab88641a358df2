"""The faults of the embedded mesh that are wrong statuses: what istiod says of objects, though it is not so."""

from collections.abc import Iterable, Iterator

from ..faults import Fault
from ..objects import Object
from .statuses import Status

_FAVOURABLE = {"Conflicted": "False"}
_WELL = {"WaypointBound": "WaypointAccepted", "Programmed": "Programmed", "ResolvedRefs": "ResolvedRefs"}


def told(found: Iterable[Status], faults: frozenset[Fault]) -> Iterator[Status]:
    """The statuses as they are written under those faults; those that would change nothing are left out."""
    for each in found:
        status = each.status
        if Fault.CONDITIONS_NEVER_WRITTEN in faults and each.item["kind"] != "GatewayClass":
            status = _unsaid(status)
        elif Fault.CONDITIONS_CLAIM_SUCCESS in faults:
            status = _well(status, str(each.item["metadata"].get("creationTimestamp", "")))
        if status != (each.item.get("status") or {}):
            yield Status(each.item, status)


def _unsaid(status: Object) -> Object:
    """The status without conditions."""
    found = {name: value for name, value in status.items() if name not in ("conditions", "parents")}
    return found | ({"listeners": [_bare(each) for each in status["listeners"]]} if "listeners" in status else {})


def _bare(listener: Object) -> Object:
    return listener | {"conditions": []}


def _well(status: Object, since: str) -> Object:
    """The status with every condition as it should be, since the object is there."""
    found = dict(status)
    for part in ("parents", "listeners"):
        if part in status:
            found[part] = [_well(each, since) for each in status[part]]
    if "conditions" in status:
        found["conditions"] = [_favourable(each, since) for each in status["conditions"]]
    return found


def _favourable(condition: Object, since: str) -> Object:
    kind = str(condition["type"]).rpartition("/")[2]
    well = {"status": _FAVOURABLE.get(kind, "True"), "reason": _WELL.get(kind, "Accepted"), "lastTransitionTime": since}
    return condition | ({} if kind in _FAVOURABLE else well)
