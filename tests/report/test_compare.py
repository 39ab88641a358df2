"""Two reports beside each other: what is told, what is worse, and what chance alone does not make so."""

import random

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.report import compared, schema
from pytest_ambient.report.change import Change
from pytest_ambient.report.compare import Comparison, compare, direction
from tests.report.pairs import report

R1 = {"get-is-answered": "holds", "delete-is-denied": "holds"}
R3 = {"reviews-is-reset": "holds", "details-is-answered": "holds"}
GOOD = report({"R1": R1, "R3": R3})


def whats(changes: tuple[Change, ...]) -> list[tuple[str, str]]:
    """What changed, and which way."""
    return [(change.what, change.direction) for change in changes]


def test_the_reports_of_these_tests_are_reports() -> None:
    """By the published schema."""
    assert schema.errors(GOOD) == []


def test_two_equal_reports_differ_in_nothing() -> None:
    """Nothing is worse, better or changed."""
    one = compare(GOOD, GOOD)
    assert (one.judged, one.versions, one.worse) == ((), (), False)


def test_the_one_rule_that_changed_is_named_with_its_cases() -> None:
    """By the case that broke, and why."""
    new = report({"R1": R1, "R3": {**R3, "reviews-is-reset": "broken"}})
    one = compare(GOOD, new)
    part = Change("reviews-is-reset", "holds", "broken", "worse", "it is broken")
    assert one.rules == (Change("R3", "success", "failure", "worse", "what R3 promises.", (part,)),)
    assert one.worse
    assert not compare(new, GOOD).worse


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        ("holds", "broken", "worse"), ("holds", "skipped", "worse"), ("holds", "unsupported", "worse"),
        ("holds", "differs", "worse"), ("skipped", "error", "worse"), ("differs", "inconclusive", "worse"),
        ("holds", "", "worse"), ("", "broken", "worse"),
        ("broken", "holds", "better"), ("", "holds", "better"),
        ("broken", "skipped", "changed"), ("broken", "", "changed"), ("error", "broken", "changed"),
        ("skipped", "unsupported", "changed"), ("", "skipped", "changed"),
    ],
)  # fmt: skip
def test_a_promise_no_longer_shown_to_hold_is_worse(old: str, new: str, way: str) -> None:
    """A failure that is hidden by a skip is not better, and a skip of what held is worse."""
    assert direction(old, new) == way


def test_cases_of_one_name_hide_nothing_of_each_other() -> None:
    """A rule has several files, and whoever writes them chooses the names."""
    old, new = (report({"R1": R1, "R3": {"is-reset": "holds", "again": word}}) for word in ("holds", "broken"))
    for document in (old, new):
        document["rules"][1]["cases"][1].update(case="is-reset", test="test_other.py::is-reset")
        document["rules"][1]["cases"].reverse()
    (change,) = compare(old, new).rules
    assert [(part.what, part.new) for part in change.parts] == [("test_other.py::is-reset", "broken")]


def test_a_rule_that_did_not_run_is_told() -> None:
    """With every case that it had."""
    one = compare(GOOD, report({"R1": R1}))
    assert one.rules[0].new == "did not run"
    assert [part.new for part in one.rules[0].parts] == ["not there", "not there"]
    assert one.worse


def test_reports_of_different_suites_are_refused_or_compared_in_what_they_share() -> None:
    """One line, unless asked for; what only one of them has is then passed over."""
    new = report(
        {"R1": {**R1, "delete-is-denied": "broken", "new-row": "broken"}, "R9": R3}, digest="sha256:" + "b" * 64
    )
    with pytest.raises(Misuse) as told:
        compare(GOOD, new)
    assert str(told.value) == (
        "the reports are of different suites, 1.0 (aaaaaaaaaaaa) and 1.0 (bbbbbbbbbbbb): "
        "--across compares what both have"
    )
    one = compare(GOOD, new, across=True)
    assert whats(one.rules) == [("R1", "worse")]
    assert [part.what for part in one.rules[0].parts] == ["delete-is-denied"]


def test_reports_without_a_common_case_are_refused() -> None:
    """Of whatever suites they say they are."""
    with pytest.raises(Misuse, match=r"^the reports have no case in common: they are of different suites$"):
        compare(GOOD, report({"X1": R1}), across=True)


def test_a_run_that_was_interrupted_is_worse() -> None:
    """Its report says less than the one before."""
    one = compare(GOOD, report({"R1": R1, "R3": R3}, state="interrupted"))
    assert one.run == (Change("the run", "complete", "interrupted", "worse", "Ctrl-C"),)


