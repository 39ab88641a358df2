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
    """The sizes that ReplicaSets should have next, by name."""
    sizes = {name_of(each): _size(each) for each in (new, *old)}
    total = sum(sizes.values())
    if sizes[name_of(new)] > limits.replicas:
        sizes[name_of(new)] = limits.replicas
    else:
        room = max(0, limits.replicas + limits.surge - total)
        sizes[name_of(new)] += min(room, limits.replicas - sizes[name_of(new)])
    wanted = limits.replicas - limits.unavailable
    unready_new = sizes[name_of(new)] - _available(new)
    spare = total - wanted - max(0, unready_new if sizes[name_of(new)] == _size(new) else _size(new) - _available(new))
    for each in sorted(old, key=_available):  # first those that serve nobody
        unhealthy = min(spare, sizes[name_of(each)] - _available(each))
        if unhealthy > 0:
            sizes[name_of(each)] -= unhealthy
            spare -= unhealthy
    available = sum(min(_available(each), sizes[name_of(each)]) for each in (new, *old))
    surplus = available - wanted
    for each in sorted(old, key=name_of):
        gone = max(0, min(surplus, sizes[name_of(each)]))
        sizes[name_of(each)] -= gone
        surplus -= gone
    return sizes


def recreating(limits: Limits, new: Object, old: Sequence[Object], *, pods_left: bool) -> Mapping[str, int]:
    """The same for strategy Recreate: the old ones end before the first new one starts."""
    sizes = {name_of(each): 0 for each in old}
    return sizes | {name_of(new): _size(new) if pods_left else limits.replicas}


def _size(item: Object) -> int:
    return int(item["spec"].get("replicas", 0))


def _available(item: Object) -> int:
    return int(item.get("status", {}).get("availableReplicas", 0))
