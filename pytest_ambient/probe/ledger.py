"""Which lines of the proxies' logs speak of which request of ours."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pytest_ambient.probe.accesslog import Connection, Request, address, host_of
from pytest_ambient.probe.ends import APART, paired
from pytest_ambient.probe.turns import Request as Sent
from pytest_ambient.probe.turns import about, by_turn, ends
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.outcome import Outcome

SKEW = 2.0
"""Seconds by which a waypoint's clock may differ from that of the caller's node."""


@dataclass(frozen=True)
class Seen:
    """One connection, from both ends: what the caller's ztunnel wrote and what the destination's wrote."""

    outbound: Connection | None
    inbound: Connection | None

    @property
    def lines(self) -> set[str]:
        """The lines that speak of it."""
        return {one.line for one in (self.outbound, self.inbound) if one is not None}

    @property
    def waypoint(self) -> str | None:
        """`NAMESPACE/POD` of the waypoint that it went to: the tunnel ends elsewhere than at the address called."""
        out = self.outbound
        if out is None or not out.tunnelled or host_of(out.destination) == host_of(out.tunnelled):
            return None
        return out.destination_workload


class Ledger:
    """All lines of one round, the two ends of each connection brought together.

    `sent` are all requests of the round, those of one caller in their order: some lines tell by their turn alone.
    """

    def __init__(self, lines: Iterable[Connection], sent: Sequence[Sent] = ()) -> None:
        unique = {line.line: line for line in lines}
        ordered = sorted(unique.values(), key=lambda line: line.at)
        outbound = [line for line in ordered if line.direction == "outbound"]
        inbound = [line for line in ordered if line.direction == "inbound"]
        self._outbound = _by_source(outbound)
        self._captured = {host_of(line.source) for line in outbound}
        self._plain = _by_source(line for line in inbound if not line.tunnelled)
        self._rejections = [line for line in inbound if line.rejected]
        self._ends = paired(outbound, inbound)
        own = {ends(outcome): line for call, outcome in sent if (line := self._own(call, outcome)) is not None}
        self._by_turn = by_turn(sent, own, outbound)

    def seen(self, call: Call, outcome: Outcome) -> Seen:
        """Both ends of the connection that curl made; curl's own address stands on the line nearest to it."""
        out = self._own(call, outcome) or self._by_turn.get(ends(outcome))
        if out is None or not out.tunnelled:
            return Seen(out, _last(self._plain[_key(outcome)], call, outcome))
        return Seen(out, self._ends.get(out.line))

    def _own(self, call: Call, outcome: Outcome) -> Connection | None:
        """The outbound line with curl's own port.

        One port may have made connections to several destinations: only a line about the one called counts.
        """
        return _last(self._outbound[_key(outcome)], call, outcome)

    def refusal_of_any(self, pods: Collection[str]) -> Connection | None:
        """The last refusal of a connection that one of these proxy pods opened."""
        return next((line for line in reversed(self._rejections) if line.source_workload in pods), None)

    def refusal_from(self, ip: str) -> Connection | None:
        """The last refusal of what came by tunnel from an address; None where ztunnel calls from there."""
        if ip in self._captured:
            return None
        found = (line for line in reversed(self._rejections) if line.tunnelled and host_of(line.source) == ip)
        return next(found, None)

    def refusal_of(self, pod: str, near: float) -> Connection | None:
        """The refusal of a proxy pod's own connection that is nearest to a moment."""
        close = [line for line in self._rejections if line.source_workload == pod and abs(line.at - near) <= APART]
        return min(close, key=lambda line: abs(line.at - near), default=None)


def _key(outcome: Outcome) -> str:
    return address(outcome.local_ip, outcome.local_port)


def _by_source(lines: Iterable[Connection]) -> defaultdict[str, list[Connection]]:
    found: defaultdict[str, list[Connection]] = defaultdict(list)
    for line in lines:
        found[line.source].append(line)
    return found


def _last(lines: Sequence[Connection], call: Call, outcome: Outcome) -> Connection | None:
    """The last line about what was called."""
    return next((line for line in reversed(lines) if about(line, call, outcome)), None)


def request_of(call: Call, outcome: Outcome, seen: Seen, lines: Iterable[Request]) -> Request | None:
    """The waypoint's line about a request, or about a connection that brought no answer.

    The waypoint knows the caller's address but not curl's port.
    """
    out = seen.outbound
    if out is None:
        return None
    path = call.url.partition("://")[2].partition("/")
    wanted = [(call.method, f"/{path[2]}", outcome.status), *([] if outcome.status else [("", "", 0)])]
    during = (out.at - out.seconds - SKEW, out.at + SKEW)
    here = [r for r in lines if (r.client, r.address) == (outcome.local_ip, out.tunnelled)]
    same = [r for r in here if (r.method, r.path, r.status) in wanted]
    return min((r for r in same if during[0] <= r.at <= during[1]), key=lambda r: abs(r.at - out.at), default=None)


def passed_on(call: Call, outcome: Outcome, proxies: Collection[str], lines: Iterable[Request]) -> Request | None:
    """The last line of a waypoint about a request that one of these proxies passed on to it.

    The waypoint names the first caller where it believes the proxy's X-Forwarded-For (recorded on Istio 1.30.3).
    """
    path = call.url.partition("://")[2].partition("/")[2]
    wanted = (call.method, f"/{path}", outcome.status)
    same = [r for r in lines if (r.method, r.path, r.status) == wanted and r.client in (outcome.local_ip, *proxies)]
    return max(same, key=lambda r: r.at, default=None)
