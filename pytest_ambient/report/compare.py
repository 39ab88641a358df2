"""What changed between two reports, and what of it is worse."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_ambient.errors import Misuse
from pytest_ambient.report.change import Change, Direction
from pytest_ambient.report.moved import convergence, splits
from pytest_ambient.report.terminal import natural
from pytest_ambient.report.versions import versions

Object: TypeAlias = dict[str, Any]

RED = ("broken", "inconclusive", "error")


@dataclass(frozen=True)
class Comparison:
    """Two reports beside each other."""

    old: Object
    new: Object
    run: tuple[Change, ...]
    """How the runs as such ended."""
    rules: tuple[Change, ...]
    features: tuple[Change, ...]
    convergence: tuple[Change, ...]
    splits: tuple[Change, ...]
    versions: tuple[Change, ...]

    @property
    def judged(self) -> tuple[Change, ...]:
        """All that can be worse."""
        return (*self.run, *self.rules, *self.features, *self.convergence, *self.splits)

    @property
    def worse(self) -> bool:
        """Whether anything is."""
        return any(change.direction == "worse" for change in self.judged)


def compare(old: Object, new: Object, *, across: bool = False) -> Comparison:
    """What changed from one document to the other.

    `across` compares what two versions of the suite have in common; without it Misuse says that they differ. Misuse
    too for documents without a common case.
    """
    before, after = _cases(old), _cases(new)
    if old["suite"]["digest"] != new["suite"]["digest"] and not across:
        raise Misuse(
            f"the reports are of different suites, {_suite(old)} and {_suite(new)}: --across compares what both have"
        )
    if before and after and not before.keys() & after.keys():
        raise Misuse("the reports have no case in common: they are of different suites")
    return Comparison(
        old,
        new,
        tuple(_ended(old, new)),
        tuple(_rules(old, new, across=across)),
        tuple(_features(old, new)),
        tuple(convergence(old, new)),
        tuple(splits(old, new)),
        tuple(Change(name, was, now) for name, was, now in versions(old, new)),
    )


def _suite(document: Object) -> str:
    suite = document["suite"]
    return f"{suite['version']} ({suite['digest'].removeprefix('sha256:')[:12] or 'no digest'})"


def _cases(document: Object) -> dict[tuple[str, str], Object]:
    return {(rule["rule"], name): case for rule in document["rules"] for name, case in _named(rule).items()}


def _named(rule: Object) -> dict[str, Object]:
    """A rule's cases by name, or by test where a name is there twice: tests of anybody may be alike."""
    number = Counter(case["case"] for case in rule["cases"])
    return {case["case"] if number[case["case"]] == 1 else case["test"]: case for case in rule["cases"]}


def direction(old: str, new: str) -> Direction:
    """Which way a case went: a promise no longer shown to hold is worse, whatever hides it."""
    if new == "holds":
        return "better"
    if old == "holds" or (new in RED and old not in RED):
        return "worse"
    return "changed"


def _ended(old: Object, new: Object) -> Iterator[Change]:
    if old["state"] != new["state"]:
        worse = new["state"] != "complete" and old["state"] == "complete"
        way: Direction = "worse" if worse else "better" if new["state"] == "complete" else "changed"
        yield Change("the run", old["state"], new["state"], way, new["ended"].partition("\n")[0])


def _rules(old: Object, new: Object, *, across: bool) -> Iterator[Change]:
    before, after = ({rule["rule"]: rule for rule in one["rules"]} for one in (old, new))
    for name in sorted({*before, *after}, key=natural):
        was, now = before.get(name), after.get(name)
        if across and not (was and now):
            continue
        parts = tuple(_parts(was, now, across=across))
        if parts:
            ways = {part.direction for part in parts}
            way: Direction = "worse" if "worse" in ways else "better" if ways == {"better"} else "changed"
            yield Change(name, _result(was), _result(now), way, _about(now or was or {}, parts), parts)


def _about(rule: Object, parts: Sequence[Change]) -> str:
    """What the tests of some cases promise."""
    cases = {part.what for part in parts}
    files = {case["test"].partition("::")[0] for name, case in _named(rule).items() if name in cases}
    return " ".join(dict.fromkeys(told for file, told in rule.get("about", {}).items() if file in files))


def _result(rule: Object | None) -> str:
    return rule["counts"]["result"] if rule else "did not run"


def _parts(was: Object | None, now: Object | None, *, across: bool) -> Iterator[Change]:
    before, after = (_named(rule) if rule else {} for rule in (was, now))
    for name in dict.fromkeys((*before, *after)):
        old, new = (cases[name]["word"] if name in cases else "" for cases in (before, after))
        if old == new or (across and not (old and new)):
            continue
        reason = str(after.get(name, {}).get("reason", "")).partition("\n")[0]
        yield Change(name, old or "not there", new or "not there", direction(old, new), reason)


def _features(old: Object, new: Object) -> Iterator[Change]:
    before, after = ({one["name"]: one for one in document["features"]} for document in (old, new))
    good = ("absent", "unverified", "verified")
    for name in sorted({*before, *after}):
        was, now = (one.get(name, {}).get("state", "absent") for one in (before, after))
        if was != now:
            way: Direction = "worse" if good.index(now) < good.index(was) else "better"
            yield Change(name, was, now, way, str(after.get(name, {}).get("reason", "")))
