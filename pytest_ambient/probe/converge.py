"""Rounds until verdicts are stable, and the look whether they stay."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from pytest_ambient import _halt
from pytest_ambient.probe.rounds import Judged, Probe, Rounds
from pytest_ambient.probe.timing import Timing
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.expectation import Judgement, TimedOut, Word
from pytest_ambient.verdict.outcome import Outcome
from pytest_ambient.verdict.seen import RESOLVE

NAMES = 35.0
"""Seconds more for a name without an address: CoreDNS says so for 30 of a Service that was asked for too early."""
LATE = 5.0
"""Seconds after which a row that did not stay is looked at again."""
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
    late: str = ""
    """What was wrong in the look after the hold, of a row that held in those some seconds later."""

    @property
    def judgement(self) -> Judgement:
        """The word of the last round."""
        return self.last.judgement if self.last is not None else Judgement(Word.INCONCLUSIVE, "nothing was asked")

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
    sleep: Callable[[float], None] = _halt.sleep


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
            more = {key: NAMES if nameless(probes[key], key, judged) else 0 for key in open_}
            over = {key for key in open_ if now >= ends[key] + more[key]}
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
    """After the hold, many requests of each row that must hold still, at once; what went wrong is looked at again.

    `since` is when the last of them began to hold, by the clock. A proxy of another node may be late with what most of
    them know: a row holds, too, when after some seconds all of several looks agree, and its track says what was seen.
    """
    wanted = [key for key in probes if still.get(key)]
    if not wanted:
        return {}
    clock.sleep(max(0.0, since + timing.hold - clock.now()))
    look = partial(_looked, rounds, probes, still, timing, clock, clock.now())
    tracks, unnamed = look(wanted)
    first = {key: track.judgement for key, track in tracks.items() if key not in unnamed}
    left = [key for key, judgement in first.items() if judgement.word is Word.BROKEN]
    for turn in range(timing.rounds):
        if not left:
            break
        clock.sleep(timing.longest if turn else LATE)
        tracks |= look(left)[0]
        left = [key for key in left if tracks[key].row]
    for key in left:
        tracks[key].late = first[key].reason
    return tracks


def _looked(
    rounds: Rounds,
    probes: Mapping[str, Probe],
    still: Mapping[str, bool],
    timing: Timing,
    clock: Clock,
    start: float,
    wanted: Sequence[str],
) -> tuple[dict[str, Track], set[str]]:
    """What one look saw, and whose names had no address for all the time; what proved nothing is asked again.

    One of several resolvers may remember longer than the others.
    """
    tracks = {key: Track() for key in wanted}
    open_, unnamed = list(wanted), set[str]()
    for turn in count(1):
        needed = {*open_, *(probes[key].twin or key for key in open_)}
        times = {key: _times(probe, timing) if still.get(key) else 1 for key, probe in probes.items() if key in needed}
        asked = {key: many(probes[key], often) for key, often in times.items()}
        judged = rounds.look(asked)
        for key in open_:
            tracks[key].add(judged[key], judged[key].at - start)
        unnamed = {key for key in open_ if nameless(probes[key], key, judged)}
        open_ = [key for key in open_ if key in unnamed or judged[key].judgement.word is Word.INCONCLUSIVE]
        waited = not unnamed or clock.now() - start >= NAMES
        if not open_ or (turn >= timing.rounds and waited):
            break
        clock.sleep(timing.longest if unnamed else timing.shortest)
    return tracks, unnamed


def nameless(probe: Probe, key: str, judged: Mapping[str, Judged]) -> bool:
    """Whether a row, or the twin that it needs, went wrong because the name that was called has no address."""
    mine = [one for name in (key, probe.twin) if name is not None and (one := judged.get(name)) is not None]
    seen = [one.observed for one in mine if not one.holds]
    return any(isinstance(one, Outcome) and one.exit_code == RESOLVE for one in seen)


def _times(probe: Probe, timing: Timing) -> int:
    """How often a row is asked at once; where silence is expected every request takes all of its time."""
    return timing.rounds if isinstance(probe.expectation, TimedOut) else timing.stays


def many(probe: Probe, often: int) -> Probe:
    """The row with its request sent so many times; one that is sent more often as it is stays so."""
    call = probe.call
    return replace(probe, call=replace(call, count=max(often, call.count))) if isinstance(call, Call) else probe
