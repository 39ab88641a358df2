"""Many reports as a history: what became of each rule, run by run, for each pair of versions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeAlias

from pytest_ambient.report.terminal import natural

Object: TypeAlias = dict[str, Any]

WORDS = {"success": "ok", "partial": "partial", "failure": "RED", "untested": "-"}
"""What a rule's result is called in a table."""


@dataclass(frozen=True)
class Run:
    """One report."""

    date: str
    """Of its beginning, ISO 8601."""
    id: str
    istio: str
    result: str
    rules: dict[str, str]
    """Each rule's result."""
    reds: dict[str, tuple[str, ...]]
    """The cases that a red rule is red for."""
    effect: float | None
    """Median over its rules of the time to a stable effect, milliseconds."""
    about: dict[str, str]
    """What each rule promises."""

    @property
    def day(self) -> str:
        """Its date alone."""
        return self.date.partition("T")[0]

    @property
    def failed(self) -> int:
        """How many rules were red."""
        return sum(result == "failure" for result in self.rules.values())


@dataclass(frozen=True)
class Group:
    """The runs of one Istio minor on one Kubernetes minor with one data plane, oldest first."""

    name: str
    runs: tuple[Run, ...]

    def results(self, rule: str) -> list[str | None]:
        """What became of a rule, run by run; None where it did not run."""
        return [run.rules.get(rule) for run in self.runs]

    def since(self, rule: str) -> Run | None:
        """The run since which a rule is red without a green one between; None when it was not red last."""
        found = None
        for run in reversed(self.runs):
            result = run.rules.get(rule)
            if result == "failure":
                found = run
            elif result in ("success", "partial"):
                break
        return found

    def word(self, rule: str) -> str:
        """How a rule was last, and when red since when."""
        last = next((result for result in reversed(self.results(rule)) if result is not None), "untested")
        red = self.since(rule)
        return WORDS[last] if red is None else f"RED since {red.day}"


def groups(documents: Sequence[Object]) -> list[Group]:
    """All runs by what they ran on, oldest versions first; a run that stands twice counts once."""
    once = {(one["run"]["id"], one["date"]): one for one in documents}
    named: dict[tuple[tuple[int, ...], tuple[int, ...], str], list[Object]] = {}
    for one in sorted(once.values(), key=lambda one: (one["date"], one["run"]["id"])):
        named.setdefault(_key(one), []).append(one)
    return [Group(_name(named[key][-1]), tuple(map(_run, named[key]))) for key in sorted(named)]


def _key(document: Object) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    environment = document["environment"]
    on = f"{environment.get('dataplane', '')} {document['run']['provider']}"
    return _minor(environment, "istio"), _minor(environment, "kubernetes"), on


def _minor(environment: Object, name: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", environment.get(name, ""))[:2]))


def _name(document: Object) -> str:
    environment = document["environment"]
    pairs = (("Istio", _minor(environment, "istio")), ("Kubernetes", _minor(environment, "kubernetes")))
    parts = [f"{name} {'.'.join(map(str, found)) or 'unknown'}" for name, found in pairs]
    return ", ".join(part for part in (*parts, environment.get("dataplane"), document["run"]["provider"]) if part)


def _run(document: Object) -> Run:
    times = [float(rule["convergence"]["median"]) for rule in document["rules"] if rule["convergence"]]
    return Run(
        document["date"],
        document["run"]["id"],
        document["environment"].get("istio", "unknown"),
        document["result"],
        {rule["rule"]: rule["counts"]["result"] for rule in document["rules"]},
        {rule["rule"]: tuple(_reds(rule)) for rule in document["rules"] if rule["counts"]["result"] == "failure"},
        median(times) if times else None,
        {rule["rule"]: " ".join(dict.fromkeys(rule.get("about", {}).values())) for rule in document["rules"]},
    )


def _reds(rule: Object) -> Iterator[str]:
    return (f"{case['case']}: {case['word']}" for case in rule["cases"] if case["word"] not in GREEN)


GREEN = ("holds", "skipped", "unsupported")


def about(found: Sequence[Group], rule: str) -> str:
    """What a rule promises, as the latest run says that had it."""
    runs = sorted((run for group in found for run in group.runs), key=lambda run: run.date)
    return next((told for run in reversed(runs) if (told := run.about.get(rule))), "")


def rules(found: Sequence[Group]) -> list[str]:
    """All rules of all runs: those that are red first, then by name."""
    names = {rule for group in found for run in group.runs for rule in run.rules}
    return sorted(names, key=lambda name: (not any(group.since(name) for group in found), natural(name)))


def table(found: Sequence[Group]) -> list[str]:
    """Lines of text: a rule a line, a column for each pair of versions, how it was last."""
    heads = [f"{group.name} ({len(group.runs)})" for group in found]
    body = [(rule, *(group.word(rule) for group in found)) for rule in rules(found)]
    lines = [("rule", *heads), *body]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def plain(found: Sequence[Group]) -> list[Object]:
    """A value for JSON."""
    return [
        {
            "name": group.name,
            "runs": [{"date": run.date, "run": run.id, "istio": run.istio, "result": run.result} for run in group.runs],
            "red": {
                rule: {"since": red.date, "run": red.id, "istio": red.istio}
                for rule in rules(found)
                if (red := group.since(rule)) is not None
            },
        }
        for group in found
    ]
