"""The fault table as a page to read: docs/faults.md."""

from collections.abc import Iterator

from pytest_ambient.embedded.faults import DESCRIPTIONS, Fault

from .expected import Expected, Table
from .suite import ROOT

FILE = ROOT / "docs" / "faults.md"
_HEAD = """# Deliberate faults

What the suite says when the mesh breaks its promises on purpose:

    pytest conformance --ambient-cluster=embedded --ambient-fault NAME

A fault changes what the mesh, an application or the exec channel really does, never what is reported about it.
`tests/conformance/test_faults.py` holds every cell and every phrase of this page by runs of the suite;
`python -m tests.conformance.table` runs them and writes the page anew from `tests/conformance/faults.yaml`.

## Rules and faults

Rows that turn red, of the rule's rows; `·` where all hold.
"""


def document(table: Table) -> str:
    """The page for that table."""
    parts = [_HEAD, *_matrix(table), "", *_unseen(table)]
    for fault, expected in table.faults.items():
        parts += ["", f"## {fault}", "", *_section(fault, expected)]
    return "\n".join(parts) + "\n"


def _matrix(table: Table) -> Iterator[str]:
    rules = list(dict.fromkeys(row.partition("/")[0] for row in table.rows))
    rules.sort()
    yield "| Fault | " + " | ".join(rules) + " |"
    yield "|---|" + "---|" * len(rules)
    for fault, expected in table.faults.items():
        yield f"| [{fault}](#{fault}) | " + " | ".join(_cell(rule, table.run(fault), expected) for rule in rules) + " |"


def _cell(rule: str, run: tuple[str, ...], expected: Expected) -> str:
    rows = [row for row in run if row.partition("/")[0] == rule]
    red = sum(row in expected.red for row in rows)
    return f"{red} of {len(rows)}" if red else "·"


def _unseen(table: Table) -> Iterator[str]:
    yield "Rows that no fault turns red yet, and why:"
    yield ""
    yield from (f"- `{row}`: {why}" for row, why in table.unseen.items())


def _section(fault: Fault, expected: Expected) -> Iterator[str]:
    yield f"{DESCRIPTIONS[fault][0].upper()}{DESCRIPTIONS[fault][1:]}. {expected.why}"
    if expected.red:
        yield from ("", "| Row | Word | Its failure says |", "|---|---|---|")
        yield from (f"| `{row}` | {red.word} | {red.phrase} |" for row, red in expected.red.items())
    if expected.skipped:
        skipped = ", ".join(f"`{row}`" for row in expected.skipped)
        yield from ("", f"Not run, to save time: {skipped}.")
