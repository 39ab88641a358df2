"""The first chapter of the page: what does not hold, by what was promised, and how to see it by hand."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from pytest_ambient.report.markdown import RED
from pytest_ambient.report.markup import anchor, text, word

Object: TypeAlias = dict[str, Any]

LONG = 180
OPEN = 12
"""So many causes show at once how to see them by hand; of more, who asks."""
ELSEWHERE = ("report", "keep", "name", "artifacts")
"""Options of a run that are nothing to one that is begun by hand."""
TOOLS = ("--kubeconfig", "--context")


def causes(document: Object) -> Iterator[str]:
    """A part for each promise that was not kept: its cases, and the lines to type."""
    found = [(rule, file, cases) for rule in document["rules"] for file, cases in by_file(rule).items() if _red(cases)]
    yield f'<h2 id="red">{"What does not hold" if found else "Everything that was asked holds"}</h2>'
    for number, (rule, file, cases) in enumerate(found):
        yield from _cause(document, rule, file, cases, shown=number < OPEN)


def by_file(rule: Object) -> dict[str, list[Object]]:
    """A rule's cases by the file of their test: each file has a promise of its own."""
    found: dict[str, list[Object]] = {}
    for case in rule["cases"]:
        found.setdefault(case["test"].partition("::")[0], []).append(case)
    return found


def _red(cases: Sequence[Object]) -> list[Object]:
    return [case for case in cases if case["word"] in RED]


def _cause(document: Object, rule: Object, file: str, cases: Sequence[Object], *, shown: bool) -> Iterator[str]:
    red, name = _red(cases), rule["rule"]
    about = (rule.get("about") or {}).get(file) or file
    yield f'<article class="cause"><h3><a href="#{anchor("rule", name)}">{text(name)}</a>: {text(about)}</h3>'
    yield f'<p class="faint">{len(red)} of {len(cases)} cases of this promise {_verb(red)}.</p>'
    yield f'<ul class="red">{"".join(_broken(name, case) for case in red)}</ul>'
    told, block = f"See {red[0]['case']} by hand", "\n".join(by_hand(document, red[0]))
    yield f'<details class="hand"{" open" * shown}><summary>{text(told)}</summary><pre>{text(block)}</pre></details>'
    yield "</article>"


def _verb(red: Sequence[Object]) -> str:
    """What is wrong with them: an error is no verdict."""
    unjudged = {case["word"] in ("error", "inconclusive") for case in red}
    both = "do not hold or could not be judged"
    return both if len(unjudged) > 1 else "could not be judged" if unjudged == {True} else "do not hold"


def _broken(rule: str, case: Object) -> str:
    link = f'<a href="#{anchor("case", rule, case["test"])}">{text(case["case"])}</a>'
    told = [("called", case.get("called", "")), ("wanted", first(case.get("wanted", "")))]
    told += [("got", first(case["got"])) if case.get("got") else ("because", first(case.get("reason", "")))]
    rows = "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in told if value)
    return f"<li>{word(case['word'])} {link}<dl>{rows}</dl></li>"


def first(told: str) -> str:
    """The first line of a text, which says what happened, or the beginning of a long one."""
    line = str(told).strip().partition("\n")[0]
    return line if len(line) <= LONG else f"{line[:LONG].rpartition(' ')[0]} …"


def by_hand(document: Object, case: Object) -> list[str]:
    """What to type to see a case: its manifest and its call where this run was, or its run again with all kept."""
    lines = []
    if case.get("repeat"):
        wanted = first(case.get("wanted", ""))
        lines = [f"# the call{f'; wanted: {wanted}' if wanted else ''}", case["repeat"]]
        applied = _applied(case) if case.get("phase", "becomes") in ("becomes", "stays") else []
        where = "# where this run was, if it was kept (--ambient-keep=always)"
        lines = [f"{where}: the manifest, which was taken back", *applied, *lines] if applied else [where, *lines]
        lines.append(
            "# elsewhere: the case again with all of it kept; its failure ends with such lines for its own pods"
        )
    chosen = document["options"]["chosen"]
    options = [f"--ambient-{name}={value}" for name, value in chosen.items() if name not in ELSEWHERE]
    return [*lines, shlex.join(["pytest", case["test"], *options, "--ambient-keep=always", "--ambient-report=again"])]


def _applied(case: Object) -> list[str]:
    if not case.get("manifest"):
        return []
    kept = next((name for name in case.get("kept") or () if name.endswith(".manifest.yaml")), "")
    line = applies(case["repeat"], kept or "manifest.yaml")
    more = [] if kept else ["# (saved from the rule's section as manifest.yaml)"]
    return [*more, line] if line else []


def applies(repeat: str, file: str) -> str:
    """The line that applies a file where a call is made by kubectl; empty where it is not."""
    try:
        words = shlex.split(repeat)
    except ValueError:  # somebody's own words
        return ""
    given = [one for at, one in enumerate(words) if {one, words[at - 1]} & set(TOOLS)]
    return shlex.join(["kubectl", *given, "apply", "--server-side", "-f", file]) if words[:1] == ["kubectl"] else ""
