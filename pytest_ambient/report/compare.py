"""What changed between two reports, and what of it is worse."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, TypeAlias

from pytest_ambient.errors import Misuse
from pytest_ambient.report.noise import fisher, modified_z, signed_rank
from pytest_ambient.report.terminal import natural
from pytest_ambient.report.versions import versions
from pytest_ambient.verdict.split import p_words

Object: TypeAlias = dict[str, Any]
Direction = Literal["worse", "better", "changed"]

RED = ("broken", "inconclusive", "error")
SPLIT_ALARM = 1e-4
"""The probability with which any of a comparison's shares is told to have moved by chance."""
SPEED_ALARM = 1e-3
"""The same for a run as a whole to be told slower or faster."""
FACTOR, RUN_FACTOR, PAUSE = 2.0, 1.5, 1000.0
"""A rule moves by this factor and more than probes pause between two looks (ms); a run by that one."""
OUTLIER, ENOUGH = 5.0, 8
"""The modified z-score that tells, asked where so many rules show how much times vary. The textbook's 3.5 would tell
of one of sixty rules every few weeks by chance."""

TESTS = {
    "splits": f"Fisher's exact test, two-sided, at {SPLIT_ALARM:g} over all shares (Bonferroni)",
    "run": f"Wilcoxon's signed-rank test over rules' medians, two-sided, at {SPEED_ALARM:g}, and a factor of "
    f"{RUN_FACTOR:g}",
    "rules": f"modified z-score of a rule's ratio above {OUTLIER:g} (of {ENOUGH} rules and more), a factor of "
    f"{FACTOR:g}, and {PAUSE:g} ms",
}
"""Which tests decide that something moved beyond noise."""


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was."""

    what: str
    """A rule, a case, a feature, a version."""
    old: str
    new: str
    direction: Direction = "changed"
    why: str = ""
    parts: tuple["Change", ...] = ()
    """The cases of a rule."""


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
        tuple(_convergence(old, new)),
        tuple(_splits(old, new)),
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


def _convergence(old: Object, new: Object) -> Iterator[Change]:
    """The run as a whole, then the rules that moved more than the others did."""
    before, after = (
        {rule["rule"]: float(rule["convergence"]["median"]) for rule in one["rules"] if rule["convergence"]}
        for one in (old, new)
    )
    both = [name for name in before if name in after and before[name] > 0 and after[name] > 0]
    if not both:
        return
    logs = [math.log(after[name] / before[name]) for name in both]
    typical, chance = math.exp(median(logs)), signed_rank(logs)
    if chance < SPEED_ALARM and max(typical, 1 / typical) >= RUN_FACTOR:
        first, last = (f"{median(one[name] for name in both):,.0f} ms" for one in (before, after))
        yield Change("all rules", first, last, _slower(typical), f"{typical:.2f} times, {p_words(chance)}")
    far = modified_z(logs) if len(both) >= ENOUGH else [math.inf] * len(both)
    for name, log, score in zip(both, logs, far, strict=True):
        moved = max(math.exp(abs(log)), 1) >= FACTOR and abs(after[name] - before[name]) > PAUSE
        if moved and abs(score) > OUTLIER:
            words = f"{math.exp(log):.2f} times" + (f", z = {score:.1f}" if math.isfinite(score) else "")
            yield Change(name, f"{before[name]:,.0f} ms", f"{after[name]:,.0f} ms", _slower(math.exp(log)), words)


def _slower(ratio: float) -> Direction:
    return "worse" if ratio > 1 else "better"


def _splits(old: Object, new: Object) -> Iterator[Change]:
    before, after = ({_share(one): one for one in document["splits"]} for document in (old, new))
    both = [key for key in before if key in after]
    for key in both:
        was, now = before[key], after[key]
        chance = fisher(*_sample(was), *_sample(now))
        if chance < SPLIT_ALARM / len(both):
            off = [abs(one["share"] - one["wanted"]) for one in (was, now)]
            way: Direction = "worse" if off[1] > off[0] else "better"
            words = f"wanted {100 * now['wanted']:g} %, {p_words(chance)}"
            yield Change(" ".join(key), _percent(was), _percent(now), way, words)


def _share(one: Object) -> tuple[str, str, str]:
    return one["rule"], one["case"], one["backend"]


def _sample(one: Object) -> Sequence[int]:
    return round(one["share"] * one["total"]), one["total"]


def _percent(one: Object) -> str:
    return f"{100 * one['share']:.1f} % of {one['total']:,}"
