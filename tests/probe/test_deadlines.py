"""A row that may take longer keeps no other row waiting, and no other row makes it late."""

from collections.abc import Collection, Mapping
from typing import cast

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.probe.converge import Clock, Track, nameless, settle, stay
from pytest_ambient.probe.rounds import Judged, Probe, Rounds
from pytest_ambient.probe.timing import Timing
from pytest_ambient.table import case
from pytest_ambient.testing import ManualClock
from pytest_ambient.verdict.call import GET
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, Judgement, Word
from pytest_ambient.verdict.outcome import Lost, Outcome

TIMING = Timing(shortest=1, longest=1)
PROBE = Probe("curl", GET("http://a/"), Answered(200))


class Turns:
    """Rounds in which each row holds from its moment on; it notes what was asked when.

    The first of them takes `first` seconds; what does not hold, none at a moment of `wrong`, was seen as `exit`.
    """

    def __init__(
        self,
        clock: ManualClock,
        holds: Mapping[str, float],
        *,
        first: float = 0,
        exit: int = 56,
        wrong: Collection[float] = (),
    ) -> None:
        self.clock, self.holds, self.first, self.exit, self.wrong = clock, holds, first, exit, wrong
        self.asked: dict[str, float] = {}

    def look(self, probes: Mapping[str, Probe]) -> dict[str, Judged]:
        """The word on every row."""
        self.asked |= dict.fromkeys(probes, self.clock.now)
        right = {key: self.clock.now >= self.holds[key] and self.clock.now not in self.wrong for key in probes}
        words = {key: Word.HOLDS if right[key] else Word.BROKEN for key in probes}
        self.clock.now, self.first = self.clock.now + self.first, 0
        seen = {key: Lost("-") if word is Word.HOLDS else Outcome(self.exit) for key, word in words.items()}
        judgements = {key: Judgement(word, "" if word is Word.HOLDS else "wrong") for key, word in words.items()}
        return {key: Judged(judgements[key], seen[key], 0.0, self.clock.now) for key in words}


def settled(
    longer: Mapping[str, float], *, first: float = 0, exit: int = 56, **holds: float
) -> tuple[dict[str, Track], dict[str, float], float]:
    """Tracks, when each row was last asked, and when all of it ended; the time for all is ten seconds."""
    clock = ManualClock()
    turns = Turns(clock, holds, first=first, exit=exit)
    tracks = settle(
        cast(Rounds, turns),
        dict.fromkeys(holds, PROBE),
        TIMING,
        within=10,
        times=3,
        clock=Clock(clock, clock.sleep),
        longer=longer,
    )
    return tracks, turns.asked, clock.now


def test_a_longer_deadline_is_the_rows_own() -> None:
    """The other one is given up at its time, and not asked again."""
    tracks, asked, _ = settled({"slow": 60}, quick=30, slow=30)
    assert (tracks["slow"].row, tracks["quick"].row) == (3, 0)
    assert 10 <= asked["quick"] <= 11
    assert tracks["slow"].stable == 30


def test_a_longer_deadline_ends_too() -> None:
    """With the row as late as any other."""
    tracks, asked, now = settled({"slow": 60}, quick=0, slow=999)
    assert (tracks["slow"].row, tracks["quick"].row) == (0, 3)
    assert 60 <= asked["slow"] <= 61
    assert now <= 61


@pytest.mark.parametrize(("since", "asked_at"), [(100, 105), (98, 103), (90, 100)])
def test_the_hold_is_counted_from_when_the_rows_began_to_hold(since: float, asked_at: float) -> None:
    """What has held through its rounds and a sample for that long is looked at again without waiting."""
    clock = ManualClock(100)
    turns = Turns(clock, {"row": 0})
    probes, timing = {"row": PROBE}, Timing(hold=5)
    tracks = stay(cast(Rounds, turns), probes, {"row": True}, timing, Clock(clock, clock.sleep), since=since)
    assert (turns.asked["row"], tracks["row"].row) == (asked_at, 1)


def test_a_shorter_one_changes_nothing() -> None:
    """What people allow all rows by --ambient-timeout is the least."""
    tracks, asked, _ = settled({"row": 2}, row=999)
    assert 10 <= asked["row"] <= 11
    assert tracks["row"].row == 0