def test_features_come_and_go() -> None:
    """One that went, or that no passed case shows any more, is worse."""
    old = report({"R1": R1}, features={"Waypoint": "verified", "Split": "verified", "Kiali": "absent"})
    new = report({"R1": R1}, features={"Waypoint": "unverified", "Kiali": "verified"})
    assert compare(old, new).features == (
        Change("Kiali", "absent", "verified", "better"),
        Change("Split", "verified", "absent", "worse"),
        Change("Waypoint", "verified", "unverified", "worse"),
    )


def test_a_share_beyond_noise_is_told_and_one_within_is_not() -> None:
    """Away from what was wanted is worse, back to it is better."""
    old = report({"R1": R1}, splits=[("reviews-v1", 0.9, 0.9, 2800), ("reviews-v2", 0.1, 0.1, 2800)])
    near = report({"R1": R1}, splits=[("reviews-v1", 0.9, 0.91, 2800), ("reviews-v2", 0.1, 0.09, 2800)])
    far = report({"R1": R1}, splits=[("reviews-v1", 0.9, 0.85, 2800), ("reviews-v2", 0.1, 0.15, 2800)])
    assert compare(old, near).splits == ()
    moved = compare(old, far)
    assert whats(moved.splits) == [("H2 is-split reviews-v1", "worse"), ("H2 is-split reviews-v2", "worse")]
    assert (moved.splits[0].old, moved.splits[0].new) == ("90.0 % of 2,800", "85.0 % of 2,800")
    assert moved.worse
    assert not compare(far, old).worse


def test_chance_moves_no_time() -> None:
    """Times that vary by half, run after run, move nothing in a hundred comparisons."""
    chance = random.Random(3)
    rules = {f"R{n}": R1 for n in range(40)}

    def times() -> dict[str, float]:
        return {rule: 300 * chance.lognormvariate(0, 0.5) for rule in rules}

    pairs = [compare(report(rules, times=times()), report(rules, times=times())) for _ in range(100)]
    assert sum(bool(one.convergence) for one in pairs) <= 1


def test_a_rule_that_became_slow_is_told() -> None:
    """When it stands out from the others, and by more than probes pause."""
    rules = {f"R{n}": R1 for n in range(12)}
    old = {rule: 300.0 + 10 * n for n, rule in enumerate(rules)}
    one = compare(report(rules, times=old), report(rules, times={**old, "R5": 9000.0, "R6": 900.0}))
    assert whats(one.convergence) == [("R5", "worse")]
    assert (one.convergence[0].old, one.convergence[0].new) == ("350 ms", "9,000 ms")
    assert one.convergence[0].why.startswith("25.71 times, z = ")


def test_a_mesh_that_became_slow_is_told_once() -> None:
    """When all rules lean to one side: the run as a whole, not each rule."""
    rules = {f"R{n}": R1 for n in range(12)}
    old = {rule: 300.0 + 10 * n for n, rule in enumerate(rules)}
    new = {rule: 2.0 * time + n for n, (rule, time) in enumerate(old.items())}
    one = compare(report(rules, times=old), report(rules, times=new))
    assert whats(one.convergence) == [("all rules", "worse")]
    assert whats(compare(report(rules, times=new), report(rules, times=old)).convergence) == [("all rules", "better")]


def test_a_few_rules_show_no_slow_mesh() -> None:
    """Five that lean to one side do so by chance in one of sixteen runs."""
    rules = {f"R{n}": R1 for n in range(5)}
    old = {rule: 300.0 + 10 * n for n, rule in enumerate(rules)}
    assert compare(report(rules, times=old), report(rules, times={rule: 2 * old[rule] for rule in old})).judged == ()


def test_versions_that_differ_are_listed_and_judge_nothing() -> None:
    """By their names in the document."""
    one = compare(GOOD, report({"R1": R1, "R3": R3}, istio="1.30.5", kubernetes="1.36.4"))
    assert one.versions == (
        Change("istio", "1.30.3", "1.30.5"),
        Change("kubernetes", "1.34.3", "1.36.4"),
        Change("images.ztunnel", "sha256:1.30.3", "sha256:1.30.5"),
    )
    assert not one.worse


@pytest.fixture
def regression() -> Comparison:
    """One rule broke over a new patch of Istio."""
    return compare(
        GOOD, report({"R1": R1, "R3": {**R3, "reviews-is-reset": "broken"}}, istio="1.30.5", date="2026-11-21")
    )


