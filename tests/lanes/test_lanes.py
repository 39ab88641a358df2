"""Modules judged ahead by lanes: which ones, what becomes of their errors, how they end."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient import _halt
from pytest_ambient._lanes import Lanes
from pytest_ambient.errors import BrokenEnvironment, LockError, Misuse, NotInTime
from pytest_ambient.probe.converge import Clock
from pytest_ambient.verdict.case import Case

from .conftest import ROW, WITHIN, A, B, Bench, C


def ended(lanes: Lanes) -> None:
    """Ends lanes from another thread, for it must not hang."""
    thread = threading.Thread(target=lanes.end, daemon=True)
    thread.start()
    thread.join(WITHIN)
    assert not thread.is_alive()


def test_a_lane_goes_from_the_last_module_back(bench: Bench) -> None:
    """What the run itself has begun no lane takes; what a lane has taken is waited for."""
    lanes = bench.lanes()
    bench.waits[C] = threading.Event()
    lanes.begin([(A, [ROW]), (B, [ROW]), (C, [ROW])])
    assert bench.began.wait(WITHIN)
    assert lanes.taken(A) is None
    bench.waits[C].set()
    found = [lanes.taken(module) for module in (B, C)]
    ended(lanes)
    assert all(job is not None and job.run is not None and job.error is None for job in found if job)
    assert [name for name, _ in bench.judged if name != "test_b"] == ["test_c"]
    assert bench.judged.count(("test_b", ROW.id)) == (found[0] is not None)
    assert bench.back == [name for name, _ in bench.judged]
    assert (bench.closed, bench.told) == ([2], [])


def test_several_lanes_share_modules(bench: Bench) -> None:
    """Each module is judged once, by one of them."""
    lanes = bench.lanes(2)
    bench.waits = {A: threading.Event(), B: threading.Event()}
    lanes.begin([(A, [ROW]), (B, [ROW])])
    for event in bench.waits.values():
        event.set()
    jobs = [job for module in (A, B) if (job := lanes.taken(module)) is not None]
    ended(lanes)
    assert sorted(bench.back) == sorted(job.module.stem for job in jobs)
    assert sorted(bench.closed) == [2, 3]


def test_a_lane_without_a_module_does_not_come_up(bench: Bench) -> None:
    """It would bring a Bookinfo up for nothing; it comes up once there is one for it."""
    lanes = bench.lanes(3)
    bench.waits = {module: threading.Event() for module in (A, B, C)}
    lanes.begin([(C, [ROW])])
    lanes.begin([(A, [ROW]), (B, [ROW])])
    for event in bench.waits.values():
        event.set()
    jobs = [lanes.taken(module) for module in (C, B, A)]
    ended(lanes)
    assert jobs.count(None) < len(jobs)
    assert sorted(bench.closed) == [2, 3]


def test_what_a_lane_has_judged_is_given_once(bench: Bench) -> None:
    """A rerun, or an order of chance that comes back to a module, judges it anew and waits for nobody."""
    lanes = bench.lanes()
    bench.waits[B] = threading.Event()
    lanes.begin([(A, [ROW]), (B, [ROW])])
    assert bench.began.wait(WITHIN)
    first = [lanes.taken(A)]
    bench.waits[B].set()
    first.append(lanes.taken(B))
    again: list[object] = []
    thread = threading.Thread(target=lambda: again.extend(lanes.taken(module) for module in (A, B)), daemon=True)
    thread.start()
    thread.join(WITHIN)
    ended(lanes)
    assert first[0] is None
    assert first[1] is not None
    assert again == [None, None]
    assert lanes.knows(A)
    assert lanes.knows(B)


def test_a_module_that_nobody_named_is_the_runs_own(bench: Bench) -> None:
    """As is every one once lanes have ended."""
    lanes = bench.lanes()
    assert not lanes.knows(A)
    assert lanes.taken(A) is None
    ended(lanes)
    assert (bench.judged, bench.closed) == ([], [])


def test_an_error_of_a_case_is_left_to_the_run(bench: Bench) -> None:
    """The rule remembers it, and raises it again for the test that asks."""
    bench.fails[B] = BrokenEnvironment("the API is away")
    job = done(bench, B)
    assert job.run is not None
    assert job.error is None


def test_a_mistake_that_keeps_a_module_from_being_judged_is_kept(bench: Bench) -> None:
    """Also one that is none of ours."""
    bench.fails[B] = ZeroDivisionError("a bug")
    job = done(bench, B)
    assert job.run is None
    assert str(job.error) == "a bug"
    assert bench.back == ["test_b"]


def test_a_mesh_that_is_not_free_is_the_error_of_the_module(bench: Bench) -> None:
    """Its rule is closed by the time its tests come: what it never asked, it must not be asked then."""
    bench.busy = LockError("turn.db: not free within 600 s")
    job = done(bench, B)
    assert job.run is None
    assert str(job.error) == "turn.db: not free within 600 s"
    assert (bench.judged, bench.back) == ([], ["test_b"])


def test_what_cannot_be_taken_back_is_told_beside_the_results(bench: Bench) -> None:
    """The module's tests have their verdicts, and its end has the error."""
    bench.stays[B] = NotInTime("the policy stays")
    job = done(bench, B)
    assert job.run is not None
    assert str(job.error) == "the policy stays"


