"""Rounds until verdicts are stable, and the look whether they stay."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pytest_ambient.probe.rounds import Judged, Probe, Rounds
from pytest_ambient.probe.timing import Timing
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.expectation import TimedOut, Word
from pytest_ambient.verdict.outcome import Outcome
from pytest_ambient.verdict.seen import RESOLVE

NAMES = 35.0
"""Seconds more for a name without an address: CoreDNS says so for 30 of a Service that was asked for too early."""
LOOKS = 2
"""Looks that a row has at least: one look may take longer than the row's whole time."""


@dataclass
class Track:
    """What became of one row over its rounds; times in seconds since the start."""

    attempts: int = 0
    row: int = 0
    """How many of the last rounds that gave a verdict held."""
    alike: int = 0
    """How many of the last rounds gave the same word and reason."""
    first: float | None = None
    """When it first held."""
    stable: float | None = None
    """When the row of rounds began in which it held to the end."""
    ended: float = 0.0
    last: Judged | None = field(default=None, repr=False)

    def add(self, judged: Judged, now: float) -> None:
        """Takes in one more round."""
        self.attempts += 1
        same = self.last is not None and self.last.judgement == judged.judgement
        self.alike = self.alike + 1 if same else 1
        self.last, self.ended = judged, now
        if judged.judgement.word is Word.INCONCLUSIVE:
            return  # no verdict at all: it neither adds to a row nor breaks one
        if not judged.holds:
            self.row, self.stable = 0, None
            return
        self.row += 1
        self.first = now if self.first is None else self.first
        self.stable = now if self.stable is None else self.stable


@dataclass(frozen=True)
class Clock:
    """Time, so that tests need not wait for it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def settle(
    rounds: Rounds,
    probes: Mapping[str, Probe],
    timing: Timing,
    *,
    within: float,
    times: int,
    clock: Clock,
    since: float | None = None,
    longer: Mapping[str, float] | None = None,
) -> dict[str, Track]:
    """Asks all rows together until each held `times` times in a row or `within` seconds have passed.

    A row may have a deadline that is `longer`. Rows that are done are asked on only as twins of others. A row of right
    answers that has begun in time may end late. A resolver's memory is no answer of the mesh: it is waited for.
    """
    start = clock.now() if since is None else since
    tracks = {key: Track() for key in probes}
    ends = {key: max(within, (longer or {}).get(key, within)) for key in probes}
    late: set[str] = set()
    pause = timing.shortest
    while True:
        open_ = [key for key in probes if tracks[key].row < times and key not in late]
        twins = [probes[key].twin or key for key in open_]
        judged = rounds.look({key: probes[key] for key in probes if key in open_ or key in twins})
        now = clock.now() - start
        for key in open_:
            tracks[key].add(judged[key], judged[key].at - start)
        growing = [key for key in open_ if judged[key].holds and tracks[key].row < times]
        if not any(now >= ends[key] for key in growing):
            over = {key for key in open_ if now >= ends[key] + (NAMES if nameless(judged[key]) else 0)}
            late |= {key for key in over if tracks[key].attempts >= LOOKS}
        if all(tracks[key].row >= times or key in late for key in open_):
            return tracks
        pause = timing.shortest if growing else pause
        clock.sleep(min(pause, timing.longest))
        pause = min(pause * 2, timing.longest)


def stay(
    rounds: Rounds,
    probes: Mapping[str, Probe],
    still: Mapping[str, bool],
    timing: Timing,
    clock: Clock,
    *,
    since: float,
) -> dict[str, Track]:
    """After the hold, many requests of each row that must hold still, at once; what proved nothing is asked again.

    `since` is when the last of them began to hold, by the clock.
    """
    wanted = [key for key in probes if still.get(key)]
    if not wanted:
        return {}
    clock.sleep(max(0.0, since + timing.hold - clock.now()))
    start = clock.now()
    tracks = {key: Track() for key in wanted}
    open_ = wanted
    for _ in range(timing.rounds):
        needed = {*open_, *(probes[key].twin or key for key in open_)}
        times = {key: _times(probe, timing) if still.get(key) else 1 for key, probe in probes.items() if key in needed}
        asked = {key: many(probes[key], count) for key, count in times.items()}
        judged = rounds.look(asked)
        for key in open_:
            tracks[key].add(judged[key], judged[key].at - start)
        open_ = [key for key in open_ if judged[key].judgement.word is Word.INCONCLUSIVE]
        if not open_:
            break
        clock.sleep(timing.shortest)
    return tracks


def nameless(judged: Judged) -> bool:
    """Whether a row went wrong because the name that it called has no address."""
    seen = judged.observed
    return not judged.holds and isinstance(seen, Outcome) and seen.exit_code == RESOLVE


def _times(probe: Probe, timing: Timing) -> int:
    """How often a row is asked at once; where silence is expected every request takes all of its time."""
    return timing.rounds if isinstance(probe.expectation, TimedOut) else timing.stays


def many(probe: Probe, count: int) -> Probe:
    """The row with its request sent so many times; one that is sent more often as it is stays so."""
    call = probe.call
    return replace(probe, call=replace(call, count=max(count, call.count))) if isinstance(call, Call) else probe
