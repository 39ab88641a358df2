"""Which inbound line of ztunnel's log is the other end of which outbound line."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_ambient.probe.accesslog import Connection, host_of

APART = 5.0
"""Seconds by which the two ends of one connection may differ in their logs, clocks of two nodes included."""
NEIGHBOURS = 8
"""So many lines before and after are looked at for the other end; a sample has thousands of the same ends."""

_Group = tuple[str, str, str, bool]
"""Caller's address, destination behind the tunnel, its workload, whether a policy refused it."""


def paired(outbound: Sequence[Connection], inbound: Sequence[Connection]) -> dict[str, Connection]:
    """For each outbound line its inbound one: same caller, destination and fate, each used once; both sorted by time.

    The nearest find each other first, so that an end whose other one is not among the lines takes nobody else's.
    """
    waiting: defaultdict[_Group, list[Connection]] = defaultdict(list)
    for line in inbound:
        if line.tunnelled:
            waiting[*_ends(line), line.rejected].append(line)
    couples = [(out, other) for out in outbound for other in _near(out, waiting)]
    found: dict[str, Connection] = {}
    taken: set[str] = set()
    for out, other in sorted(couples, key=lambda couple: abs(couple[1].at - couple[0].at)):
        if out.line not in found and other.line not in taken:
            found[out.line] = other
            taken.add(other.line)
    return found


def _near(out: Connection, waiting: defaultdict[_Group, list[Connection]]) -> Iterator[Connection]:
    for fate in _fates(out):
        others = waiting[*_ends(out), fate]
        place = bisect_left(others, out.at, key=lambda other: other.at)
        for other in others[max(0, place - NEIGHBOURS) : place + NEIGHBOURS]:
            if abs(other.at - out.at) <= APART:
                yield other


def _ends(line: Connection) -> tuple[str, str, str]:
    return host_of(line.source), line.tunnelled, line.destination_workload


def _fates(outbound: Connection) -> Sequence[bool]:
    """A refusal reads `http status: 401` at the caller's end; an outbound line without error met no refusal."""
    if "401" in outbound.error:
        return (True,)
    return (False, True) if outbound.error else (False,)
