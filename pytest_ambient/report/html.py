"""The document as one page that needs nothing else: what does not hold, profiles, rules, plots, environment."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient.report import plots
from pytest_ambient.report.causes import causes
from pytest_ambient.report.chapters import NONE, counts, matrix
from pytest_ambient.report.markdown import plain
from pytest_ambient.report.markup import table, text, word
from pytest_ambient.report.terminal import COLUMNS

Object: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).parent
CHAPTERS = (
    ("red", "What does not hold"),
    ("profiles", "Profiles"),
    ("rules", "Rules"),
    ("times", "Times"),
    ("splits", "Splits"),
    ("environment", "Environment"),
    ("features", "Features"),
)
FEW = 3
"""Reasons that are told at once; more are for who asks."""
SUMS = {"holds": "hold", "differs": "differ from the documents", "error": "in error"}
"""Words of cases as a sentence has them, where it has others."""
STATES = {"verified": "success", "unverified": "partial", "absent": "untested"}


def page(document: Object) -> str:
    """The page."""
    style, script = ((FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hashed}'"
    parts = [*causes(document), *_profiles(document), *matrix(document), *_plots(document), *_environment(document)]
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{text(_title(document))}: {document['result']}</title>",
        f"<style>{style}</style></head><body>",
        '<a class="skip" href="#rules">Skip to the rules</a>',
        *_head(document),
        _contents("".join(parts)),
        "<main>",
        *parts,
        "</main>",
        f"<script>{script}</script></body></html>",
    ]
    return "\n".join(lines) + "\n"


def _title(document: Object) -> str:
    made = document["implementation"]
    return f"{made['organization']} {made['project']} {made['version']}" if made else "Ambient conformance"


def _head(document: Object) -> Iterator[str]:
    suite, made = document["suite"], document["implementation"]
    commit = f", commit {suite['commit'][:12]}" if suite["commit"] else ""
    yield f'<header class="top"><h1>{text(_title(document))} {word(document["result"])}</h1>'
    if made:
        contact = ", ".join(map(text, made["contact"]))
        yield f'<p><a href="{text(made["url"])}" rel="noreferrer">{text(made["url"])}</a>, contact {contact}</p>'
    yield (
        f'<p class="faint">{document["date"]}, {document["seconds"]:,.0f} s, {text(_where(document))}; '
        f"pytest-ambient {text(suite['version'])}{commit}</p>"
    )
    if not document["publishable"]:
        yield f'<p class="note"><b>Not to be published:</b> {text("; ".join(document["unpublishable"]))}</p>'
    if document["ended"]:
        yield f'<div class="note"><b>{text(document["state"])}</b><pre>{text(document["ended"])}</pre></div>'
    yield f'<p class="sum">{_sum(document)}</p>'
    if document["reasons"]:
        few = " open" * (len(document["reasons"]) <= FEW)
        lines = "".join(f"<li>{text(line)}</li>" for line in document["reasons"])
        yield f"<details{few}><summary>Why the result is {document['result']}</summary><ul>{lines}</ul></details>"
    yield "</header>"


def _sum(document: Object) -> str:
    """How many cases there are of each word, the rules that they are of."""
    number = Counter(case["word"] for rule in document["rules"] for case in rule["cases"])
    told = " ".join(word(name, f"{number[name]} {SUMS.get(name, name)}") for name in COLUMNS if number[name])
    cases, rules = (
        f"{one} {name}{'s' * (one != 1)}" for one, name in ((number.total(), "case"), (len(document["rules"]), "rule"))
    )
    return f"{cases} of {rules}: {told}" if number else "No case was run."


def _contents(parts: str) -> str:
    """Links to the chapters that there are."""
    links = [f'<a href="#{name}">{title}</a>' for name, title in CHAPTERS if f'<h2 id="{name}">' in parts]
    return f'<nav aria-label="Chapters">{" ".join(links)}</nav>'


def _where(document: Object) -> str:
    found = document["environment"]
    told = [
        f"{label} {found[name]}" for name, label in (("istio", "Istio"), ("kubernetes", "Kubernetes")) if name in found
    ]
    return ", ".join([*told, *([found["mode"]] if "mode" in found else []), str(document["run"]["provider"])])


def _profiles(document: Object) -> Iterator[str]:
    rows = [[text(one["name"]), counts(one["core"]), counts(one["extended"])] for one in document["profiles"]]
    yield '<h2 id="profiles">Profiles</h2>'
    yield from table(["Profile", "Core", "Extended"], [*rows, [NONE, counts(document["others"]), ""]])


def _plots(document: Object) -> Iterator[str]:
    times = [(rule["rule"], [c["stableMs"] for c in rule["cases"] if "stableMs" in c]) for rule in document["rules"]]
    measured = [(name, found) for name, found in times if found]
    if measured:
        yield '<h2 id="times">Until the effect</h2>'
        yield '<p class="faint">Milliseconds from the manifest to its stable effect: '
        yield "each case a dot, the line from the fastest to the slowest.</p>"
        yield plots.times(measured)
    if document["splits"]:
        yield '<h2 id="splits">Splits</h2><p class="faint">The share that was served, with its interval; '
        yield "the mark is what was wanted.</p>"
        yield plots.shares(document["splits"])


def _environment(document: Object) -> Iterator[str]:
    yield '<h2 id="environment">Environment</h2><dl>'
    for name, value in _facts(document):
        yield f"<dt>{text(name)}</dt><dd>{value}</dd>"
    yield "</dl>"
    if document["features"]:
        yield '<h2 id="features">Features</h2>'
        yield from table(["Feature", "State", "Passed", "How, or why not"], map(_feature, document["features"]))


def _facts(document: Object) -> Iterator[tuple[str, str]]:
    for name, value in document["environment"].items():
        if name != "images" and value:
            yield name, text(plain(value))
    for part, images in (document["environment"].get("images") or {}).items():
        yield part, "<br>".join(f"<code>{text(one)}</code>" for one in images)
    for name, title in (("chosen", "options"), ("timeouts", "timeouts")):
        yield title, text(", ".join(f"{key}={value}" for key, value in document["options"][name].items()))
    suite, faults = document["suite"], document["suite"]["faults"]
    yield "suite", text(f"{suite['digest']}, pytest {suite['pytest']}, Python {suite['python']}")
    yield "proven", f"{faults['caught']} of {faults['rows']} rows turn red by {faults['faults']} deliberate faults"
    yield "results", f"{document['results']['lines']} lines, sha256 {document['results']['sha256']}"


def _feature(one: Object) -> list[str]:
    state = word(STATES[one["state"]], one["state"])
    passed = f"{one['passed']} of {one['cases']}" if one["cases"] else "not asked for"
    return [text(one["name"]), state, passed, text(one["reason"] or one["detected"])]
