"""Every rule of the suite is seen red, by the right mechanism, and no deliberate fault fools any other row."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ambient.embedded.controllers.capture import LATE
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.mesh.bookinfo import CAPTURE_WITHIN

from . import suite
from .catalogue import catalogue
from .document import FILE as DOCUMENT
from .document import document
from .expected import GREEN, Red, seen, table
from .suite import SECOND, Row


def wanted(fault: Fault) -> list[str]:
    """The rows of the modules that are run with a fault."""
    return [row for row, module in catalogue().items() if module in table().modules(fault)]


@pytest.mark.parametrize("fault", list(Fault), ids=str)
def test_fault(fault: Fault, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Of the modules that are named for a fault the named rows turn red and say why, all others hold.

    Rows that did not come to hold, or turned red in other words, are given a second run with long deadlines, as the
    machine may be busy; the summary tells it. A row that holds though it must not is wrong at once.
    """
    run = suite.run(fault, table(), tmp_path / "1")
    wrong = suite.differences(fault, table(), run.rows, wanted(fault))
    if wrong and suite.late(run.rows, wrong):
        record_property(SECOND, f"{fault}: {wrong}")
        run = suite.run(fault, table(), tmp_path / "2", patience=4)
        wrong = suite.differences(fault, table(), run.rows, wanted(fault))
    told = [f"{row}: {reason}" for row, reason in wrong.items()]
    assert not wrong, "\n".join([*told, run.text, *told])  # a long text may be cut in the middle


def test_every_fault_is_in_the_table() -> None:
    """No fault is left out."""
    assert set(table().faults) == set(Fault)


def test_a_second_run_is_patient_but_not_with_a_fault_that_passes() -> None:
    """Rows that a fault breaks for some seconds would hold when they are waited for long enough, as R7's pods are."""
    once, patient = (table().deadlines(Fault.LATE_CAPTURE, patience) for patience in (1, 4))
    assert patient["becomes"] == once["becomes"] < LATE < CAPTURE_WITHIN
    assert patient["control"] == 4 * once["control"]
    others = {fault: table().deadlines(fault, 4)["becomes"] for fault in Fault if not table().faults[fault].fixed}
    assert set(others.values()) == {4 * table().timeout["becomes"]}


def test_the_table_names_rows_that_are_run() -> None:
    """What the table says of a fault is about rows of the modules that are run with it."""
    for fault, expected in table().faults.items():
        assert set(expected.red) <= set(wanted(fault)), fault


def test_every_rule_is_seen_broken() -> None:
    """Each rule of the catalogue has a row that turns red in named words under some fault."""
    rules = {row.partition("/")[0] for row in catalogue()}
    red = {row.partition("/")[0] for expected in table().faults.values() for row in expected.red}
    assert rules - red == {row.partition("/")[0] for row in table().unseen} - red


def test_every_row_was_seen_broken() -> None:
    """Each row turned red under some fault, or the table says why none does."""
    red = {row for expected in table().faults.values() for row in expected.red}
    red |= {row for each in seen().values() for row in each.rows}
    assert set(catalogue()) - red == set(table().unseen)


def test_what_was_seen_is_of_this_suite() -> None:
    """What is kept of the last complete runs names rows that there are, and what the table names is among it."""
    for fault, each in seen().items():
        assert each.rows <= set(catalogue()), fault
        assert set(table().faults[fault].red) <= each.rows, fault


def test_the_document_shows_the_table() -> None:
    """docs/faults.md is what the command writes: `python -m tests.conformance.page`."""
    assert DOCUMENT.read_text() == document(table(), seen(), catalogue())


def rows(**changed: Row) -> dict[str, Row]:
    """What a run that is right under split-frozen says, but for some rows, `__` for `/`."""
    red = table().faults[Fault.SPLIT_FROZEN].red
    right = {
        row: Row(red[row].word, red[row].phrase) if row in red else Row(GREEN) for row in wanted(Fault.SPLIT_FROZEN)
    }
    return right | {name.replace("__", "/").replace("_", "-"): row for name, row in changed.items()}


@pytest.mark.parametrize(
    ("changed", "wrong", "late"),
    [
        ({}, {}, True),
        ({"R4__zero_weight_is_never_served": Row("broken", "HTTP 503")}, "broken, must hold: HTTP 503", True),
        ({"R4__zero_weight_is_never_served": Row("skipped", "no")}, "skipped, must hold: no", True),
        ({"R4__halves_are_served_as_halves": Row(GREEN)}, "holds, must be broken: no failure", False),
        ({"R4__halves_are_served_as_halves": Row("inconclusive", "?")}, "inconclusive, must be broken: ?", True),
        ({"R4__halves_are_served_as_halves": Row("broken", "?")}, "broken, but does not say", True),
        ({"R9__new": Row(GREEN)}, "run although nobody asked for it", False),
    ],
)
def test_differences(changed: dict[str, Row], wrong: str | dict[str, str], late: bool) -> None:
    """A row that differs is named with what is wrong; only rows that did not come to hold may be tried again."""
    fault = Fault.SPLIT_FROZEN
    found = suite.differences(fault, table(), rows(**changed), wanted(fault))
    assert len(found) == len(changed)
    assert all(str(wrong) in each for each in found.values())
    assert suite.late(rows(**changed), found) is late


@pytest.mark.parametrize(
    ("word", "reason", "wrong"),
    [
        ("broken", "?", False),
        ("skipped", "?", False),
        ("inconclusive", "?", True),
        ("inconclusive", "denied, which proves nothing: its twin was not answered", False),
    ],
)
def test_beyond_the_named_rows_more_may_turn_red(word: str, reason: str, wrong: bool) -> None:
    """The complete table may find more rows red, never any that prove nothing but for want of an answered twin."""
    fault = Fault.SPLIT_FROZEN
    found = rows(R4__zero_weight_is_never_served=Row(word, reason))
    assert bool(suite.differences(fault, table(), found, wanted(fault), beyond=True)) is wrong


def test_a_run_that_broke_off_is_no_result(tmp_path: Path) -> None:
    """Rows that are missing in the results are told, and never tried again as if they were late."""
    lines = [{"run": "r1"}, {"nodeid": "a.py::test_x[y]", "word": GREEN, "reason": "", "rule": "R7"}]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert suite.results(tmp_path) == {"R7/test_x[y]": Row(GREEN)}
    assert suite.results(tmp_path / "nowhere") == {}
    fault = Fault.SPLIT_FROZEN
    found = suite.differences(fault, table(), {}, wanted(fault))
    assert set(found.values()) == {"not run"}
    assert not suite.late({}, found)


def test_a_phrase_is_broken_unless_said_otherwise() -> None:
    """A row of level documented differs where others break."""
    assert Red("x").word == "broken"
    assert {red.word for expected in table().faults.values() for red in expected.red.values()} <= {"broken", "differs"}
