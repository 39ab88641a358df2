"""Runs modules of the suite on an embedded cluster with a fault, and weighs their rows against the table."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient.embedded.faults import Fault

from .catalogue import ROOT
from .expected import GREEN, Table

LIMIT = 420.0
"""Seconds for one run of a fault's own modules, far more than any needs."""
NEXT = "1.30.4"
"""A version that images of the embedded cluster may name, as any other."""
SECOND = "run a second time"
"""The property of a test whose fault was."""
RED = ("broken", "differs")
VAIN = "denied, which proves nothing: "
"""How a denial begins whose twin is not answered either."""


@dataclass(frozen=True)
class Row:
    """What one run said of one row."""

    word: str
    reason: str = ""


@dataclass(frozen=True)
class Run:
    """One run: its rows by `RULE/CASE`, and what it printed."""

    rows: Mapping[str, Row]
    text: str = ""


def run(
    fault: Fault,
    table: Table,
    folder: Path,
    *,
    modules: Sequence[str] = (),
    patience: float = 1.0,
    limit: float = LIMIT,
) -> Run:
    """Run the fault's modules, or those, results and state in the folder; `patience` makes deadlines longer."""
    deadlines = ",".join(f"{name}={seconds:g}" for name, seconds in table.deadlines(fault, patience).items())
    files = [f"conformance/{each}.py" for each in modules or table.modules(fault)]
    command = [
        sys.executable, "-m", "pytest", *files, "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
        "--ambient-lanes=1",  # the tests of faults share the cores already
        "--ambient-cluster=embedded", f"--ambient-fault={fault}", f"--ambient-timeout={deadlines}",
        f"--ambient-report={folder}", "--ambient-artifacts=off", "--ambient-disruptive",
        f"--ambient-upgrade-to={NEXT}",
    ]  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AMBIENT_"))}
    environment = {**clean, "XDG_STATE_HOME": str(folder / "s")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit, check=False
    )
    return Run(results(folder), done.stdout + done.stderr)


def results(folder: Path) -> dict[str, Row]:
    """The rows in `results.jsonl` of a folder; none when the run came to no result."""
    file = folder / "results.jsonl"
    lines = map(json.loads, file.read_text().splitlines() if file.exists() else [])
    found = {}
    for line in (line for line in lines if "nodeid" in line):
        case = line.get("case") or line["nodeid"].rpartition("::")[2]
        found[f"{line['rule']}/{case}"] = Row(line["word"], line["reason"])
    return found


def differences(
    fault: Fault, table: Table, seen: Mapping[str, Row], wanted: Sequence[str], *, beyond: bool = False
) -> dict[str, str]:
    """The rows that are not as the table says, each with what is wrong; nothing when all are.

    `wanted` are the rows of the modules that were run; `beyond` lets rows turn red that the table does not name, and
    denials prove nothing where all is denied.
    """
    wrong = {row: "run although nobody asked for it" for row in seen if row not in wanted}
    for name in wanted:
        row, red = seen.get(name), table.faults[fault].red.get(name)
        if row is None:
            wrong[name] = "not run"
        elif red is None and row.word != GREEN and not (beyond and _may(row)):
            wrong[name] = f"{row.word}, must hold: {row.reason}"
        elif red is not None and row.word != red.word:
            wrong[name] = f"{row.word}, must be {red.word}: {row.reason or 'no failure'}"
        elif red is not None and red.phrase not in row.reason:
            wrong[name] = f"{row.word}, but does not say {red.phrase!r}: {row.reason}"
    return wrong


def _may(row: Row) -> bool:
    return row.word in (*RED, "skipped", "unsupported") or row.reason.startswith(VAIN)


def late(seen: Mapping[str, Row], wrong: Mapping[str, str]) -> bool:
    """Whether no row is wrong by holding or by not being run at all: on a busy machine evidence comes late."""
    return all(row in seen and seen[row].word != GREEN for row in wrong)