TEXT = """\
old  2026-11-20T03:00:00Z  success  Istio 1.30.3, Kubernetes 1.34.3, data plane ztunnel, run r20
new  2026-11-21T03:00:00Z  failure  Istio 1.30.5, Kubernetes 1.34.3, data plane ztunnel, run r21
Run: both runs ended alike
Rules
  worse  R3  success -> failure: what R3 promises.
    worse  reviews-is-reset  holds -> broken: it is broken
Features: none came or went
Convergence: nothing moved beyond noise
Splits: no share moved beyond noise
Versions and options
  istio  1.30.3 -> 1.30.5
  images.ztunnel  sha256:1.30.3 -> sha256:1.30.5
test of convergence: Wilcoxon's signed-rank test over rules' medians, two-sided, at 0.001, and a factor of 1.5; \
modified z-score of a rule's ratio above 5 (of 8 rules and more), a factor of 2, and 1000 ms
test of splits: Fisher's exact test, two-sided, at 0.0001 over all shares (Bonferroni)
worse: R3
"""

MARKDOWN = """\
## istio-1.30

**worse: R3**

- old: 2026-11-20T03:00:00Z  success  Istio 1.30.3, Kubernetes 1.34.3, data plane ztunnel, run r20
- new: 2026-11-21T03:00:00Z  failure  Istio 1.30.5, Kubernetes 1.34.3, data plane ztunnel, run r21

### Rules

| What | Was | Is | | Why |
|---|---|---|---|---|
| R3 | success | failure | **worse** | what R3 promises. |
| R3 / reviews-is-reset | holds | broken | **worse** | it is broken |

### Versions and options

| What | Was | Is | | Why |
|---|---|---|---|---|
| istio | 1.30.3 | 1.30.5 |  |  |
| images.ztunnel | sha256:1.30.3 | sha256:1.30.5 |  |  |
"""


def test_a_terminal_gets_lines(regression: Comparison) -> None:
    """The whole of it; the last line is the verdict."""
    assert compared.text(regression) == TEXT


def test_a_summary_gets_markdown(regression: Comparison) -> None:
    """Only what changed."""
    assert compared.markdown(regression, "istio-1.30") == MARKDOWN


def test_a_program_gets_values(regression: Comparison) -> None:
    """With the tests' names, for whoever asks how it was judged."""
    told = compared.plain(regression)
    assert (told["worse"], told["new"]["result"], told["rules"][0]["parts"][0]["what"]) == (
        True, "failure", "reviews-is-reset",
    )  # fmt: skip
    assert told["tests"]["splits"].startswith("Fisher's exact test")


def test_markdown_is_not_led_astray_by_what_a_mesh_says() -> None:
    """A reason with marks, a mention or a tag is text."""
    old, new = report({"R1": R1}), report({"R1": {**R1, "get-is-answered": "broken"}})
    new["rules"][0]["cases"][0]["reason"] = "<b> | @somebody `x` #12"
    assert "&lt;b&gt; \\| @\u200bsomebody \\`x\\` \\#12 |" in compared.markdown(compare(old, new))


def test_the_verdict_says_what_got_better() -> None:
    """When nothing is worse."""
    bad = report({"R1": {**R1, "get-is-answered": "broken"}, "R3": R3})
    assert compared.verdict(compare(bad, GOOD)) == "nothing got worse; better: R1"
    assert compared.verdict(compare(GOOD, GOOD)) == "nothing got worse"


def test_the_verdict_names_a_rule_once_whatever_of_it_is_worse() -> None:
    """Its cases and the shares of its splits; a chance too small to be told is told as that."""
    old = report({"H2": {"is-split": "holds"}}, splits=[("v1", 0.9, 0.9, 2800), ("v2", 0.1, 0.1, 2800)])
    new = report({"H2": {"is-split": "broken"}}, splits=[("v1", 0.9, 0.6, 2800), ("v2", 0.1, 0.4, 2800)])
    one = compare(old, new)
    assert compared.verdict(one) == "worse: H2"
    assert one.splits[0].why == "wanted 90 %, p < 1e-12"
    assert compared.verdict(compare(new, old)) == "nothing got worse; better: H2"


def test_options_that_only_say_where_something_is_do_not_differ() -> None:
    """A folder or a cluster's name is another in each run; a fault is not."""
    new = report({"R1": R1, "R3": R3})
    new["options"]["chosen"] |= {"report": "elsewhere", "name": "two", "kubeconfig": "k", "fault": "split-62-38"}
    assert [change.what for change in compare(GOOD, new).versions] == ["options.fault"]
