"""Steps: group after group, side by side within one, tried again, told, and undone in reverse."""

import signal
import threading
import time
from collections.abc import Callable

import pytest

from pytest_ambient import _run, steps
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import InstallerError, ProviderError
from pytest_ambient.steps import Step, Steps
from pytest_ambient.testing import ManualClock


class Diary:
    """Steps that write down what is done and undone."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.clock = ManualClock()
        self.told: list[str] = []
        self.steps = Steps(self.told.append, self.clock)

    def step(self, name: str, do: Callable[[], None] | None = None, tries: int = 1, seconds: float = 1.5) -> Step:
        """A step that takes some seconds."""

        def done() -> None:
            self.lines.append(name)
            self.clock.sleep(seconds)
            if do is not None:
                do()

        return Step(name, done, lambda: self.lines.append(f"not {name}"), tries)


def fail() -> None:
    """Never works."""
    raise ProviderError("no\nand more")


def test_steps_are_timed_and_undone_in_reverse() -> None:
    """Also the step that failed: what it had half done goes too."""
    diary = Diary()
    diary.steps.do([diary.step("a")])
    diary.steps.do([diary.step("b", seconds=0.01)])
    with pytest.raises(ProviderError):
        diary.steps.do([diary.step("c", fail)])
    diary.steps.undo()
    diary.steps.undo()
    assert diary.lines == ["a", "b", "c", "not c", "not b", "not a"]
    assert diary.told == ["a 1.5 s"]
    assert diary.steps.seconds == {"a": 1.5, "b": pytest.approx(0.01)}


def test_an_undoing_that_is_interrupted_stays_known() -> None:
    """What is left is told as of one that fails; the rest is undone all the same."""
    diary = Diary()

    def interrupted() -> None:
        raise KeyboardInterrupt

    diary.steps.do([diary.step("a")])
    diary.steps.do([Step("b", lambda: None, interrupted)])
    with pytest.raises(KeyboardInterrupt):
        diary.steps.undo()
    assert diary.lines == ["a", "not a"]
    assert (diary.steps.left, diary.told) == (["the removal was interrupted"], ["a 1.5 s"])


def test_a_removal_that_takes_time_is_told() -> None:
    """Not that of a step that never was done."""
    diary = Diary()
    slow = [Step(name, lambda: None, lambda: diary.clock.sleep(3)) for name in ("mesh", "addons")]
    for step in slow:
        diary.steps.do([step])
    with pytest.raises(ProviderError):
        diary.steps.do([Step("broken", fail, lambda: diary.clock.sleep(3))])
    diary.steps.undo()
    assert diary.told == ["removed addons 3.0 s", "removed mesh 3.0 s"]


def test_what_is_kept_is_not_undone() -> None:
    """On purpose."""
    diary = Diary()
    diary.steps.do([diary.step("a")])
    diary.steps.keep()
    diary.steps.undo()
    assert diary.lines == ["a"]


def test_what_cannot_be_undone_keeps_nothing_else_back() -> None:
    """Each reason is kept."""
    diary = Diary()
    diary.steps.do([diary.step("a")])
    diary.steps.do([Step("b", lambda: None, fail)])
    diary.steps.do([Step("c", lambda: None, lambda: [][0])])
    diary.steps.undo()
    assert diary.lines == ["a", "not a"]
    assert diary.steps.left == ["IndexError('list index out of range')", "no\nand more"]


def test_the_steps_of_a_group_go_side_by_side_and_the_next_group_after_them() -> None:
    """Each waits for the other to have begun, which none could alone."""
    diary, meeting = Diary(), threading.Barrier(2)

    def meet() -> None:
        meeting.wait(10)

    diary.steps.do([diary.step("a", meet), diary.step("b", meet)])
    diary.steps.do([diary.step("c")])
    diary.steps.undo()
    assert sorted(diary.lines[:2]) == ["a", "b"]
    assert diary.lines[2:] == ["c", "not c", "not b", "not a"]


def test_a_step_that_is_known_to_flake_is_tried_again_with_a_line() -> None:
    """As often as it says, and only where the environment was at fault."""
    diary, answers = Diary(), iter([InstallerError("webhook not ready\nlong story"), InstallerError("again"), None])

    def flaky() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    diary.steps.do([diary.step("istio", flaky, tries=3)])
    assert diary.told == [
        "istio failed, trying again (2 of 3): webhook not ready",
        "istio failed, trying again (3 of 3): again",
        "istio 4.5 s",
    ]
    with pytest.raises(ProviderError):
        diary.steps.do([diary.step("b", fail, tries=2)])
    assert diary.lines.count("b") == 2
    with pytest.raises(ZeroDivisionError):
        diary.steps.do([diary.step("c", lambda: [1][1 // 0], tries=2)])  # type: ignore[arg-type]  # raises before
    assert diary.lines.count("c") == 1


def waiting() -> None:
    """Waits for what never comes, in this process."""
    until(lambda: NotYet("no"), what="nothing", within=60)


def running() -> None:
    """Waits for what never comes, in another process."""
    _run.run(["sleep", "60"], within=60)


@pytest.mark.parametrize("works", [waiting, running])
def test_a_step_that_fails_ends_the_others_of_its_group(works: Callable[[], None]) -> None:
    """Its error is the one that is raised, at once, and what the others did is undone after they have ended."""
    diary, begun, start = Diary(), threading.Event(), time.monotonic()

    def work() -> None:
        begun.set()
        try:
            works()
        finally:
            diary.lines.append("ended")

    def fail_then() -> None:
        assert begun.wait(10)
        fail()

    with pytest.raises(ProviderError, match=r"^no"):
        diary.steps.do([diary.step("a", work), diary.step("b", fail_then)])
    diary.steps.undo()
    assert time.monotonic() - start < 15
    assert diary.lines[2:] == ["ended", "not b", "not a"]


def test_an_interruption_while_threads_work_ends_and_undoes_them() -> None:
    """It comes to the main thread alone."""
    diary, start = Diary(), time.monotonic()

    def interrupted() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        waiting()

    with pytest.raises(KeyboardInterrupt):
        diary.steps.do([diary.step("b", running), diary.step("a", interrupted)])
    diary.steps.undo()
    assert time.monotonic() - start < 15
    assert diary.lines[-2:] == ["not a", "not b"]
    assert [thread.name for thread in threading.enumerate() if thread.name in ("a", "b")] == []


def test_a_step_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And does not keep anybody."""
    monkeypatch.setattr(steps, "GRACE", 0.1)
    diary, over = Diary(), threading.Event()

    def deaf() -> None:
        over.wait(30)

    with pytest.raises(ProviderError):
        diary.steps.do([diary.step("deaf", deaf), diary.step("b", fail)])
    assert diary.told == ["deaf does not end, what it did is undone all the same"]
    over.set()


def test_a_long_step_tells_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time it has taken so far."""
    monkeypatch.setattr(steps, "PULSE", 0.05)
    diary, told = Diary(), threading.Event()

    def tell(line: str) -> None:
        diary.told.append(line)
        told.set()

    def work() -> None:
        told.wait(10)

    diary.steps = Steps(tell, diary.clock)
    diary.steps.do([diary.step("istio", work)])
    assert diary.told[0] == "istio goes on, 0 s so far"
