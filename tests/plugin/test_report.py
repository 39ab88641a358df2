"""The report that a run leaves: whole, by whoever has the results, however the run ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from pytest_ambient.report import schema, verify
from tests.plugin.conftest import ALONE_OR_DEALT, PLUGIN, XDIST, Project
from tests.plugin.test_verdict import ARGUMENTS, RULE, TABLE
from tests.report.runs import Object

FEATURES = """
import pytest

@pytest.fixture(scope="session")
def ambient_mesh():
    return None

@pytest.fixture
def told(pytestconfig):
    from pytest_ambient import _reporting
    found = [{"name": "Waypoint", "present": True, "detected": "asked of the cluster", "reason": ""}]
    _reporting.tell(pytestconfig, features=found, waypoint=["proxyv2@sha256:abc"])
"""

MAKER = """
organization: An organization
project: A mesh
url: https://mesh.example
version: 1.2.3
contact: [somebody@mesh.example]
"""


@pytest.fixture
def rule(project: Project) -> Project:
    """A project with a table of every kind of row, and a rule that answers for them without a cluster."""
    project.write("", conftest=RULE + FEATURES)
    project.pytester.makepyfile(test_table=TABLE)
    return project


def written(project: Project, folder: str = "out") -> Object:
    """The document that a run has left, which must verify."""
    path = project.pytester.path / folder
    made: Object = yaml.safe_load((path / "report.yaml").read_text())
    assert schema.errors(made) == []
    assert verify.problems(path) == []
    return made


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_a_run_leaves_a_report_that_verifies(rule: Project, xdist: tuple[str, ...]) -> None:
    """The document, the page and the results, with workers and without."""
    (rule.pytester.path / "maker.yaml").write_text(MAKER)
    rule.run(*ARGUMENTS, *xdist, "--ambient-report=out", "--ambient-implementation=maker.yaml", "-k", "not elsewhere")
    made = written(rule)
    assert (made["result"], made["state"], made["publishable"]) == ("failure", "complete", True)
    core = made["profiles"][1]["core"]
    assert (core["passed"], core["failed"], core["skipped"]) == (2, 2, 0)
    assert made["implementation"]["project"] == "A mesh"
    assert made["options"]["weakening"] == ["-k 'not elsewhere'", "--ambient-profile=AMBIENT-L7"]
    assert made["options"]["timeouts"]["becomes"] == 30.0
    assert made["suite"]["expected"]["AMBIENT-TELEMETRY"]
    assert {one["word"] for one in made["documented"]} == {"differs"}
    page = (rule.pytester.path / "out" / "report.html").read_text()
    assert "broken-here" in page


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_what_workers_learn_of_the_mesh_is_in_the_report(rule: Project, xdist: tuple[str, ...]) -> None:
    """Features and images of waypoints come with the reports of tests, and are no property of any of them."""
    rule.pytester.makepyfile(
        test_told="import pytest\n@pytest.mark.ambient(rule='R1')\ndef test_it(ambient_cluster, told): pass"
    )
    rule.run("--ambient-cluster=fake", *xdist, "--ambient-report=out", "--junitxml=out.xml", "test_told.py")
    made = written(rule)
    assert [(one["name"], one["state"]) for one in made["features"]] == [("Waypoint", "unverified")]
    assert made["environment"]["images"] == {"waypoint": ["proxyv2@sha256:abc"]}
    assert made["environment"]["mode"] == "ambient+waypoint"
    assert "ambient.told" not in (rule.pytester.path / "out.xml").read_text()
    assert "told" not in (rule.pytester.path / "out" / "results.jsonl").read_text().splitlines()[1].split('"')


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_what_a_module_promises_is_told(rule: Project, xdist: tuple[str, ...]) -> None:
    """The first sentence of its docstring, without the rule's name, once for the file."""
    doc = '"""R3: a waypoint answers\nas it is told.\n\nNothing of this.\n"""\n'
    rule.pytester.makepyfile(test_table=doc + TABLE)
    rule.run(*ARGUMENTS, *xdist, "--ambient-report=out")
    (one,) = written(rule)["rules"]
    assert one["about"] == {"test_table.py": "a waypoint answers as it is told."}


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_files_outside_of_the_root_keep_their_names(rule: Project, xdist: tuple[str, ...]) -> None:
    """Pytest leaves them out of its own when they are named one by one: tests of two would be taken for one.

    Of two tests with one name xdist itself deals out but one.
    """
    path = rule.pytester.path
    for name in ("a", "b"):
        (path / name).mkdir()
        (path / name / f"test_{name}.py").write_text(f"def test_{name if xdist else 'it'}(ambient_cluster): pass")
    (path / "root").mkdir()
    (path / "root" / "pytest.ini").write_text("[pytest]")
    root = ("--rootdir=root", "-c", "root/pytest.ini", "--confcutdir=.")
    result = rule.run(ARGUMENTS[0], *xdist, *root, "--ambient-report=out", "a/test_a.py", "b/test_b.py")
    result.assert_outcomes(passed=2)
    made = written(rule)
    tests = {one["rule"]: one["cases"][0]["test"].partition("::")[0] for one in made["rules"]}
    assert tests == {"test_a": "../a/test_a.py", "test_b": "../b/test_b.py"}
    assert (made["others"]["passed"], made["results"]["lines"]) == (2, 4)


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_junit_has_the_results_of_the_whole(rule: Project, xdist: tuple[str, ...]) -> None:
    """Properties of the suite, from the same document."""
    rule.run(*ARGUMENTS, *xdist, "--junitxml=out.xml")
    (suite,) = ElementTree.parse(rule.pytester.path / "out.xml").getroot().iter("testsuite")
    properties = suite.find("properties")
    assert properties is not None
    told = {one.get("name"): one.get("value") for one in properties}
    assert (told["ambient.result"], told["ambient.publishable"]) == ("failure", "true")
    assert (told["ambient.AMBIENT-L7.core"], told["ambient.AMBIENT-L4.core"]) == ("failure", "untested")


