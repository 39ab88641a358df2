"""How a Deployment goes from old pods to new ones: pure arithmetic over its ReplicaSets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..objects import Object, name_of
from .owned import share


@dataclass(frozen=True)
class Limits:
    """How far a rolling update may go."""

    replicas: int
    surge: int
    unavailable: int

    @classmethod
    def of(cls, spec: Object) -> "Limits":
        """Those of a Deployment's spec."""
        replicas = int(spec.get("replicas", 1))
        rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
        surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
        unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        return cls(replicas, surge, unavailable if surge or unavailable else 1)


def rolling(limits: Limits, new: Object, old: Sequence[Object]) -> Mapping[str, int]:
    """The sizes that ReplicaSets should have next, by name: one step, the new one's first."""
    sizes = {name_of(each): size(each) for each in (new, *old)}
    total, mine = sum(sizes.values()), size(new)
    if mine > limits.replicas:
        return sizes | {name_of(new): limits.replicas}
    room = min(limits.replicas + limits.surge - total, limits.replicas - mine)
    if room > 0:
        return sizes | {name_of(new): mine + room}
    needed = limits.replicas - limits.unavailable
    spare = total - needed - max(0, mine - _available(new))
    if spare <= 0:
        return sizes
    for each in old:  # first the pods that serve nobody
        useless = max(0, min(spare, size(each) - _available(each)))
        sizes[name_of(each)] -= useless
        spare -= useless
    surplus = sum(map(_available, (new, *old))) - needed
    for each in old:
        gone = max(0, min(surplus, sizes[name_of(each)]))
        sizes[name_of(each)] -= gone
        surplus -= gone
    return sizes


def recreating(limits: Limits, new: Object, old: Sequence[Object], *, pods_left: bool) -> Mapping[str, int]:
    """The same for strategy Recreate: the old ones end before the first new one starts."""
    sizes = {name_of(each): 0 for each in old}
    return sizes | {name_of(new): size(new) if pods_left else limits.replicas}


def size(item: Object) -> int:
    """How many pods the ReplicaSet asks for."""
    return int(item["spec"].get("replicas", 0))


def _available(item: Object) -> int:
    return int(item.get("status", {}).get("availableReplicas", 0))
