"""Status conditions: what is to be said now, merged into what an object's status says already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..objects import Object


@dataclass(frozen=True)
class Said:
    """One condition without its times."""

    type: str
    status: bool
    reason: str
    message: str


@dataclass(frozen=True)
class Clock:
    """Now, in the two forms that statuses carry."""

    seconds: str
    """As Gateway API objects and Services carry it."""
    nanoseconds: str
    """As AuthorizationPolicies carry it."""


def merged(
    present: Sequence[Object], said: Iterable[Said], now: str, observed: int | str | None = None
) -> list[Object]:
    """The conditions with what is said now: each keeps its place, and its transition time while its status stays."""
    result = list(present)
    for each in said:
        old = next((entry for entry in present if entry.get("type") == each.type), None)
        new = _condition(each, old, now, observed)
        if old is None:
            result.append(new)
        else:
            result[result.index(old)] = new
    return result


def without(present: Sequence[Object], *types: str) -> list[Object]:
    """The conditions less those types."""
    return [each for each in present if each.get("type") not in types]


def _condition(said: Said, old: Object | None, now: str, observed: int | str | None) -> Object:
    status = "True" if said.status else "False"
    kept = old is not None and old.get("status") == status
    condition: Object = {
        "lastTransitionTime": old["lastTransitionTime"] if old is not None and kept else now,
        "message": said.message,
        "reason": said.reason,
        "status": status,
        "type": said.type,
    }
    if isinstance(observed, str) and not said.message:  # Istio's own messages leave out what is empty
        del condition["message"]
    if observed is not None:
        condition["observedGeneration"] = observed
    return condition