def test_the_terminal_tells_the_same(rule: Project) -> None:
    """A line for each profile with rows, and the result."""
    rule.run(*ARGUMENTS).stdout.fnmatch_lines(
        ["AMBIENT-L4: core untested (1 skipped)", "AMBIENT-L7: core failure (2 passed, 2 failed)", "result: failure"]
    )


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_a_failed_bring_up_leaves_a_report(rule: Project, xdist: tuple[str, ...]) -> None:
    """A failure with its reason; nothing of the mesh is claimed."""
    rule.write("", conftest=RULE, fails="no room")
    rule.run(*ARGUMENTS, *xdist, "--ambient-report=out")
    made = written(rule)
    assert (made["result"], made["state"], made["publishable"]) == ("failure", "bring-up-failed", False)
    assert "no room" in made["ended"]
    assert made["environment"] == {"unknown": ["all of it: no cluster came up"]}


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_a_run_that_stops_at_a_failure_says_so(rule: Project, xdist: tuple[str, ...]) -> None:
    """It is partial at best."""
    rule.run(*ARGUMENTS, *xdist, "--ambient-report=out", "-x")
    made = written(rule)
    assert made["state"] == "interrupted"
    assert made["reasons"][0].startswith("interrupted: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_an_interrupted_run_leaves_a_report(rule: Project, xdist: tuple[str, ...], number: signal.Signals) -> None:
    """What was known by then, the cluster gone all the same."""
    slow = "import os, time\ndef test_end(): os.mkdir('here'); time.sleep(60)"
    rule.pytester.makepyfile(test_zz=slow)
    options = [*ARGUMENTS, *xdist, "--ambient-report=out"]
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:cacheprovider", *options]
    child = subprocess.Popen(command, cwd=rule.pytester.path, stdout=subprocess.PIPE, text=True)
    deadline, lines = time.monotonic() + 60, rule.pytester.path / "out" / "results.jsonl"
    while time.monotonic() < deadline:
        if (rule.pytester.path / "here").exists() and lines.exists() and lines.read_text().count("\n") == 7:
            break
        time.sleep(0.05)
    child.send_signal(number)
    try:
        child.communicate(timeout=50)
    finally:
        child.kill()
        child.communicate()
    made = written(rule)
    assert (made["state"], made["ended"]) == ("interrupted", "it was interrupted")
    assert made["profiles"][1]["core"]["passed"] == 2
    assert rule.provider.asked()[-1] == "delete"


@pytest.mark.parametrize("xdist", ALONE_OR_DEALT)
def test_a_second_run_replaces_the_first_as_a_whole(rule: Project, xdist: tuple[str, ...]) -> None:
    """Lines, document and page are of one run."""
    rule.run(*ARGUMENTS, *xdist, "--ambient-report=out")
    first = written(rule)
    rule.run(*ARGUMENTS, *xdist, "--ambient-report=out", "-k", "broken-here")
    assert written(rule)["run"] != first["run"]
    assert sorted(path.name for path in (rule.pytester.path / "out").glob("*.*")) == [
        "report.html", "report.yaml", "results.jsonl",
    ]  # fmt: skip


def test_a_run_that_is_killed_leaves_an_earlier_report_as_it_was(rule: Project) -> None:
    """Its own lines lie beside."""
    rule.run(*ARGUMENTS, "--ambient-report=out")
    first = written(rule)
    rule.pytester.makepyfile(test_zz="import os\ndef test_end(): os._exit(9)")
    rule.run(*ARGUMENTS, "--ambient-report=out")
    assert written(rule) == first
    assert len((rule.pytester.path / "out" / "results.new.jsonl").read_text().splitlines()) == 7


@XDIST
def test_nothing_is_lost_when_a_worker_dies(rule: Project) -> None:
    """The test that it was at is an error of its rule and profile."""
    rule.pytester.makepyfile(
        test_table=TABLE.replace("    verdict.holds()", "    import os\n    verdict.broken and os._exit(9)")
    )
    rule.run(*ARGUMENTS, "-n1", "--ambient-report=out")
    made = written(rule)
    dead = [case for one in made["rules"] for case in one["cases"] if case["word"] == "error"]
    line = "worker 'gw0' crashed while running 'test_table.py::test_table[broken-here]'"
    assert [(case["profile"], case["reason"]) for case in dead] == [("AMBIENT-L7", line)]
    assert made["profiles"][1]["core"]["passed"] == 2


def test_github_s_summary_is_added_to(rule: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the job said before stays."""
    path = rule.pytester.path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    rule.run(*ARGUMENTS)
    lines = path.read_text().splitlines()
    assert lines[:2] == ["before", "# Ambient conformance: ❌ failure"]
    assert "### R3 broken-here: broken" in lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", "maker.yaml: line 1: "),
        ("[]", "maker.yaml: wanted object, got []"),
        (MAKER.replace("url: https", "url: ftp"), "maker.yaml: url: wanted the form ^https?://"),
        (MAKER.replace("version", "versoin"), "maker.yaml: lacks version"),
        (None, "maker.yaml: cannot be read: No such file or directory"),
    ],
    ids=["damaged", "list", "url", "slip", "none"],
)
def test_a_wrong_implementation_is_one_line(rule: Project, text: str | None, line: str) -> None:
    """Before anything is made."""
    if text is not None:
        (rule.pytester.path / "maker.yaml").write_text(text)
    result = rule.run(*ARGUMENTS, "--ambient-implementation=maker.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    wanted = f"ERROR: --ambient-implementation: {rule.pytester.path if text is None else ''}"
    told = [one for one in result.errlines if one.startswith("ERROR")]
    assert len(told) == 1
    assert told[0].startswith("ERROR: --ambient-implementation: ")
    assert line in told[0], wanted
    assert rule.provider.asked() == []


def test_a_run_without_tests_of_ours_leaves_nothing(project: Project) -> None:
    """No report about no mesh."""
    project.write("def test_a(): pass")
    project.run("--ambient-cluster=fake", "--ambient-report=out")
    assert not Path(project.pytester.path / "out").exists()
