"""The two ends of one connection find each other among many alike."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.probe.accesslog import Connection, connections
from pytest_ambient.probe.ends import APART, NEIGHBOURS, paired

RECORDED = sorted(connections((Path(__file__).parent / "recorded" / "ztunnel.log").read_text()), key=lambda one: one.at)
REFUSED = "connection closed due to policy rejection: explicitly denied by: bookinfo/nobody"


def line(direction: str, at: float, error: str = "") -> Connection:
    """One end of a connection from a to b."""
    return Connection(
        at, f"{direction} {at} {error}", direction, "10.0.0.1:1", "n/a", "i", "10.0.0.2:15008", "10.0.0.2:9080", "",
        "n/b", "j", error, 0.0,
    )  # fmt: skip


def pairs(*lines: Connection) -> list[tuple[float, float]]:
    """When the ends ended that were brought together, outbound first."""
    ends = [[one for one in lines if one.direction == way] for way in ("outbound", "inbound")]
    times = {one.line: one.at for one in lines}
    return [(times[out], found.at) for out, found in paired(ends[0], ends[1]).items()]


def attempts(*moments: float, error: str = "") -> list[Connection]:
    """Connections whose inbound line came a moment before the outbound one."""
    both = [
        (line("inbound", at - 0.004, error and REFUSED), line("outbound", at, error and "http status: 401"))
        for at in moments
    ]
    return [one for ends in both for one in ends]


@pytest.mark.parametrize("error", ["", "refused"])
def test_an_end_without_the_other_one_takes_nobody_elses(error: str) -> None:
    """Lines are read from some second on, which may fall between two ends: all later ones still find each other."""
    lines = attempts(1.0, 1.1, 1.2, 1.3, error=error)
    assert sorted(pairs(*lines[1:])) == [(1.1, 1.096), (1.2, 1.196), (1.3, 1.296)]
    assert sorted(pairs(*lines[:-2], lines[-1])) == [(1.0, 0.996), (1.1, 1.096), (1.2, 1.196)]


def test_fates_differ() -> None:
    """A refusal is the other end of what ended with 401 alone; an error of another kind goes with either."""
    refused, passed = line("inbound", 1.0, REFUSED), line("inbound", 1.2)
    assert pairs(refused, passed, line("outbound", 1.2, "http status: 401")) == [(1.2, 1.0)]
    assert pairs(refused, passed, line("outbound", 1.0)) == [(1.0, 1.2)]
    assert pairs(refused, line("outbound", 1.1, "connection failed")) == [(1.1, 1.0)]


def test_too_far_apart() -> None:
    """Lines that are too far from each other in time are of two connections."""
    assert pairs(line("inbound", 1.0), line("outbound", 1.0 + APART)) == [(1.0 + APART, 1.0)]
    assert pairs(line("inbound", 1.0), line("outbound", 1.1 + APART)) == []


def test_many_at_once() -> None:
    """Where more end together than are looked at, each still has one of them, and none has two."""
    lines = [line(way, 1 + turn / 1e6) for turn in range(NEIGHBOURS * 5) for way in ("inbound", "outbound")]
    found = pairs(*lines)
    assert len(found) == len({inbound for _, inbound in found}) == NEIGHBOURS * 5


@pytest.mark.parametrize("cut", range(0, len(RECORDED), 7))
def test_recorded_lines_keep_their_other_ends(cut: int) -> None:
    """Whatever is left out at the beginning of a real ztunnel's log, what is left is paired as in the whole log."""

    def found(lines: Sequence[Connection]) -> dict[str, str]:
        ends = [[one for one in lines if one.direction == way] for way in ("outbound", "inbound")]
        return {out: other.line for out, other in paired(ends[0], ends[1]).items()}

    rest = {one.line for one in RECORDED[cut:]}
    whole = {out: other for out, other in found(RECORDED).items() if {out, other} <= rest}
    assert found(RECORDED[cut:]) | whole == found(RECORDED[cut:])


def test_an_end_is_known_by_caller_and_destination() -> None:
    """Lines of other callers and destinations are no other ends, nor are plaintext ones."""
    out, other = line("outbound", 1.0), line("inbound", 1.0)
    assert paired([out], [other]) == {out.line: other}
    for change in ({"source": "10.0.0.9:1"}, {"tunnelled": "10.0.0.2:1"}, {"tunnelled": ""}):
        assert paired([out], [replace(other, **change)]) == {}  # type: ignore[arg-type]  # texts only
