"""From a case's result to pytest's word, the closing table, JUnit and results.jsonl."""

import json
from xml.etree import ElementTree

import pytest

from tests.plugin.conftest import ALONE_OR_DEALT, Project

RULE = """
import pytest

@pytest.fixture(scope="module")
def ambient_rule():
    from pytest_ambient.probe.result import CaseResult
    from pytest_ambient.verdict.expectation import Word
    from pytest_ambient.verdict.split import weigh

    class Rule:
        def knows(self, case):
            return False

        def result(self, case):
            word = next((word for word in Word if case.id.startswith(word)), Word.HOLDS)
            if word is Word.HOLDS:
                sample = weigh({"a": 0.9, "b": 0.1}, {"a": 2530, "b": 277}, 2807) if "split" in case.id else None
                return CaseResult(case, word, attempts=3, first_ms=31.0, stable_ms=95.5, seconds=0.2, sample=sample,
                                  evidence=("a line of a log",))
            text = f"curl (bookinfo/curl-1) -> {case.call}\\n  wanted   {case.expectation}\\n  got      {case.id}"
            if word is Word.INCONCLUSIVE:
                lost = "the exec was lost"
                return CaseResult(case, word, lost, attempts=9, seconds=30.1, text=f"Inconclusive: {lost}")
            return CaseResult(case, word, "HTTP 405", attempts=14, seconds=30.2, text=text, evidence=("a line",))
    return Rule()
"""

TABLE = """
import pytest
from pytest_ambient import GET, Answered, Split, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="R3", profile="AMBIENT-L7")
PAGE = GET("http://productpage:9080/productpage")

@cases(
    case("holds-well", "curl", PAGE, Answered(200), unchanged=True),
    case("holds-split", "curl", PAGE, Split({"a": 9, "b": 1})),
    case("broken-here", "curl", PAGE, Answered(200), unchanged=True),
    case("broken-in-documents", "curl", PAGE, Answered(200), unchanged=True, level="documented"),
    case("inconclusive-here", "curl", PAGE, Answered(200), unchanged=True),
    case("holds-elsewhere", "curl", PAGE, Answered(200), unchanged=True, profile="AMBIENT-L4"),
)
def test_table(verdict: Verdict) -> None:
    verdict.holds()
"""

ARGUMENTS = ("--ambient-cluster=fake", "--ambient-profile=AMBIENT-L7")


@pytest.fixture
def rule(project: Project) -> Project:
    """A project with a table of every kind of row, and a rule that answers for them without a cluster."""
    project.write("", conftest=RULE)
    project.pytester.makepyfile(test_table=TABLE)
    return project


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_each_word_has_its_own_kind_of_end(rule: Project, xdist: tuple[str, ...]) -> None:
    """Holds passes, broken fails, inconclusive errors in set-up, documented is an expected failure, the rest skips."""
    result = rule.run(*ARGUMENTS, *xdist)
    result.assert_outcomes(passed=2, failed=1, errors=1, xfailed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at setup of test_table[[]inconclusive-here[]]*",
            "Inconclusive: the exec was lost",
            "*test_table[[]broken-here[]]*",
            "curl (bookinfo/curl-1) -> GET http://productpage:9080/productpage",
            "  wanted   HTTP 200*",
            "  got      broken-here",
        ]
    )
    result.stdout.no_fnmatch_line("*def test_table*")


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_the_closing_table_has_rules_times_shares_and_reasons(rule: Project, xdist: tuple[str, ...]) -> None:
    """It is the same with and without workers."""
    lines = rule.run(*ARGUMENTS, *xdist).outlines
    start = next(number for number, line in enumerate(lines) if " ambient " in line)
    assert lines[start + 1 : start + 6] == [
        "rule  holds  differs  broken  inconclusive  skipped  effect, median / slowest",
        "R3        2        1       1             1        1                96 / 96 ms",
        "R3 holds-split: a 90.1 % [88.6, 91.5] of 2,807, wanted 90 %, p = 0.85",
        "R3 holds-split: b 9.9 % [8.5, 11.4] of 2,807, wanted 10 %, p = 0.85",
        "R3 broken-in-documents differs from the documents: HTTP 405",
    ]
    assert lines[start + 6] == "1 skipped: profile AMBIENT-L4 is not selected: --ambient-profile=AMBIENT-L7"


def test_strict_docs_fails_what_differs_from_the_documents(rule: Project) -> None:
    """Then a documented case is a case like any other."""
    rule.run(*ARGUMENTS, "--ambient-strict-docs").assert_outcomes(passed=2, failed=2, errors=1, skipped=1)


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_junit_has_the_facts_as_properties(rule: Project, xdist: tuple[str, ...]) -> None:
    """Each value is JSON."""
    rule.run(*ARGUMENTS, *xdist, "--junitxml=out.xml", "-W", "error")
    found = ElementTree.parse(rule.pytester.path / "out.xml").getroot().iter("testcase")
    rows = {
        str(one.get("name")): {str(p.get("name")): json.loads(str(p.get("value"))) for p in one.iter("property")}
        for one in found
    }
    split = rows["test_table[holds-split]"]
    assert (split["ambient.rule"], split["ambient.case"]) == ("R3", "holds-split")
    assert (split["ambient.verdict"], split["ambient.stable_ms"]) == ("holds", 95.5)
    assert split["ambient.split"][1]["backend"] == "b"
    assert split["ambient.evidence"] == ["a line of a log"]
    assert rows["test_table[broken-here]"]["ambient.verdict"] == "broken"
    assert rows["test_table[inconclusive-here]"]["ambient.verdict"] == "inconclusive"
    assert rows["test_table[holds-elsewhere]"]["ambient.profile"] == "AMBIENT-L4"


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_results_are_lines_of_json(rule: Project, xdist: tuple[str, ...]) -> None:
    """The first line is the run, each further one a test, the last how the run ended."""
    rule.run(*ARGUMENTS, *xdist, "--ambient-report=out")
    text = (rule.pytester.path / "out" / "results.jsonl").read_text()
    head, *rows, end = [json.loads(line) for line in text.splitlines()]
    assert (end["state"], end["ended"]) == ("complete", "")
    assert head["provider"] == "fake"
    assert head["publishable"] is True
    assert head["settings"]["profile"] == "AMBIENT-L7"
    assert {row["case"]: row["word"] for row in rows} == {
        "holds-well": "holds",
        "holds-split": "holds",
        "broken-here": "broken",
        "broken-in-documents": "differs",
        "inconclusive-here": "inconclusive",
        "holds-elsewhere": "skipped",
    }


