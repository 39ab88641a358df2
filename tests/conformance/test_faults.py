"""Every row of the suite is seen red, by the right mechanism, and no deliberate fault fools any other row."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ambient.embedded.faults import Fault

from . import suite
from .document import FILE as DOCUMENT
from .document import document
from .expected import GREEN, Red, table
from .suite import ROOT, Row


@pytest.mark.parametrize("fault", list(Fault), ids=str)
def test_fault(fault: Fault, tmp_path: Path) -> None:
    """The rows that the table names turn red and say why, all others hold.

    Rows that did not come to hold are given a second run with long deadlines, as the machine may be busy; a row that
    holds though it must not, or fails in other words, is wrong at once.
    """
    seen = suite.run(fault, table(), tmp_path / "1")
    if suite.differences(fault, table(), seen.rows) and suite.late(fault, table(), seen.rows):
        seen = suite.run(fault, table(), tmp_path / "2", patience=4)
    assert suite.differences(fault, table(), seen.rows) == {}, seen.text


def test_every_fault_is_in_the_table() -> None:
    """No fault is left out."""
    assert set(table().faults) == set(Fault)


def test_the_table_names_rows_that_there_are() -> None:
    """The table's rows are the suite's, and what it says of a fault is about them."""
    command = [sys.executable, "-m", "pytest", "conformance", "--collect-only", "-q", "-p", "no:cacheprovider"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AMBIENT_"))}
    listed = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=True).stdout
    named = sorted(row.partition("/")[2] for row in table().rows)
    found = [line.rpartition("::")[2] for line in listed.splitlines() if "::" in line]
    assert sorted(each if each in named else each.partition("[")[2].rstrip("]") for each in found) == named
    for expected in table().faults.values():
        assert {*expected.red, *expected.skipped} <= set(table().rows)


def test_every_promise_was_seen_broken() -> None:
    """Each row that a manifest or the mesh's parts decide turns red under some fault, or the table says why not."""
    red = {row for expected in table().faults.values() for row in expected.red}
    assert set(table().rows) - red == set(table().unseen)


def test_the_document_shows_the_table() -> None:
    """docs/faults.md is what the command writes: `python -m tests.conformance.table`."""
    assert DOCUMENT.read_text() == document(table())


def rows(**changed: Row) -> dict[str, Row]:
    """What a run that is right under split-frozen says, but for some rows, `_` for `/`."""
    fault = table().faults[Fault.SPLIT_FROZEN]
    right = {
        row: Row(fault.red[row].word, fault.red[row].phrase) if row in fault.red else Row(GREEN)
        for row in table().run(Fault.SPLIT_FROZEN)
    }
    return right | {name.replace("__", "/").replace("_", "-"): row for name, row in changed.items()}


@pytest.mark.parametrize(
    ("changed", "wrong", "late"),
    [
        ({}, {}, True),
        ({"R1__no_header_reaches_v1": Row("broken", "HTTP 503")}, "broken, must hold: HTTP 503", True),
        ({"R4__halves_are_served_as_halves": Row(GREEN)}, "holds, must be broken: no failure", False),
        ({"R4__halves_are_served_as_halves": Row("inconclusive", "?")}, "inconclusive, must be broken: ?", False),
        ({"R4__halves_are_served_as_halves": Row("broken", "?")}, "broken, but does not say", False),
        ({"R9__new": Row(GREEN)}, "run although it is not in the table", False),
    ],
)
def test_differences(changed: dict[str, Row], wrong: str | dict[str, str], late: bool) -> None:
    """A row that differs is named with what is wrong; only rows that did not come to hold may be tried again."""
    found = suite.differences(Fault.SPLIT_FROZEN, table(), rows(**changed))
    assert len(found) == len(changed)
    assert all(str(wrong) in each for each in found.values())
    assert suite.late(Fault.SPLIT_FROZEN, table(), rows(**changed)) is late


def test_a_run_that_broke_off_is_no_result(tmp_path: Path) -> None:
    """Rows that are missing in the results are told, and never tried again as if they were late."""
    lines = [{"run": "r1"}, {"nodeid": "a.py::test_x[y]", "word": GREEN, "reason": "", "rule": "R7"}]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert suite.results(tmp_path) == {"R7/test_x[y]": Row(GREEN)}
    assert suite.results(tmp_path / "nowhere") == {}
    assert set(suite.differences(Fault.SPLIT_FROZEN, table(), {}).values()) == {"not run"}
    assert not suite.late(Fault.SPLIT_FROZEN, table(), {})


def test_a_phrase_is_broken_unless_said_otherwise() -> None:
    """A row of level documented differs where others break."""
    differing = {row: red.word for expected in table().faults.values() for row, red in expected.red.items()}
    assert Red("x").word == "broken"
    assert set(differing.values()) <= {"broken", "differs"}
