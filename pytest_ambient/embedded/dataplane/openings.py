"""Which open connections a change of policies ends.

ztunnel looks at its open connections again when a policy without selector changes, and ends those that it would now
refuse; a policy that is new on a workload by its selector leaves them alone (recorded on Istio 1.30.3).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from ..istiod.model import ROOT_NAMESPACE, L4Policy, Mesh, Workload
from ..objects import Object
from .policy import Arrival, Claim, Decision, decide, policies_of

_REMEMBERED = 8
"""So many listeners of one pod are kept for the connections that run through them."""


@dataclass
class Opening:
    """What is remembered of a captured pod."""

    policies: Sequence[L4Policy] = ()
    tunnels: int = 0
    """Goes up whenever tunnels that are open must end."""
    keepers: frozenset[str] = frozenset()
    """The ztunnel pods of its node: what runs through one ends with it."""
    plaintext: dict[str, Object] = field(default_factory=dict)
    """By name, the internal listeners through which connections may still run; the last one takes new ones."""

    def admit(self, listener: Object) -> None:
        """Let new connections in by that listener; those through the ones before it go on."""
        name = str(listener["name"])
        self.plaintext.pop(name, None)
        self.plaintext[name] = listener
        for old in list(self.plaintext)[:-_REMEMBERED]:
            del self.plaintext[old]

    @property
    def latest(self) -> str:
        """The name of the listener that takes new connections."""
        return next(reversed(self.plaintext))


class Openings:
    """Remembers, from one mesh to the next, what open connections were let in by."""

    def __init__(self, *, mixed_up: bool = False) -> None:
        """Under the fault `open-connections-mixed-up` it is the other way round."""
        self._pods: dict[str, Opening] = {}
        self._mixed_up = mixed_up

    def follow(self, mesh: Mesh, pods: Iterable[Workload]) -> None:
        """Take in the policies of that mesh, and forget pods that are gone."""
        known = {each.address: self._pods.get(each.address, Opening(policies_of(mesh, each))) for each in pods}
        callers = [each for each in mesh.workloads.values() if each.captured or each.is_waypoint or each.gateway_ports]
        keepers = _keepers(mesh)
        for each in mesh.workloads.values():
            if opening := known.get(each.address):
                _follow(opening, each, policies_of(mesh, each), callers, selective=self._mixed_up)
                _kept(opening, keepers[each.node])
        self._pods = known

    def of(self, pod: Workload) -> Opening:
        """What is remembered of that pod."""
        return self._pods[pod.address]


def _follow(
    opening: Opening,
    pod: Workload,
    policies: Sequence[L4Policy],
    callers: Iterable[Workload],
    *,
    selective: bool,
) -> None:
    before, opening.policies = opening.policies, policies
    if _looked_at(before, selective) == _looked_at(policies, selective):
        return
    opening.plaintext.clear()
    for port in pod.sockets:
        arrival = Arrival(pod.address, port, mutual_tls=True)
        old, new = decide(before, arrival), decide(policies, arrival)
        if any(refuses(new, each) and not refuses(old, each) for each in callers):
            opening.tunnels += 1
            return


def _looked_at(policies: Iterable[L4Policy], selective: bool) -> list[L4Policy]:
    return [each for each in policies if (each.scope == "WorkloadSelector") is selective]


def _keepers(mesh: Mesh) -> defaultdict[str, frozenset[str]]:
    """The ztunnel pods of each node."""
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for each in (mesh.now or mesh).workloads.values():
        if (each.namespace, each.controller, each.controller_kind) == (ROOT_NAMESPACE, "ztunnel", "daemonset"):
            found[each.node] |= {each.uid}
    return found


def _kept(opening: Opening, keepers: frozenset[str]) -> None:
    """A ztunnel that has gone took with it what was open."""
    if opening.keepers - keepers:
        opening.tunnels += 1
        opening.plaintext.clear()
    opening.keepers = keepers


def refuses(decision: Decision, caller: Workload) -> bool:
    """Whether that caller, with its certificate, is refused."""
    if any(_holds(each, caller) for each in decision.deny.values()):
        return True
    return decision.allow is not None and not any(_holds(each, caller) for each in decision.allow.values())


def _holds(claim: Claim, caller: Workload) -> bool:
    if isinstance(claim, bool):
        return claim
    ((kind, value),) = claim.items()
    match kind:
        case "and_ids":
            return all(_holds(each, caller) for each in value["ids"])
        case "or_ids":
            return any(_holds(each, caller) for each in value["ids"])
        case "not_id":
            return not _holds(value, caller)
        case "authenticated":
            return _matches(value.get("principal_name", {}), caller.identity.uri)
    block = ip_network(f"{value['address_prefix']}/{value['prefix_len']}")
    return ip_address(caller.address) in block


def _matches(match: Object, text: str) -> bool:
    for kind, value in match.items():
        match kind:
            case "exact":
                return text == str(value)
            case "prefix":
                return text.startswith(str(value))
            case "suffix":
                return text.endswith(str(value))
        return re.fullmatch(str(value["regex"]), text) is not None
    return True
