"""The fault table as data: the suite's rows, and which of them each deliberate fault turns red, in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from pytest_ambient.embedded.faults import Fault

FILE = Path(__file__).parent / "faults.yaml"
GREEN = "holds"


@dataclass(frozen=True)
class Red:
    """How one row fails."""

    phrase: str
    """What its failure must say."""
    word: str = "broken"
    """The row's word; that of a row of level `documented` is `differs`."""


@dataclass(frozen=True)
class Expected:
    """What one fault must do to the suite; rows are `RULE/CASE`."""

    why: str
    """Why these rows and no others."""
    red: Mapping[str, Red]
    skipped: tuple[str, ...] = ()
    """Rows that are not run, to save time."""
    timeout: Mapping[str, float] | None = None
    """Deadlines in seconds that differ from those of the other faults."""


@dataclass(frozen=True)
class Table:
    """The whole table."""

    rows: tuple[str, ...]
    """All rows of the suite."""
    unseen: Mapping[str, str]
    """Rows that no fault turns red, and why."""
    timeout: Mapping[str, float]
    """Deadlines in seconds."""
    faults: Mapping[Fault, Expected]

    def deadlines(self, fault: Fault) -> dict[str, float]:
        """The deadlines under that fault."""
        return {**self.timeout, **(self.faults[fault].timeout or {})}

    def run(self, fault: Fault) -> tuple[str, ...]:
        """The rows that are run under that fault."""
        return tuple(row for row in self.rows if row not in self.faults[fault].skipped)


@cache
def table() -> Table:
    """The table of `faults.yaml`."""
    read = yaml.safe_load(FILE.read_text())
    rows = tuple(f"{rule}/{case}" for rule, cases in read["rows"].items() for case in cases)
    faults = {}
    for name, entry in read["faults"].items():
        red = {row: Red(each) if isinstance(each, str) else Red(**each) for row, each in (entry["red"] or {}).items()}
        skipped = tuple(entry.get("skipped", ()))
        faults[Fault(name)] = Expected(entry["why"], red, skipped, entry.get("timeout"))
    return Table(rows, read["unseen"], read["timeout"], faults)