def test_a_run_that_is_killed_leaves_the_results_it_had(rule: Project) -> None:
    """Each line is on the disk before the next test starts."""
    rule.pytester.makepyfile(test_zz="import os\ndef test_end(): os._exit(9)")
    rule.run(*ARGUMENTS, "--ambient-report=out")
    assert len((rule.pytester.path / "out" / "results.jsonl").read_text().splitlines()) == 7


def test_artefacts_are_written_for_what_does_not_hold(rule: Project) -> None:
    """One file a case, with the whole text and the evidence; always, on failure, or never."""
    written = {}
    for when in ("on-failure", "always", "off"):
        rule.run(*ARGUMENTS, f"--ambient-report={when}", f"--ambient-artifacts={when}")
        written[when] = sorted(path.name for path in (rule.pytester.path / when).glob("artifacts/R3/*"))
    logs = {when: (rule.pytester.path / when / "artifacts" / "cluster" / "log").exists() for when in written}
    assert logs == {"on-failure": True, "always": True, "off": False}
    red = ["broken-here.txt", "broken-in-documents.txt", "inconclusive-here.txt"]
    assert written == {"on-failure": red, "always": sorted([*red, "holds-split.txt", "holds-well.txt"]), "off": []}
    text = (rule.pytester.path / "on-failure" / "artifacts" / "R3" / "broken-here.txt").read_text()
    assert text.startswith("test_table.py::test_table[broken-here]: broken\n\ncurl (bookinfo/curl-1) -> GET")
    assert "\nevidence\n  a line\n" in text


@pytest.mark.parametrize("name", ["results.jsonl", "results.new.jsonl"])
def test_a_full_disk_costs_the_report_and_not_the_run(rule: Project, name: str) -> None:
    """One message, which names the file, beside that of an earlier run too; the results stand."""
    (rule.pytester.path / "out").mkdir()
    (rule.pytester.path / "out" / "results.jsonl").write_text("")
    (rule.pytester.path / "out" / name).unlink(missing_ok=True)
    (rule.pytester.path / "out" / name).symlink_to("/dev/full")
    result = rule.run(*ARGUMENTS, "--ambient-report=out", "--ambient-artifacts=off", "-W", "error")
    result.assert_outcomes(passed=2, failed=1, errors=1, xfailed=1, skipped=1)
    told = [line for line in result.outlines if "cannot be written" in line]
    assert told == [
        f"ambient: {rule.pytester.path}/out/{name} cannot be written: No space left on device; "
        "the run goes on without it"
    ]


def test_a_report_folder_that_cannot_be_made_costs_the_report_and_not_the_run(rule: Project) -> None:
    """The same for a folder where nothing may be written."""
    result = rule.run(*ARGUMENTS, "--ambient-report=/proc/nowhere", "-W", "error")
    result.assert_outcomes(passed=2, failed=1, errors=1, xfailed=1, skipped=1)
    told = [line for line in result.outlines if "cannot be written" in line]
    assert told == [
        "ambient: /proc/nowhere/results.jsonl cannot be written: No such file or directory; the run goes on without it",
        "ambient: /proc/nowhere/artifacts cannot be written: No such file or directory; the run goes on without them",
    ]


@pytest.mark.parametrize(("selected", "states"), [("one or two", ["a", "b"]), ("two", ["b"])])
def test_a_rule_is_asked_for_the_rows_that_were_selected(project: Project, selected: str, states: list[str]) -> None:
    """What `-k` leaves out is not judged."""
    project.write(
        """
        from pytest_ambient import GET, Answered, case, cases
        PAGE = GET("http://productpage:9080/productpage")
        @cases(
            case("one", "curl", PAGE, Answered(200), unchanged=True, state="a"),
            case("two", "curl", PAGE, Answered(200), unchanged=True, state="b"),
        )
        def test_table(request, verdict):
            from pytest_ambient import _gate
            print("selected", [row.state for row in _gate.selected(request)])
        """,
        conftest=RULE,
    )
    result = project.run("--ambient-cluster=fake", "-s", "-k", selected)
    result.stdout.fnmatch_lines(["*selected " + str(states).replace("[", "[[]")])


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_a_mistake_in_a_table_fails_collection_with_one_line(project: Project, xdist: tuple[str, ...]) -> None:
    """Under xdist too it is no internal error."""
    table = """
        from pytest_ambient import GET, Answered, case, cases
        @cases(case("One", "curl", GET("http://a/"), Answered(200), unchanged=True))
        def test_table(verdict): pass
    """
    project.write(table)
    result = project.run("--ambient-cluster=fake", *xdist)
    text = "case 'One': the id must be a sentence in kebab case, like get-is-answered"
    result.stdout.fnmatch_lines([f"test_*.py:2: {text}"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
