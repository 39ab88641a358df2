"""The closing table, pinned whole."""

import json

import pytest

from pytest_ambient.report import junit, terminal
from pytest_ambient.report.junit import Json
from pytest_ambient.report.results import Row, Word


def row(rule: str, word: Word, stable: float | None = None, reason: str = "", **facts: Json) -> Row:
    """One result."""
    more: dict[str, Json] = {"rule": rule, "case": "a-case", **facts}
    return Row("l4/test_x.py::test_x[a-case]", word, reason, more if stable is None else {**more, "stable_ms": stable})


def test_rules_are_in_their_natural_order_with_a_sum() -> None:
    """Columns that would be empty are left out, except for what holds."""
    rows = [
        row("R10", "holds", 120.4),
        row("R2", "holds", 31.0),
        row("R2", "holds", 95.6),
        row("R2", "broken", reason="HTTP 405"),
        row("W3", "skipped", reason="the mesh has no Kiali (no running pod)"),
        row("W3", "skipped", reason="the mesh has no Kiali (no running pod)"),
        row("E1", "differs", 2500.0, reason="HTTP 200\nmore"),
    ]
    assert terminal.lines(rows) == [
        "rule  holds  differs  broken  skipped  effect, median / slowest",
        "E1        -        1       -        -          2,500 / 2,500 ms",
        "R2        2        -       1        -                63 / 96 ms",
        "R10       1        -       -        -              120 / 120 ms",
        "W3        -        -       -        2                         -",
        "all       3        1       1        2            108 / 2,500 ms",
        "E1 a-case differs from the documents: HTTP 200",
        "2 skipped: the mesh has no Kiali (no running pod)",
    ]


def test_shares_of_a_split_have_their_intervals() -> None:
    """One line a backend: share, interval, sample, what was wanted, p."""
    share: Json = {"backend": "v1", "wanted": 0.9, "share": 0.901, "low": 0.88, "high": 0.92, "total": 2807, "p": 1e-7}
    assert terminal.lines([row("R4", "broken", split=[share])])[-1] == (
        "R4 a-case: v1 90.1 % [88.0, 92.0] of 2,807, wanted 90 %, p = 1e-07"
    )


def test_a_steady_stream_has_its_numbers() -> None:
    """One line: requests and rate, what failed by kind, each time without service."""
    stream: dict[str, Json] = {
        "requests": 214, "seconds": 21.3, "rate": 10.05, "good": 206, "wrong": 1, "lost": 2,
        "errors": {"no address": 6, "503": 1}, "gaps": [{"start_ms": 412, "ms": 612}, {"start_ms": 9000, "ms": 101}],
    }  # fmt: skip
    assert terminal.lines([row("S1", "holds", stream=stream)])[-1] == (
        "S1 a-case: 214 requests at 10.05/s, 206 as wanted, failed: 1 503, 6 no address, wrong: 1, lost: 2; "
        "without service 612 ms, 101 ms"
    )
    quiet: dict[str, Json] = {"requests": 30, "rate": 9.9, "good": 30, "errors": {}, "gaps": []}
    assert terminal.lines([row("S1", "holds", stream=quiet)])[-1] == ("S1 a-case: 30 requests at 9.9/s, 30 as wanted")


def test_no_rows_no_table() -> None:
    """A run without ambient tests prints nothing."""
    assert terminal.lines([]) == []


def test_a_test_without_rule_or_case_goes_by_its_own_name() -> None:
    """So a user's tests are in the table too."""
    one = Row("tests/test_mine.py::test_it[a]", "holds")
    assert (one.rule, one.case) == ("test_mine", "test_it[a]")


@pytest.mark.parametrize("value", ["text", 3, 1.5, True, ["a"], {"a": [1]}])
def test_facts_survive_their_way_through_properties(value: Json) -> None:
    """What is read is what was written."""
    assert junit.facts(junit.properties({"fact": value})) == {"fact": value}


def test_facts_that_say_nothing_are_left_out_and_foreign_properties_passed_over() -> None:
    """Properties of other plugins stay theirs."""
    assert junit.properties({"a": None, "b": "", "c": []}) == []
    assert junit.facts([("other", "x"), ("ambient.a", json.dumps(1)), ("ambient.b", "{")]) == {"a": 1, "b": "{"}
