"""The document as Markdown: short for a job's summary, whole for people who read it beside others."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from pytest_ambient.report.terminal import counted

Object: TypeAlias = dict[str, Any]

MARKS = {"success": "✅", "partial": "🟡", "failure": "❌", "untested": "⚪"}
RED = ("broken", "error", "inconclusive", "differs")
MOST = 50
"""Cases that a summary tells of at most."""


def summary(document: Object) -> str:
    """Result, profiles, and the cases that do not hold."""
    red = [(rule, case) for rule in document["rules"] for case in rule["cases"] if case["word"] in RED]
    parts = [*_head(document), *_profiles(document), *_red(red[:MOST])]
    rest = [f"… and {len(red) - MOST} more", ""] if len(red) > MOST else []
    return "\n".join([*parts, *rest])


def whole(document: Object) -> str:
    """Everything but the evidence."""
    red = [(rule, case) for rule in document["rules"] for case in rule["cases"] if case["word"] in RED]
    parts = [*_head(document), *_profiles(document), *_environment(document), *_rules(document), *_splits(document)]
    return "\n".join([*parts, *_features(document), *_red(red)])


def _head(document: Object) -> Iterator[str]:
    yield f"# Ambient conformance: {MARKS[document['result']]} {document['result']}"
    yield ""
    made = document["implementation"]
    if made:
        yield f"[{cell(made['organization'])} {cell(made['project'])} {cell(made['version'])}]({made['url']})"
        yield ""
    suite = document["suite"]
    commit = f", commit {suite['commit'][:12]}" if suite["commit"] else ""
    yield f"{document['date']}, {document['seconds']:.0f} s, pytest-ambient {suite['version']}{commit}"
    yield ""
    yield from (f"- **Not to be published**: {cell(line)}" for line in document["unpublishable"])
    yield from (f"- {cell(line)}" for line in document["reasons"])
    yield ""


def _profiles(document: Object) -> Iterator[str]:
    rows = [[one["name"], counted(one["core"]), counted(one["extended"])] for one in document["profiles"]]
    yield from _table(["Profile", "Core", "Extended"], [*rows, ["(none)", counted(document["others"]), ""]])


def _environment(document: Object) -> Iterator[str]:
    yield "## Environment"
    yield ""
    for name, value in document["environment"].items():
        if name == "images":
            yield from (f"- {part}: {', '.join(f'`{cell(image)}`' for image in told)}" for part, told in value.items())
        elif value:
            yield f"- {name}: {cell(plain(value))}"
    chosen = ", ".join(f"{name}={value}" for name, value in document["options"]["chosen"].items())
    yield f"- options: {cell(chosen)}"
    yield ""


def _rules(document: Object) -> Iterator[str]:
    yield "## Rules"
    yield ""
    rows = []
    for one in document["rules"]:
        times = one["convergence"]
        effect = f"{times['median']:,.0f} / {times['slowest']:,.0f} ms" if times else "-"
        rows.append([one["rule"], ", ".join(one["profiles"]) or "(none)", counted(one["counts"]), effect])
    yield from _table(["Rule", "Profiles", "Result", "Effect, median / slowest"], rows)


def _splits(document: Object) -> Iterator[str]:
    if document["splits"]:
        yield "## Splits"
        yield ""
    rows = [
        [
            f"{one['rule']} {one['case']}", one["backend"], f"{100 * one['wanted']:g} %", f"{100 * one['share']:.1f} %",
            f"{100 * one['low']:.1f}-{100 * one['high']:.1f} %", f"{one['total']:,}", f"{one['p']:.2g}",
        ]
        for one in document["splits"]
    ]  # fmt: skip
    if rows:
        yield from _table(["Case", "Backend", "Wanted", "Served", "Interval", "Sample", "p"], rows)


def _features(document: Object) -> Iterator[str]:
    yield "## Features"
    yield ""
    rows = [
        [one["name"], one["state"], f"{one['passed']} of {one['cases']}", one["reason"]] for one in document["features"]
    ]
    yield from _table(["Feature", "State", "Passed", "Why not"], rows)


def _red(red: Sequence[tuple[Object, Object]]) -> Iterator[str]:
    """Each case under what its test promises."""
    if red:
        yield "## What does not hold"
        yield ""
    last = ""
    for rule, case in red:
        about = rule.get("about", {}).get(case["test"].partition("::")[0], "")
        if about != last:
            yield from (f"**{cell(rule['rule'])}: {cell(about)}**", "") if about else ()
            last = about
        yield f"### {cell(rule['rule'])} {cell(case['case'])}: {case['word']}"
        yield ""
        yield from ("```text", *(line.replace("```", "` ` `") for line in told(case)), "```", "")


def told(case: Object) -> Iterator[str]:
    """A case as a failure tells it: called, wanted, got, said, applied, repeat."""
    if case.get("called"):
        yield str(case["called"])
    rows = (("wanted", "wanted"), ("got", "got"), ("said", "witness"), ("applied", "applied"), ("repeat", "repeat"))
    for word, name in rows:
        value = case.get(name) or (case.get("reason") if name == "got" else None)
        for line in value if isinstance(value, list) else str(value).splitlines() if value else ():
            yield f"  {word:<9}{line}"
            word = ""


def plain(value: object) -> str:
    """A value of the document in words."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(one)}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def cell(text: object) -> str:
    """Text that cannot end a cell or begin a tag."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(map(cell, row))} |" for row in rows)
    yield ""
