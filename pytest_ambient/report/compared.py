"""A comparison of reports in words: for a terminal, for a page of Markdown, for a program."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from pytest_ambient.report.change import Change
from pytest_ambient.report.compare import Comparison
from pytest_ambient.report.moved import TESTS

Object: TypeAlias = dict[str, Any]

SECTIONS = (
    ("run", "Run", "both runs ended alike"),
    ("rules", "Rules", "no rule changed"),
    ("features", "Features", "none came or went"),
    ("convergence", "Convergence", "nothing moved beyond noise"),
    ("splits", "Splits", "no share moved beyond noise"),
    ("versions", "Versions and options", "none differs"),
)
"""A comparison's parts: field, title, and what is said of an empty one."""
METHODS = {"convergence": f"{TESTS['run']}; {TESTS['rules']}", "splits": TESTS["splits"]}


def verdict(one: Comparison) -> str:
    """The whole in a line: a rule once, whatever of it is worse."""
    worse, better = (_names(one, way) for way in ("worse", "better"))
    if worse:
        return f"worse: {worse}"
    return f"nothing got worse; better: {better}" if better else "nothing got worse"


def _names(one: Comparison, way: str) -> str:
    names = [change.what for change in (*one.run, *one.rules, *one.convergence) if change.direction == way]
    names += [change.what.partition(" ")[0] for change in one.splits if change.direction == way]
    names += [f"feature {change.what}" for change in one.features if change.direction == way]
    return ", ".join(dict.fromkeys(names))


def text(one: Comparison) -> str:
    """Lines for a terminal; the verdict is the last."""
    lines = [f"old  {_run(one.old)}", f"new  {_run(one.new)}"]
    for field, title, nothing in SECTIONS:
        changes: Sequence[Change] = getattr(one, field)
        lines += [f"{title}: {nothing}"] if not changes else [title, *_lines(changes, "  ")]
    return "\n".join([*lines, *(f"test of {name}: {METHODS[name]}" for name in METHODS), verdict(one)]) + "\n"


def _run(document: Object) -> str:
    environment = document["environment"]
    found = [f"{name} {environment[key]}" for name, key in NAMED if environment.get(key)]
    return f"{document['date']}  {document['result']:<8} {', '.join([*found, 'run ' + document['run']['id']])}"


NAMED = (("Istio", "istio"), ("Kubernetes", "kubernetes"), ("data plane", "dataplane"))


def _lines(changes: Sequence[Change], indent: str) -> Iterator[str]:
    for change in changes:
        why = f": {change.why}" if change.why else ""
        mark = f"{change.direction}  " if change.direction != "changed" else ""
        yield f"{indent}{mark}{change.what}  {change.old} -> {change.new}{why}"
        yield from _lines(change.parts, indent + "  ")


def markdown(one: Comparison, name: str = "") -> str:
    """A section for a job summary or an issue: tables only of what changed."""
    lines = [f"## {name or 'Comparison'}", "", f"**{_plain(verdict(one))}**", ""]
    lines += [f"- {label}: {_plain(_run(document))}" for label, document in (("old", one.old), ("new", one.new))]
    for field, title, _ in SECTIONS:
        changes: Sequence[Change] = getattr(one, field)
        if changes:
            lines += ["", f"### {title}", "", "| What | Was | Is | | Why |", "|---|---|---|---|---|", *_rows(changes)]
            lines += ["", f"Test: {METHODS[field]}."] if field in METHODS else []
    return "\n".join(lines) + "\n"


def _rows(changes: Sequence[Change], of: str = "") -> Iterator[str]:
    for change in changes:
        way = f"**{change.direction}**" if change.direction == "worse" else change.direction
        cells = (f"{of}{change.what}", change.old, change.new, way if change.direction != "changed" else "", change.why)
        yield f"| {' | '.join(cell if cell == way else _plain(cell) for cell in cells)} |"
        yield from _rows(change.parts, f"{change.what} / ")


def _plain(text: str) -> str:
    """Text that Markdown takes as it is."""
    for mark in "\\`*_[]<>|#@":
        text = text.replace(mark, "\\" + mark if mark not in "<>@" else SAFE[mark])
    return text


SAFE = {"<": "&lt;", ">": "&gt;", "@": "@\u200b"}
"""A name after an @ would call somebody."""


def plain(one: Comparison) -> Object:
    """A value for JSON."""
    ends = {
        name: {"date": document["date"], "run": document["run"]["id"], "result": document["result"]}
        for name, document in (("old", one.old), ("new", one.new))
    }
    parts = {field: [asdict(change) for change in getattr(one, field)] for field, _, _ in SECTIONS}
    return {"worse": one.worse, **ends, **parts, "tests": TESTS}
