"""The fault table as a page to read: docs/faults.md."""

import re
from collections.abc import Iterator, Mapping

from pytest_ambient.embedded.faults import DESCRIPTIONS, Fault

from .catalogue import ROOT
from .expected import Expected, Seen, Table

FILE = ROOT / "docs" / "faults.md"
_HEAD = """# Deliberate faults

What the suite says when the mesh breaks its promises on purpose:

    pytest conformance --ambient-cluster=embedded --ambient-fault NAME

A fault changes what the mesh, an application or the exec channel really does, writes and counts, never what the suite
makes of it. `tests/conformance/test_faults.py` holds every row with a phrase on this page by runs of the suite;
`python -m tests.conformance.table` runs each fault with all that it can touch and writes the page anew from
`tests/conformance/faults.yaml` and what it saw.

## Rules and faults

| Rule | Turned red by |
|---|---|
"""


def document(table: Table, seen: Mapping[Fault, Seen], catalogue: Mapping[str, str]) -> str:
    """The page for that table."""
    rules = sorted({row.partition("/")[0] for row in catalogue}, key=_ordered)
    parts = [_HEAD + "\n".join(_rule(rule, table, seen, catalogue) for rule in rules), "", *_unseen(table)]
    for fault, expected in table.faults.items():
        parts += ["", f"## {fault}", "", *_section(fault, expected, seen.get(fault))]
    return "\n".join(parts) + "\n"


def _ordered(rule: str) -> tuple[str, int]:
    letters, number = re.fullmatch(r"([A-Z]+)(\d*)", rule).groups()  # type: ignore[union-attr]  # every rule is of that form
    return letters, int(number or 0)


def _rule(rule: str, table: Table, seen: Mapping[Fault, Seen], catalogue: Mapping[str, str]) -> str:
    rows = {row for row in catalogue if row.partition("/")[0] == rule}
    counts = {
        fault: len(rows & ({*expected.red} | (seen[fault].rows if fault in seen else frozenset())))
        for fault, expected in table.faults.items()
    }
    told = [f"[{fault}](#{fault}) {count}" for fault, count in counts.items() if count]
    return f"| {rule}, {len(rows)} rows | {', '.join(told) or 'none'} |"


def _unseen(table: Table) -> Iterator[str]:
    yield "Rows that no fault turns red, and why:"
    yield ""
    yield from (f"- `{row}`: {why}" for row, why in table.unseen.items())


def _section(fault: Fault, expected: Expected, seen: Seen | None) -> Iterator[str]:
    yield f"{DESCRIPTIONS[fault][0].upper()}{DESCRIPTIONS[fault][1:]}. {expected.why}"
    if expected.red:
        yield from ("", "| Row | Word | Its failure says |", "|---|---|---|")
        yield from (f"| `{row}` | {red.word} | {red.phrase} |" for row, red in expected.red.items())
    more = sorted((seen.rows if seen else frozenset()) - {*expected.red})
    if more:
        yield from ("", f"Red beside these, in {len(seen.modules) if seen else 0} modules:", "")
        yield ", ".join(f"`{row}`" for row in more) + "."
