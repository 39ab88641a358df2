"""Waits for resources that somebody else's controller brings about, told by their status."""

from collections.abc import Callable, Sequence

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until


def healthy(
    kube: Kube, kind: str, name: str, namespace: str | None, *, ready: Sequence[str], state: str, within: float
) -> None:
    """Wait until the conditions named by `ready` are True for the present generation and `status.state` is `state`.

    NotInTime ends with the last condition that is not so, its reason and its message.
    """

    def wrong(item: Object) -> str:
        status = item.get("status") or {}
        conditions = {one["type"]: one for one in status.get("conditions") or []}
        for type_ in ready:
            found = conditions.get(type_)
            if found is None or found["status"] != "True":
                return told(type_, found)
        seen = status.get("observedGeneration", item["metadata"].get("generation"))
        if seen != item["metadata"].get("generation"):
            return "its present generation is not seen by its controller yet"
        return "" if status.get("state") == state else f"state {status.get('state') or 'unknown'}, wanted {state}"

    await_(kube, kind, name, namespace, wrong, within=within)


def await_(
    kube: Kube, kind: str, name: str, namespace: str | None, wrong: Callable[[Object], str], *, within: float
) -> None:
    """Wait until `wrong` finds nothing more to say about an object; NotInTime ends with what it said last."""
    where = f"{kind.rpartition('/')[2]} {namespace}/{name}" if namespace else f"{kind.rpartition('/')[2]} {name}"

    def check() -> bool | NotYet:
        item = kube.get(kind, name, namespace)
        reason = "it is not there" if item is None else wrong(item)
        return NotYet(reason) if reason else True

    until(check, what=f"{where} to be ready", within=within)


def told(type_: str, condition: Object | None) -> str:
    """A condition in words: `Ready=False (IstiodNotReady): not all pods run`."""
    if condition is None:
        return f"no condition {type_}"
    reason = f" ({condition['reason']})" if condition.get("reason") else ""
    message = f": {condition['message']}" if condition.get("message") else ""
    return f"{type_}={condition['status']}{reason}{message}"
