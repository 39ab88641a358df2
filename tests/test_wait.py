"""Waiting: times in a row, deadlines, giving up, and the last answer in the error."""

import pytest

from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import NotInTime
from pytest_ambient.testing import ManualClock


def test_the_answer_comes_as_soon_as_it_is_there() -> None:
    """Nothing is slept through once the check is content."""
    clock = ManualClock()
    answers = iter([NotYet("1 of 2"), "done"])
    assert until(lambda: next(answers), what="x", within=5, clock=clock, sleep=clock.sleep) == "done"
    assert clock.now == pytest.approx(0.05)


def test_several_times_in_a_row_start_anew_after_a_miss() -> None:
    """Two right answers, a wrong one and three right ones are three in a row, not five."""
    clock = ManualClock()
    asked = iter([1, 1, NotYet("flapped"), 1, 1, 1, 1])
    until(lambda: next(asked), what="x", within=50, times=3, clock=clock, sleep=clock.sleep)
    assert list(asked) == [1]


def test_the_error_has_the_deadline_and_the_last_answer() -> None:
    """One line says what was waited for, how long, and what there was instead."""
    clock = ManualClock()
    with pytest.raises(NotInTime, match=r"pods: not within 2 s \(\d\.\d s\); last: 1 of 2 Ready"):
        until(lambda: NotYet("1 of 2 Ready"), what="pods", within=2, clock=clock, sleep=clock.sleep)


def test_pauses_grow_to_a_second() -> None:
    """50 ms at first, then half as long again each time, never more than a second."""
    pauses: list[float] = []
    clock = ManualClock()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.sleep(seconds)

    with pytest.raises(NotInTime):
        until(lambda: NotYet("no"), what="x", within=6, clock=clock, sleep=sleep)
    assert pauses[:9] == pytest.approx([0.05 * 1.5**turn for turn in range(8)] + [1.0])


def test_a_check_can_give_up() -> None:
    """What can't come any more is not waited for."""
    clock = ManualClock()
    with pytest.raises(NotInTime, match=r"x: gave up waiting .*; last: ImagePullBackOff"):
        until(lambda: NotYet("ImagePullBackOff", given_up=True), what="x", within=60, clock=clock, sleep=clock.sleep)
    assert clock.now == 0


def test_an_answer_that_is_false_is_an_answer() -> None:
    """Only NotYet means not yet."""
    assert until(lambda: 0, what="x", within=1) == 0