def done(bench: Bench, module: Path) -> Any:
    """What became of a module that a lane has judged."""
    lanes = bench.lanes()
    lanes.begin([(module, [ROW])])
    assert bench.began.wait(WITHIN)
    job = lanes.taken(module)
    ended(lanes)
    assert job is not None
    return job


def test_the_end_cuts_short_what_is_at_hand_and_puts_it_back(bench: Bench) -> None:
    """No test asks for it any more, after Ctrl-C or `-x`."""
    lanes = bench.lanes()
    bench.waits[B] = threading.Event()
    lanes.begin([(A, [ROW]), (B, [ROW])])
    assert bench.began.wait(WITHIN)
    ended(lanes)
    assert bench.judged == []
    assert (bench.back, bench.closed, bench.told) == (["test_b"], [2], [])


def test_the_end_does_not_wait_for_all_cases(bench: Bench) -> None:
    """One that cannot be cut short is the last."""
    other = replace(ROW, id="it-is-answered-again")
    goes, stubborn = threading.Event(), bench.result

    def result(module: Path, row: Case) -> str:
        bench.began.set()
        assert goes.wait(WITHIN)
        return stubborn(module, row)

    bench.result = result  # type: ignore[method-assign]  # a rule that hears nothing
    lanes = bench.lanes()
    lanes.begin([(A, [ROW]), (B, [ROW, other])])
    assert bench.began.wait(WITHIN)
    thread = threading.Thread(target=lanes.end, daemon=True)
    thread.start()
    assert lanes._halt._event.wait(WITHIN)
    goes.set()
    thread.join(WITHIN)
    assert not thread.is_alive()
    assert bench.judged == [("test_b", ROW.id)]
    assert bench.back == ["test_b"]


def test_what_waits_for_a_mesh_hears_that_it_shall_end() -> None:
    """Pauses between looks, and holds, are most of what a lane does."""
    halt = _halt.Halt()
    halt.set()
    with _halt.under(halt), pytest.raises(KeyboardInterrupt):
        Clock().sleep(WITHIN)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (Misuse("no room for a second Bookinfo"), "no room for a second Bookinfo"),
        (ZeroDivisionError("a bug"), "ZeroDivisionError('a bug')"),
    ],
    ids=["known", "unknown"],
)
def test_a_lane_that_does_not_come_up_leaves_all_to_the_run(bench: Bench, missing: Exception, told: str) -> None:
    """A line says so; nothing is lost, whatever it was."""
    bench.missing = missing
    lanes = bench.lanes()
    lanes.begin([(B, [ROW])])
    for thread in lanes._threads:
        thread.join(WITHIN)
    assert bench.told == []  # its thread must not touch what pytest captures, the run's own says it
    assert lanes.taken(B) is None
    ended(lanes)
    assert bench.told == [f"lane 2 did not come up, its modules are judged one after the other: {told}"]
