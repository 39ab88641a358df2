"""Rows of results, made of pytest's reports as they come, and their lines in results.jsonl."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

import pytest

from pytest_ambient.redact import cleaned
from pytest_ambient.report.junit import Json, facts

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


class Results:
    """Collects the rows of a run and, given a folder, writes each to `results.jsonl` as it comes."""

    def __init__(
        self, folder: Path | None, complain: Callable[[str], None], head: Callable[[], dict[str, Json]]
    ) -> None:
        self.rows: list[Row] = []
        self.keep: Callable[[Row, str], None] | None = None
        """What is done with a row and its whole text beside."""
        self._folder, self._complain, self._head = folder, complain, head
        self._file: IO[str] | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of a test; phases of tests that do not concern us are passed over."""
        found = facts(report.user_properties)
        word = _word(report, found)
        if not found or word is None:
            return
        row = Row(report.nodeid, word, "" if word == "holds" else _reason(report, found), found)
        self.rows.append(row)
        self._write(row)
        if self.keep is not None:
            self.keep(row, str(found.get("text") or report.longreprtext))

    def close(self) -> None:
        """End the file."""
        if self._file is not None:
            self._guard(self._file.close)
            self._file = None

    def _write(self, row: Row) -> None:
        if self._folder is None:
            return
        line = {"nodeid": row.nodeid, "word": row.word, "reason": row.reason, **row.facts}
        self._guard(lambda: self._print(line))

    def _print(self, line: dict[str, Json]) -> None:
        assert self._folder is not None
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = (self._folder / "results.jsonl").open("w", encoding="utf-8")
            self._file.write(json.dumps(cleaned(self._head())) + "\n")
        self._file.write(json.dumps(cleaned(line)) + "\n")
        self._file.flush()  # a run that is killed leaves what it knew

    def _guard(self, act: Callable[[], None]) -> None:
        """A report that cannot be written is said once and never costs the run."""
        try:
            act()
        except OSError as error:
            self._complain(
                f"{self._folder}/results.jsonl cannot be written: {error.strerror}; the run goes on without it"
            )
            self._folder, broken, self._file = None, self._file, None
            if broken is not None:
                _drop(broken)


def _drop(file: IO[str]) -> None:
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
    return "holds" if report.when == "call" else None


def _reason(report: pytest.TestReport, found: dict[str, Json]) -> str:
    if isinstance(report.longrepr, tuple) and not hasattr(report, "wasxfail"):
        return report.longrepr[2].removeprefix("Skipped: ").removeprefix("unsupported: ")
    said = found.get("reason") if report.when != "teardown" else None
    return str(said or getattr(report, "wasxfail", "") or report.longreprtext.strip())
