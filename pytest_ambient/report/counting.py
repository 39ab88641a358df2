"""How rows become counts, and counts a result."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

Object: TypeAlias = dict[str, Any]
Result = Literal["success", "partial", "failure", "untested"]
Kind = Literal["passed", "failed", "skipped", "unsupported"]

WORST = ("error", "broken", "inconclusive", "differs", "holds", "unsupported", "skipped")
"""Words of rows; of several that one test has (its call, its teardown) the first here counts."""

KINDS: Mapping[str, Kind] = {
    "holds": "passed",
    "differs": "failed",
    "broken": "failed",
    "inconclusive": "failed",
    "error": "failed",
    "unsupported": "unsupported",
    "skipped": "skipped",
}
"""What a row counts as. One that differs from the documents is counted only where all is, apart from profiles."""


def once(rows: Iterable[Object]) -> list[Object]:
    """Each test once, in order of rule and file: its worst row, a skip for a lacking feature as unsupported."""
    found: dict[str, Object] = {}
    for row in rows:
        last = found.get(row["nodeid"])
        if last is None or _rank(row) < _rank(last):
            found[row["nodeid"]] = row
    return [_told(row) for row in found.values()]


def _rank(row: Object) -> int:
    return WORST.index(row["word"])


def _told(row: Object) -> Object:
    return {**row, "word": "unsupported"} if row["word"] == "skipped" and row.get("lacks") else row


def counts(rows: Sequence[Object], claimed: Collection[str], *, weak: bool) -> Object:
    """Counts and result of some rows. `claimed` are the features that the mesh is said to have; `weak` says that
    something was asked that keeps a success from being one."""
    number = {kind: sum(KINDS[row["word"]] == kind for row in rows) for kind in ("passed", "failed", "skipped")}
    number["unsupported"] = sum(KINDS[row["word"]] == "unsupported" for row in rows)
    number["unverified"] = len(unverified(rows, claimed))
    return {"result": result(number, weak=weak), **number}


def unverified(rows: Iterable[Object], claimed: Collection[str]) -> list[str]:
    """The claimed features that rows need without one of those having passed."""
    passed: dict[str, bool] = {}
    for row in rows:
        for name in row.get("needs") or ():
            passed[name] = passed.get(name, False) or row["word"] == "holds"
    return sorted(name for name, once in passed.items() if name in claimed and not once)


def result(number: Mapping[str, int], *, weak: bool) -> Result:
    """A failure or an error is a failure; nothing that passed is untested; what was left out makes it partial."""
    if number["failed"]:
        return "failure"
    if not number["passed"]:
        return "untested"
    return "partial" if number["skipped"] or number["unverified"] or weak else "success"
