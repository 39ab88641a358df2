"""Which line of the caller's ztunnel is which request's, where the port on it is not the caller's own.

A node gives a redirected connection another source port where the caller's is still taken: all that a pod opens is
redirected to one port of ztunnel, and netfilter remembers closed connections for two minutes. Of 12,800 outbound lines
on a mesh of Istio 1.30.3 one in twenty bore such a port.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from itertools import groupby, pairwise
from math import inf
from urllib.parse import urlsplit

from pytest_ambient.probe.accesslog import Connection, host_of
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.outcome import Outcome

BETWEEN = 0.25
"""Seconds that curl may take between two requests."""

Request = tuple[Call, Outcome]
Ends = tuple[str, int, str, int]
"""The caller's address and port, those that it called."""


def ends(outcome: Outcome) -> Ends:
    """Both ends as curl saw them."""
    return outcome.local_ip, outcome.local_port, outcome.remote_ip, outcome.remote_port


def by_turn(
    requests: Sequence[Request], own: Mapping[Ends, Connection], lines: Sequence[Connection]
) -> dict[Ends, Connection]:
    """The lines of the requests that have none with their own port, by the order in which they were sent.

    `requests` are all of a round, those of one address in their order; `own` has the lines that bear a request's port.
    Between two of these lines there must be as many others about the same as requests without one, else none is found;
    nor is one where no request of an address has a line of its own.
    """
    found: dict[Ends, Connection] = {}
    connected = [one for one in requests if one[1].connected]
    for ip in {outcome.local_ip for _, outcome in connected if ends(outcome) not in own}:
        turns = [one for one in connected if one[1].local_ip == ip]
        known = [began(own[ends(outcome)]) for _, outcome in turns if ends(outcome) in own]
        if any(later < sooner for sooner, later in pairwise(known)):
            continue  # they were not sent one after the other
        taken = {line.line for line in own.values()}
        free = sorted((ln for ln in lines if host_of(ln.source) == ip and ln.line not in taken), key=began)
        for after, gap, before in _gaps(turns, own):
            within = [line for line in free if after <= began(line) <= before]
            fitting = [line for line in within if any(about(line, *one) for one in gap)]
            if len(fitting) == len(gap) and all(about(ln, *one) for ln, one in zip(fitting, gap, strict=True)):
                found |= {ends(outcome): line for line, (_, outcome) in zip(fitting, gap, strict=True)}
    return found


def began(line: Connection) -> float:
    """When the connection was opened, by the node's clock."""
    return line.at - line.seconds


def _gaps(turns: Sequence[Request], own: Mapping[Ends, Connection]) -> Iterator[tuple[float, Sequence[Request], float]]:
    """The requests in a row that have no line, with the moments of the lines before and after them.

    Before the first line and after the last one there is no more time than the requests themselves took.
    """
    runs = [(known, list(run)) for known, run in groupby(turns, key=lambda one: ends(one[1]) in own)]
    for place, (known, run) in enumerate(runs):
        if known or len(runs) == 1:
            continue
        sooner, later = ([] if place == 0 else runs[place - 1][1][-1:]), (runs[place + 1 :] or [(True, [])])[0][1][:1]
        after = max((began(own[ends(outcome)]) for _, outcome in sooner), default=-inf)
        before = min((began(own[ends(outcome)]) for _, outcome in later), default=inf)
        room = _seconds([*sooner, *run])
        yield (after if sooner else before - room), run, (before if later else after + room)


def _seconds(run: Sequence[Request]) -> float:
    return sum(outcome.total_ms for _, outcome in run) / 1000 + BETWEEN * len(run)


def about(line: Connection, call: Call, outcome: Outcome) -> bool:
    """Whether the line may be about what curl called and saw: answered or not, and that address or Service.

    Only the caller's end knows which Service was called; the destination's names any of those that the pod serves.
    """
    if line.answer is not None and (line.answer > 0) != (outcome.status > 0):
        return False
    if outcome.remote_ip in (host_of(line.tunnelled), host_of(line.destination)) or line.direction == "inbound":
        return True
    host = urlsplit(call.url).hostname or ""
    return bool(line.service) and (_is_address(host) or _named(host, line.service))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _named(host: str, service: str) -> bool:
    """Whether a host name, short or long, or that of a pod behind it, is the Service's."""
    labels = host.split(".")
    return any(f"{service}.".startswith(".".join(labels[start:]) + ".") for start in range(len(labels)))
