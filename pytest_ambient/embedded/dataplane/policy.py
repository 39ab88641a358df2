"""L4 policies as ztunnel evaluates them, worked out as far as the destination is known.

What is left depends on the caller alone: a constant, or an Envoy principal.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address, ip_network
from typing import TypeVar

from ..istiod.model import Identity, L4Clause, L4Match, L4Policy, L4Rule, Mesh, StringMatch, Workload
from ..objects import Object

Value = TypeVar("Value")
Claim = bool | Object
"""Whether something holds: known, or an Envoy principal that says for which callers."""

NONE_ALLOWED = "allow policies exist, but none allowed"


def denied_by(key: str) -> str:
    """ztunnel's reason for a DENY policy that matched."""
    return f"explicitly denied by: {key}"


def all_of(claims: Iterable[Claim]) -> Claim:
    """Whether each of them holds."""
    open_ones = [each for each in claims if each is not True]
    if False in open_ones:
        return False
    if not open_ones:
        return True
    return open_ones[0] if len(open_ones) == 1 else {"and_ids": {"ids": open_ones}}


def any_of(claims: Iterable[Claim]) -> Claim:
    """Whether one of them holds."""
    open_ones = [each for each in claims if each is not False]
    if True in open_ones:
        return True
    if not open_ones:
        return False
    return open_ones[0] if len(open_ones) == 1 else {"or_ids": {"ids": open_ones}}


def negation(claim: Claim) -> Claim:
    """Whether it does not hold."""
    return not claim if isinstance(claim, bool) else {"not_id": claim}


@dataclass(frozen=True)
class Arrival:
    """What is known of a connection before its caller is: where it goes, and whether it came by HBONE."""

    address: str
    port: int | None
    """None for a port on which nothing listens."""
    mutual_tls: bool


@dataclass(frozen=True)
class Decision:
    """What the policies of a destination say of a connection."""

    deny: Mapping[str, Claim]
    """By policy: for whom it denies; those that deny nobody are left out."""
    allow: Mapping[str, Claim] | None
    """By policy: whom it allows; None when there is no ALLOW policy."""

    @property
    def refusal(self) -> str | None:
        """The reason for which everybody is refused, when everybody is."""
        always = [key for key, claim in self.deny.items() if claim is True]
        if always:
            return denied_by(always[0])
        return NONE_ALLOWED if self.allow == {} and not self.deny else None

    @property
    def rules(self) -> Mapping[str, Object]:
        """Envoy's RBAC rules for it, by `deny` and `allow`; what refuses nobody is left out."""
        found = {}
        if self.deny:
            found["deny"] = _rules("DENY", self.deny)
        if self.allow is not None and True not in self.allow.values():
            found["allow"] = _rules("ALLOW", self.allow)
        return found


def _rules(action: str, claims: Mapping[str, Claim]) -> Object:
    return {"action": action, "policies": {key: _policy(claim) for key, claim in claims.items()}}


def _policy(claim: Claim) -> Object:
    return {"permissions": [{"any": True}], "principals": [{"any": True} if isinstance(claim, bool) else claim]}


def policies_of(mesh: Mesh, workload: Workload) -> list[L4Policy]:
    """The L4 policies that hold for a workload."""
    return [each for key, each in sorted(mesh.l4_policies.items()) if _selects(each, key, workload)]


def _selects(policy: L4Policy, key: str, workload: Workload) -> bool:
    match policy.scope:
        case "Global":
            return True
        case "Namespace":
            return policy.namespace == workload.namespace
    return key in workload.policies


def decide(policies: Iterable[L4Policy], arrival: Arrival) -> Decision:
    """What these policies say of a connection that arrives there."""
    claims = [(each, any_of(_rule(rule, arrival) for rule in each.rules)) for each in policies]
    deny = {each.key: claim for each, claim in claims if each.action == "DENY" and claim is not False}
    allow = {each.key: claim for each, claim in claims if each.action == "ALLOW" and claim is not False}
    return Decision(deny, allow if any(each.action == "ALLOW" for each, _ in claims) else None)


def _rule(rule: L4Rule, arrival: Arrival) -> Claim:
    return all_of(_clause(each, arrival) for each in rule.clauses)


def _clause(clause: L4Clause, arrival: Arrival) -> Claim:
    return any_of(_match(each, arrival) for each in clause.matches if not each.empty)


def _match(match: L4Match, arrival: Arrival) -> Claim:
    return all_of(
        (
            _field(match.principals, match.not_principals, _caller(arrival, _principal)),
            _field(match.namespaces, match.not_namespaces, _caller(arrival, _namespace)),
            _field(match.service_accounts, match.not_service_accounts, _caller(arrival, _account)),
            _field(match.source_ips, match.not_source_ips, _source_blocks(arrival)),
            _field(match.destination_ips, match.not_destination_ips, partial(_within, arrival.address)),
            _field(match.destination_ports, match.not_destination_ports, lambda ports: arrival.port in ports),
        )
    )


def _within(address: str, blocks: tuple[str, ...]) -> bool:
    return any(ip_address(address) in ip_network(each, strict=False) for each in blocks)


def _field(
    wanted: tuple[Value, ...], unwanted: tuple[Value, ...], holds: Callable[[tuple[Value, ...]], Claim]
) -> Claim:
    return all_of((holds(wanted) if wanted else True, negation(holds(unwanted)) if unwanted else True))


def _caller(arrival: Arrival, principal: Callable[[Value], Object]) -> Callable[[tuple[Value, ...]], Claim]:
    """A caller without certificate has no identity that could match."""
    return lambda values: any_of(principal(each) for each in values) if arrival.mutual_tls else False


def _principal(match: StringMatch) -> Object:
    match match.kind:
        case "exact":
            return _named_by({"exact": f"spiffe://{match.value}"})
        case "prefix":
            return _named_by({"prefix": f"spiffe://{match.value}"})
        case "suffix":
            return _named_by({"suffix": match.value})
    return {"authenticated": {}}


def _namespace(match: StringMatch) -> Object:
    name, rest = re.escape(match.value), "[^/]*"
    found = {"exact": name, "prefix": name + rest, "suffix": rest + name, "presence": rest}[match.kind]
    return _named_by({"safe_regex": {"regex": f"spiffe://[^/]+/ns/{found}/sa/.*"}})


def _account(identity: Identity) -> Object:
    return _named_by({"exact": identity.uri})


def _named_by(match: Object) -> Object:
    return {"authenticated": {"principal_name": match}}


def _source_blocks(arrival: Arrival) -> Callable[[tuple[str, ...]], Claim]:
    # a plaintext connection reaches its policies through an internal listener, which restores the caller's address
    field = "direct_remote_ip" if arrival.mutual_tls else "remote_ip"
    return lambda blocks: any_of({field: cidr(each)} for each in blocks)


def cidr(block: str) -> Object:
    """An address block, or a single address, as Envoy wants it."""
    network = ip_network(block, strict=False)
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}