def test_right_answers_that_have_begun_may_end_late() -> None:
    """A row that holds at the deadline is not cut off, longer or not."""
    assert settled({}, row=10)[0]["row"].row == 3
    assert settled({"row": 20}, row=20)[0]["row"].row == 3


def test_a_deadline_must_be_a_time() -> None:
    """One line at collection."""
    with pytest.raises(Misuse, match="case 'x': within must be seconds above 0, not 0"):
        Case("x", "curl", GET("http://a/"), Answered(404), Answered(200), within=0)
    with pytest.raises(pytest.Collector.CollectError, match="within must be seconds above 0, not -1"):
        case("x", "curl", GET("http://a/"), Answered(404), within=-1)
    assert case("x", "curl", GET("http://a/"), Answered(404), within=7).within == 7


def test_a_name_without_address_is_waited_for_as_long_as_a_resolver_remembers() -> None:
    """Who asks for a new Service too early hears for half a minute that there is none; another failure is final."""
    assert settled({}, exit=6, row=31)[0]["row"].row == 3
    assert settled({}, exit=56, row=31)[0]["row"].row == 0


def test_a_name_that_never_gets_an_address_is_given_up() -> None:
    """After the time for all and that of a resolver's memory."""
    tracks, asked, _ = settled({}, exit=6, row=999)
    assert tracks["row"].row == 0
    assert 45 <= asked["row"] <= 46


def test_no_row_is_given_up_after_one_look() -> None:
    """The look may have taken longer than the time for all, by another row's fault."""
    tracks, _, _ = settled({}, first=20, row=5)
    assert (tracks["row"].attempts, tracks["row"].row) == (4, 3)


def stayed(turns: Turns, clock: ManualClock, *keys: str) -> dict[str, Track]:
    """The looks whether rows stay, which begin at once."""
    timing = Timing(hold=0, shortest=1, longest=1)
    probes, still = dict.fromkeys(keys, PROBE), dict.fromkeys(keys, True)
    return stay(cast(Rounds, turns), probes, still, timing, Clock(clock, clock.sleep), since=0)


@pytest.mark.parametrize(("exit", "holds", "row", "ended"), [(6, 20, 1, 20), (6, 999, 0, 35), (56, 20, 0, 5)])
def test_one_of_several_resolvers_may_remember_longer(exit: int, holds: float, row: int, ended: float) -> None:
    """A row that stays but for its name is asked again for as long; one that went wrong otherwise has not stayed."""
    clock = ManualClock()
    tracks = stayed(Turns(clock, {"row": holds}, exit=exit), clock, "row")
    assert (tracks["row"].row, clock.now) == (row, ended)


def test_a_node_that_is_late_is_waited_for_and_told() -> None:
    """Three more looks must all agree; the row beside it was right at once and is not asked again."""
    clock = ManualClock()
    turns = Turns(clock, {"late": 4, "prompt": 0})
    tracks = stayed(turns, clock, "late", "prompt")
    assert [(track.row, track.late) for track in tracks.values()] == [(1, "wrong"), (1, "")]
    assert turns.asked == {"late": 7, "prompt": 0}


@pytest.mark.parametrize(("wrong", "ended"), [({5}, 5), ({6}, 6), ({7}, 7)])
def test_what_comes_and_goes_has_not_stayed(wrong: set[float], ended: float) -> None:
    """One of the later looks is enough."""
    clock = ManualClock()
    tracks = stayed(Turns(clock, {"row": 1}, wrong=wrong), clock, "row")
    assert (tracks["row"].row, tracks["row"].late, clock.now) == (0, "", ended)


def test_a_denial_waits_for_the_name_that_its_twin_calls() -> None:
    """The denial itself was refused as it should be."""
    twin = Judged(Judgement(Word.BROKEN), Outcome(6), 0.0)
    denial = Judged(Judgement(Word.BROKEN), Outcome(56), 0.0)
    asked = Probe("curl", GET("http://a/"), Answered(200), twin="twin")
    assert nameless(asked, "row", {"row": denial, "twin": twin})
    assert not nameless(asked, "row", {"row": denial, "twin": Judged(Judgement(Word.HOLDS), Outcome(6), 0.0)})
