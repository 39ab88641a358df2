"""Runs the conformance suite on an embedded cluster with a deliberate fault, and weighs its rows against the table."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient.embedded.faults import Fault

from .expected import GREEN, Table

ROOT = Path(__file__).parent.parent.parent
LIMIT = 420.0
"""Seconds for one run, far more than any needs."""


@dataclass(frozen=True)
class Row:
    """What one run said of one row."""

    word: str
    reason: str = ""


@dataclass(frozen=True)
class Seen:
    """One run: its rows by `RULE/CASE`, and what it printed."""

    rows: Mapping[str, Row]
    text: str = ""


def run(fault: Fault, table: Table, folder: Path, *, patience: float = 1.0) -> Seen:
    """Run the suite with that fault, results and state in the folder; `patience` makes all deadlines longer."""
    deadlines = ",".join(f"{name}={seconds * patience:g}" for name, seconds in table.deadlines(fault).items())
    command = [
        sys.executable, "-m", "pytest", "conformance", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
        "--ambient-cluster=embedded", f"--ambient-fault={fault}", f"--ambient-timeout={deadlines}",
        f"--ambient-report={folder}", "--ambient-artifacts=off", "--ambient-disruptive",
    ]  # fmt: skip
    skipped = [row.partition("/")[2] for row in table.faults[fault].skipped]
    if skipped:
        command += ["-k", " and ".join(f"not {case}" for case in skipped)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AMBIENT_"))}
    environment = {**clean, "XDG_STATE_HOME": str(folder / "s")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    return Seen(results(folder), done.stdout + done.stderr)


def results(folder: Path) -> dict[str, Row]:
    """The rows in `results.jsonl` of a folder; none when the run came to no result."""
    file = folder / "results.jsonl"
    lines = file.read_text().splitlines()[1:] if file.exists() else []
    found = {}
    for line in map(json.loads, lines):
        case = line.get("case") or line["nodeid"].rpartition("::")[2]
        found[f"{line['rule']}/{case}"] = Row(line["word"], line["reason"])
    return found


def differences(fault: Fault, table: Table, seen: Mapping[str, Row]) -> dict[str, str]:
    """The rows that are not as the table says, each with what is wrong; nothing when all are."""
    wrong = {row: "run although it is not in the table" for row in seen if row not in table.run(fault)}
    for name in table.run(fault):
        row, red = seen.get(name), table.faults[fault].red.get(name)
        if row is None:
            wrong[name] = "not run"
        elif red is None and row.word != GREEN:
            wrong[name] = f"{row.word}, must hold: {row.reason}"
        elif red is not None and row.word != red.word:
            wrong[name] = f"{row.word}, must be {red.word}: {row.reason or 'no failure'}"
        elif red is not None and red.phrase not in row.reason:
            wrong[name] = f"{row.word}, but does not say {red.phrase!r}: {row.reason}"
    return wrong


def late(fault: Fault, table: Table, seen: Mapping[str, Row]) -> bool:
    """Whether nothing is wrong but rows that could not be judged or did not come to hold, as on a busy machine."""
    red = table.faults[fault].red
    return all(row in seen and seen[row].word != GREEN and row not in red for row in differences(fault, table, seen))
