"""The chapters of the page about rules: the matrix with its filter, and a section for each rule."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from pytest_ambient.report.causes import by_file
from pytest_ambient.report.lines import ours
from pytest_ambient.report.markdown import RED
from pytest_ambient.report.markup import anchor, text, word
from pytest_ambient.report.terminal import COLUMNS, counted, ran
from pytest_ambient.verdict.profiles import PROFILES

Object: TypeAlias = dict[str, Any]

NONE = "no profile"
STORY = (
    ("called", "called"), ("wanted", "wanted"), ("got", "got"), ("reason", "because"), ("phase", "when"),
    ("witness", "evidence"), ("applied", "applied"), ("repeat", "repeat"), ("kept", "kept"),
    ("expectedOn", "expected on"),
)  # fmt: skip
PHASES = {
    "control": "before the manifest was applied", "becomes": "after the manifest was applied",
    "stays": "looked at again, with the manifest still there", "undo": "after the manifest was taken back",
}  # fmt: skip
MARKS = {
    "holds": "✓", "differs": "≠", "broken": "✗", "inconclusive": "?", "error": "!", "unsupported": "-", "skipped": "○",
}  # fmt: skip
CODE = ("witness", "repeat", "reason")
NUMBERS = (
    ("attempts", "{:,} attempts"), ("seconds", "{:.1f} s"), ("firstMs", "first effect {:,.0f} ms"),
    ("stableMs", "stable {:,.0f} ms"),
)  # fmt: skip


def matrix(document: Object) -> Iterator[str]:
    """What filters, rules by profiles, and the sections."""
    number = Counter(case["word"] for rule in document["rules"] for case in rule["cases"])
    yield '<h2 id="rules">Rules</h2><div class="filter" role="search">'
    yield '<input id="text" type="search" aria-label="Filter by text" placeholder="filter by text (press /)">'
    for name in COLUMNS:
        if number[name]:
            yield f'<button type="button" data-word="{name}" aria-pressed="false">{name} {number[name]}</button>'
    yield '<span id="shown" class="faint" role="status"></span></div>'
    names = [name for name in (*PROFILES, "") if any(_of(rule, name) for rule in document["rules"])]
    titles = [text(name.removeprefix("AMBIENT-") or NONE) for name in names]
    yield '<div class="wide"><table class="matrix"><thead><tr><th scope="col">Rule</th>'
    yield "".join(f'<th class="profile" scope="col">{title}</th>' for title in titles)
    yield '<th class="number" scope="col">Effect, ms<span class="long">: median / slowest</span></th>'
    yield "</tr></thead><tbody>"
    yield from (_row(rule, names) for rule in document["rules"])
    yield "</tbody></table></div>"
    for rule in document["rules"]:
        yield from _rule(rule)


def _row(rule: Object, names: Sequence[str]) -> str:
    cells = "".join(f"<td>{_cell(_of(rule, name))}</td>" for name in names)
    times, link = rule["convergence"], f'<a href="#{anchor("rule", rule["rule"])}">{text(rule["rule"])}</a>'
    effect = f"{times['median']:,.0f} / {times['slowest']:,.0f}" if times else "-"
    about = [*dict.fromkeys((rule.get("about") or {}).values())]
    more = f" (and {len(about) - 1} more)" if len(about) > 1 else ""
    told = f' <span class="faint long about">{text(about[0])}{more}</span>' if about else ""
    rest = f'{cells}<td class="number">{effect}</td>'
    return f'<tr data-rule="{text(rule["rule"])}"><th scope="row">{link}{told}</th>{rest}</tr>'


def _of(rule: Object, profile: str) -> list[Object]:
    return [case for case in rule["cases"] if case["profile"] == profile]


def _cell(cases: Sequence[Object]) -> str:
    """The worst word, and how many of the cases hold."""
    if not cases:
        return ""
    worst = next(name for name in (*RED, *COLUMNS) if any(case["word"] == name for case in cases))
    holding = sum(case["word"] == "holds" for case in cases)
    told = f'{MARKS[worst]}<span class="long"> {worst}</span> {holding}/{len(cases)}'
    return f'<span class="word {worst}" title="{worst}, {holding} of {len(cases)} hold">{told}</span>'


def _rule(rule: Object) -> Iterator[str]:
    name = text(rule["rule"])
    profiles = ", ".join(rule["profiles"]) or NONE
    rest = counts(rule["counts"]) if ran(rule["counts"]) else word("untested")
    yield f'<section class="rule" id="{anchor("rule", rule["rule"])}" data-rule="{name}">'
    yield f'<header><h3>{name}</h3>{rest}<span class="faint">{text(profiles)}, {rule["seconds"]:.1f} s</span></header>'
    for file, cases in by_file(rule).items():
        about = (rule.get("about") or {}).get(file)
        yield f'<p class="about">{text(about)}</p>' if about else ""
        for case in cases:
            yield from _case(rule["rule"], case)
        yield from _manifests(case.get("manifest", "") for case in cases)
    yield "</section>"


def _manifests(found: Iterable[str]) -> Iterator[str]:
    """Each once, by the names of its files."""
    for manifest in sorted({*found} - {""}):
        files = [line.removeprefix("# ") for line in manifest.splitlines() if line.startswith("# test_")]
        title = f"Manifest as applied{': ' * bool(files)}{', '.join(files)}"
        yield f'<details class="manifest"><summary>{text(title)}</summary><pre>{text(manifest)}</pre></details>'


def _case(rule: str, case: Object) -> Iterator[str]:
    key, state = anchor("case", rule, case["test"]), case["word"]
    level = "" if case["level"] == "core" else f' <span class="faint">{case["level"]}</span>'
    yield f'<details class="case" id="{key}" data-state="{state}" data-of="{text(rule)}"{" open" * (state in RED)}>'
    yield f"<summary>{word(state)} {text(case['case'])}{level}</summary><dl>"
    for name, label in STORY:
        told = case.get(name)
        if told and not (name == "reason" and "got" in case):
            yield f"<dt>{label}</dt><dd>{_told(name, told)}</dd>"
    numbers = ", ".join(form.format(case[name]) for name, form in NUMBERS if name in case)
    if numbers:
        yield f"<dt>measured</dt><dd>{text(numbers)}</dd>"
    yield f"<dt>test</dt><dd><code>{text(case['test'])}</code></dd></dl></details>"


def _told(name: str, told: object) -> str:
    lines = told if isinstance(told, list) else [told]
    if name == "phase":
        return text(PHASES.get(str(told), str(told)))
    if name == "kept":
        return "<br>".join(_kept([str(one) for one in lines if ours(one)]))
    if name in CODE:
        return f"<pre>{text(chr(10).join(map(str, lines)))}</pre>"
    return "<br>".join(map(text, lines))


def _kept(names: Sequence[str]) -> Iterator[str]:
    """A line for each folder, its files as links to where they lie beside the page."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    for folder, files in folders.items():
        links = (f'<a href="{text(quote(name))}">{text(name.rpartition("/")[2])}</a>' for name in files)
        yield f'<span class="faint">{text(folder)}/</span> {" ".join(links)}'


def counts(counts: Object) -> str:
    """A result in its colour, and the counts behind it."""
    rest = counted(counts).partition(" (")[2].removesuffix(")")
    return f"{word(counts['result'])} {text(rest)}"
