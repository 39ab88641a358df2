"""The fault table as data: which rows of the suite each deliberate fault turns red, in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

import yaml

from pytest_ambient.embedded.faults import Fault

FOLDER = Path(__file__).parent
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
    """What one fault must do to the modules that are run with it; rows are `RULE/CASE`."""

    why: str
    """Why these rows and no others."""
    runs: tuple[str, ...]
    """The modules that prove it, such as `l4/test_port`."""
    red: Mapping[str, Red]
    timeout: Mapping[str, float]
    """Deadlines in seconds that differ from those of the other faults."""
    concerns: Literal["named", "all"] = "named"
    """Whether the complete table is about all modules, or about those that are named and those it can touch."""
    also: tuple[str, ...] = ()
    """Modules that the complete table adds."""
    fixed: tuple[str, ...] = ()
    """Deadlines that no second run makes longer, as the fault lasts for some seconds only."""


@dataclass(frozen=True)
class Seen:
    """What one fault did when the complete table was made."""

    modules: tuple[str, ...]
    red: Mapping[str, tuple[str, ...]]
    """Cases by rule."""

    @property
    def rows(self) -> frozenset[str]:
        """The rows that turned red."""
        return frozenset(f"{rule}/{case}" for rule, cases in self.red.items() for case in cases)


@dataclass(frozen=True)
class Table:
    """The whole table."""

    control: tuple[str, ...]
    """Modules that are run with every fault, in which all rows but the named ones must hold."""
    unseen: Mapping[str, str]
    """Rows that no fault turns red, and why."""
    timeout: Mapping[str, float]
    """Deadlines in seconds."""
    faults: Mapping[Fault, Expected]

    def deadlines(self, fault: Fault, patience: float = 1.0) -> dict[str, float]:
        """The deadlines under that fault, so many times as long where they are not fixed."""
        given, fixed = {**self.timeout, **self.faults[fault].timeout}, self.faults[fault].fixed
        return {name: seconds * (1 if name in fixed else patience) for name, seconds in given.items()}

    def modules(self, fault: Fault) -> tuple[str, ...]:
        """The modules that are run with that fault."""
        return tuple(dict.fromkeys((*self.control, *self.faults[fault].runs)))


@cache
def table() -> Table:
    """The table of `faults.yaml`."""
    read = yaml.safe_load((FOLDER / "faults.yaml").read_text())
    faults = {Fault(name): _expected(entry) for name, entry in read["faults"].items()}
    return Table(tuple(read["control"]), read["unseen"], read["timeout"], faults)


def _expected(entry: Mapping[str, object]) -> Expected:
    given = dict(entry)
    red = given.pop("red", None) or {}
    assert isinstance(red, dict)
    rows = {row: Red(each) if isinstance(each, str) else Red(**each) for row, each in red.items()}
    modules = {name: tuple(cast(list[str], given.pop(name, None) or ())) for name in ("runs", "also", "fixed")}
    return Expected(**{"timeout": {}, **modules, "red": rows, **given})  # type: ignore[arg-type]  # YAML


@cache
def seen() -> Mapping[Fault, Seen]:
    """What `python -m tests.conformance.table` saw: `seen.yaml`."""
    read = yaml.safe_load((FOLDER / "seen.yaml").read_text()) or {}
    return {
        Fault(name): Seen(tuple(entry["modules"]), {rule: tuple(cases) for rule, cases in (entry["red"] or {}).items()})
        for name, entry in read.items()
    }
