"""What moved between two reports by more than chance: how long rules take to show, and the shares of splits."""

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, TypeAlias

from pytest_ambient.report.change import Change, Direction
from pytest_ambient.report.noise import fisher, modified_z, signed_rank
from pytest_ambient.verdict.split import p_words

Object: TypeAlias = dict[str, Any]

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


def convergence(old: Object, new: Object) -> Iterator[Change]:
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


def splits(old: Object, new: Object) -> Iterator[Change]:
    """The shares that are not what they were."""
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
