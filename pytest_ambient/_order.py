"""In which order files of tests are dealt to workers: the longest first, so that no worker waits alone at the end."""

from pathlib import Path

import pytest

from pytest_ambient import _gate
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Split, Steady, TimedOut

MODULE, STATE, ANSWER = 2.0, 2.5, 0.006
"""Seconds, about: for a set-up, for a state with its hold, for one answer of a split's first look (more follow)."""
SILENCE, STREAM = 10.0, 15.0
"""Likewise for a row that waits for nothing to come, and for a steady stream."""


def longest_first(items: list[pytest.Item]) -> None:
    """Put the tests of files that take long before those of others; each file's own keep their order."""
    rows: dict[Path, list[Case]] = {item.path: [] for item in items}
    for item in items:
        row = _gate.case_of(item)
        rows[item.path] += [row] if row is not None else []
    spent = {path: seconds(found) for path, found in rows.items()}
    places = {path: place for place, path in enumerate(rows)}
    items.sort(key=lambda item: (-spent[item.path], places[item.path]))


def seconds(rows: list[Case]) -> float:
    """What the rows of one module will take, about."""
    if not rows:
        return 0.0
    return MODULE + STATE * len({row.state for row in rows}) + sum(map(_more, rows))


def _more(row: Case) -> float:
    wanted = row.expectation
    if isinstance(wanted, Split):
        return ANSWER * wanted.size
    if isinstance(wanted, Steady):
        return STREAM
    return SILENCE if isinstance(wanted, TimedOut) else 0.0
