"""Rows of results, made of pytest's reports as they come, their lines in results.jsonl, and the report at the end."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

from pytest_ambient.redact import cleaned
from pytest_ambient.report.junit import PREFIX, Json, facts
from pytest_ambient.report.lines import Lines

Object: TypeAlias = dict[str, Any]
Word = Literal["holds", "differs", "broken", "inconclusive", "error", "unsupported", "skipped"]


@dataclass(frozen=True)
class Row:
    """What came of one test."""

    nodeid: str
    word: Word
    reason: str = ""
    """Why, where it does not simply hold."""
    facts: dict[str, Json] = field(default_factory=dict, hash=False)

    @property
    def rule(self) -> str:
        """The rule that it belongs to; its module's stem where it names none."""
        return str(self.facts.get("rule") or Path(self.nodeid.partition("::")[0]).stem)

    @property
    def case(self) -> str:
        """The case's id; the test's name where it has none."""
        return str(self.facts.get("case") or self.nodeid.rpartition("::")[2])


TOLD = f"{PREFIX}told"
"""The property by which a worker says what it has learned of the mesh; it is nothing about the test."""
CRASHED = "???"
"""The phase in which xdist reports a test whose worker has died."""
INHERITED = ("rule", "profile", "level", "about")


class Results:
    """Collects the rows of a run and, given a folder, writes each to `results.jsonl` as it comes."""

    def __init__(self, folder: Path | None, complain: Callable[[str], None], head: Callable[[], Object]) -> None:
        self.rows: list[Row] = []
        self.keep: Callable[[Row, str], None] | None = None
        """What is done with a row and its whole text beside."""
        self.folder = folder
        """Where the results are; None when nothing is written, or could not be."""
        self.learned: Object = {}
        """What workers said of the mesh."""
        self.beside: Object = {}
        """What a report says beside its head and rows, once the run is over: the last line."""
        self._complain, self._head = complain, head
        self._file = Lines(folder) if folder else None
        self._lines: list[str] = []
        self._ended = False
        self._spent: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of a test; phases of tests that do not concern us are passed over."""
        self._learn(report)
        name = named(report)
        self._spent[name] += report.duration
        found = self._inherited(report) if report.when == CRASHED else facts(report.user_properties)
        word = _word(report, found)
        if not found or word is None:
            return
        found["duration"] = round(self._spent[name], 3)
        row = Row(name, word, "" if word == "holds" else _reason(report, found), found)
        self.rows.append(row)
        self._write({"nodeid": row.nodeid, "word": row.word, "reason": row.reason, **row.facts})
        if self.keep is not None:
            self.keep(row, str(found.get("text") or report.longreprtext))

    def document(self) -> Object:
        """The conformance document; what is beside it becomes the last line, so that nothing in it has no line."""
        from pytest_ambient.report.document import document
        from pytest_ambient.report.files import summed

        if not self._ended:
            self._ended = True
            self._write(self.beside)
        head, *rows, end = [json.loads(line) for line in self._lines]
        return document(head, rows, {**end, "results": summed("".join(self._lines).encode())})

    def settle(self) -> None:
        """Let the lines take the place of an earlier run's."""
        if self._file is not None:
            self._file.settle()

    def close(self) -> None:
        """End the file."""
        if self._file is not None:
            self._guard(self._file.close)

    def start(self) -> None:
        """Write the head, where no row has done so."""
        self._guard(lambda: self._print(None))

    def _write(self, line: Object) -> None:
        self._guard(lambda: self._print(line))

    def _begin(self) -> None:
        if not self._lines:
            self._lines.append(json.dumps(cleaned(self._head())) + "\n")

    def _print(self, line: Object | None) -> None:
        written = len(self._lines)
        self._begin()
        if line is not None:
            self._lines.append(json.dumps(cleaned(line)) + "\n")
        if self._file is not None:
            self._file.write("".join(self._lines[0 if self._file.fresh else written :]))

    def _learn(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == TOLD:
                for key, told in json.loads(str(value)).items():
                    self.learned[key] = told if key == "features" else sorted({*self.learned.get(key, ()), *told})
        report.user_properties = [one for one in report.user_properties if one[0] != TOLD]

    def _inherited(self, report: pytest.TestReport) -> dict[str, Json]:
        """What is known of a test whose worker took its own words with it: what others of its file say."""
        file = report.nodeid.partition("::")[0]
        last = next((row for row in reversed(self.rows) if row.nodeid.partition("::")[0] == file), None)
        known = {name: last.facts[name] for name in INHERITED if name in last.facts} if last else {}
        return {**known, "verdict": "error"}

    def _guard(self, act: Callable[[], None]) -> None:
        """A report that cannot be written is said once and never costs the run."""
        try:
            act()
        except OSError as error:
            if self._file is not None:
                self._complain(f"{self._file.path} cannot be written: {error.strerror}; the run goes on without it")
                _drop(self._file)
            self.folder, self._file = None, None


def named(report: pytest.TestReport) -> str:
    """A test's name with its file: pytest leaves out one outside of its root that was named on the command line."""
    return f"{report.location[0]}{report.nodeid}" if report.nodeid.startswith("::") else report.nodeid


def _drop(file: Lines) -> None:
    try:
        file.close()
    except OSError:
        return  # its unwritten rest is what could not be written


def _word(report: pytest.TestReport, found: dict[str, Json]) -> Word | None:
    if hasattr(report, "wasxfail"):
        return "differs" if report.when == "call" else None
    if report.skipped:
        return "unsupported" if found.get("verdict") == "unsupported" else "skipped"
    if report.failed:
        said = found.get("verdict")
        if said == "inconclusive" and report.when != "teardown":
            return "inconclusive"
        return "broken" if report.when == "call" and said != "error" else "error"
    return "holds" if report.when == "call" and report.passed else None


def _reason(report: pytest.TestReport, found: dict[str, Json]) -> str:
    if isinstance(report.longrepr, tuple) and not hasattr(report, "wasxfail"):
        return report.longrepr[2].removeprefix("Skipped: ").removeprefix("unsupported: ")
    if report.when == CRASHED:
        return report.longreprtext.strip().rpartition("\n")[2]
    said = found.get("reason") if report.when != "teardown" else None
    return str(said or getattr(report, "wasxfail", "") or report.longreprtext.strip())
