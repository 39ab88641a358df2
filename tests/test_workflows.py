"""The workflows: pinned, of least permissions, safe in a shell; and each of their commands run as by hand."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.doubles import Doubles

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".github" / "workflows"
NAMES = ("ci", "conformance", "nightly")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")

Object = dict[str, Any]


def workflow(name: str) -> Object:
    """A workflow; its key `on` is a true value for YAML 1.1, and read by nothing here."""
    loaded: Object = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return loaded


def steps(name: str) -> Iterator[tuple[str, Object]]:
    """Every step with its job's name."""
    for job, body in workflow(name)["jobs"].items():
        for step in body["steps"]:
            yield job, step


def commands() -> list[tuple[str, str, Object]]:
    """Workflow, job and step of everything that is run."""
    return [(name, job, step) for name in NAMES for job, step in steps(name) if "run" in step]


def test_these_are_all() -> None:
    """No workflow is passed over here."""
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_a_whole_commit_with_their_tag_beside(name: str) -> None:
    """The same commit everywhere for one action."""
    used = [step["uses"] for _, step in steps(name) if "uses" in step]
    assert used
    assert all(PINNED.fullmatch(one) for one in used)
    lines = [line for line in (FOLDER / f"{name}.yaml").read_text().splitlines() if "uses:" in line]
    assert all(re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line) for line in lines)


def test_an_action_has_one_commit() -> None:
    """In all workflows."""
    used = {step["uses"] for name in NAMES for _, step in steps(name) if "uses" in step}
    assert len({one.partition("@")[0] for one in used}) == len(used)


@pytest.mark.parametrize("name", NAMES)
def test_permissions_are_the_least(name: str) -> None:
    """Nothing but reading, except that the nightly summary may write issues; tokens are not left in checkouts."""
    body = workflow(name)
    assert body["permissions"] in ({}, {"contents": "read"})
    for job, one in body["jobs"].items():
        granted = {part for part, level in one.get("permissions", {}).items() if level == "write"}
        assert granted == ({"issues"} if (name, job) == ("nightly", "summary") else set())
    for _, step in steps(name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", NAMES)
def test_every_job_has_an_end_and_a_named_machine(name: str) -> None:
    """A time after which it is stopped; no image that changes under us."""
    for job in workflow(name)["jobs"].values():
        assert isinstance(job["timeout-minutes"], int)
        assert job["runs-on"] == "ubuntu-24.04"


@pytest.mark.parametrize("name", NAMES)
def test_jobs_are_needed_and_outputs_told_by_somebody(name: str) -> None:
    """What a job needs is there; what is taken from a step or a job is given by one."""
    jobs = workflow(name)["jobs"]
    for body in jobs.values():
        needed = body.get("needs", [])
        assert {*([needed] if isinstance(needed, str) else needed)} <= {*jobs}
        ids = {step.get("id") for step in body["steps"]}
        text = yaml.safe_dump(body)
        assert set(re.findall(r"steps\.(\w+)\.outputs", text)) <= ids
        for job, output in re.findall(r"needs\.(\w+)\.outputs\.(\w+)", text):
            assert output in jobs[job]["outputs"]


@pytest.mark.parametrize(("name", "job", "step"), commands())
def test_commands_hold_no_expression(name: str, job: str, step: Object) -> None:
    """What GitHub fills in comes by a variable: nothing that somebody named is read as code, and a hand can run it."""
    assert "${{" not in step["run"]


def test_ci_runs_every_job_that_is_documented() -> None:
    """The jobs of tox that ci.yaml names are there, and with them the oldest and newest Python."""
    tox = (ROOT / "tox.ini").read_text()
    rows = workflow("ci")["jobs"]["tox"]["strategy"]["matrix"]["include"]
    named = {row["job"] for row in rows}
    known = set(re.findall(r"^\[testenv:(\w+)\]", tox, re.MULTILINE)) | {"py311", "py312", "py313"}
    assert named <= known
    assert {"lint", "types", "lowest", "docs", "py311", "py313"} <= named
    classified = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert {row["python"] for row in rows} == set(classified)


@pytest.fixture
def doubles(tmp_path: Path) -> Doubles:
    """Every command that workflows run, none of them the real one."""
    made = Doubles(tmp_path / "bin")
    made.folder.mkdir()
    for name in ("pip", "tox", "pytest", "sudo"):
        made.answer(name, ".*")
    made.answer("pytest-ambient", "matrix .*", '{"include": [{"name": "one"}]}\n')
    made.answer("pytest-ambient", ".*", "said\n")
    made.answer("gh", "run list .*", "31\n29\n30\n")
    made.answer("gh", "run download 31 .*", status=1, stderr="no artifact matches\n")
    made.answer(
        "gh", r"run download (\d+) --pattern=report-\* --dir=(.*)", files={r"\2/report-one/report.yaml": "kind: x\n"}
    )
    made.answer("gh", "issue list .*")
    made.answer("gh", ".*")
    return made


def shell(line: str, doubles: Doubles, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A line as a runner runs it: in bash, at the first error out, in a checkout."""
    environment = {
        "PATH": doubles.path, "HOME": str(tmp_path), "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), **variables,
    }  # fmt: skip
    (tmp_path / "temp").mkdir(exist_ok=True)
    checkout = tmp_path / "checkout"
    if not checkout.exists():
        checkout.mkdir()
        (checkout / ".ci").symlink_to(ROOT / ".ci")
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line]
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


VARIABLES = {
    "JOB": "lint", "ISTIO": "1.30.5", "KUBERNETES": "1.36.4", "DATAPLANE": "ztunnel", "PACKAGE": "pytest-ambient==1.0",
    "CONFIG": "apiVersion: v1", "IMPLEMENTATION": "who.yaml", "PYTEST_ADDOPTS": "--ambient-profile=AMBIENT-L4",
    "GH_TOKEN": "none", "GH_REPO": "o/r", "RUN_URL": "https://example.com/1",
}  # fmt: skip


@pytest.mark.parametrize(("name", "job", "step"), commands())
def test_every_command_works_by_hand(name: str, job: str, step: Object, doubles: Doubles, tmp_path: Path) -> None:
    """With the variables that its step gives it, and with doubles in the place of what it calls."""
    given = {variable: VARIABLES[variable] for variable in step.get("env", {})}
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / ".ci").symlink_to(ROOT / ".ci")
    (tmp_path / "checkout" / "comparison.md").write_text("worse\n")
    (tmp_path / "checkout" / "nights" / "new").mkdir(parents=True)
    (tmp_path / "temp").mkdir()
    (tmp_path / "temp" / "pytest_ambient-1.0-py3-none-any.whl").write_text("")
    done = shell(step["run"], doubles, tmp_path, **given)
    assert (done.returncode, "has no answer" in done.stderr) == (0, False), done.stderr


def test_a_night_runs_its_combination_and_nothing_else(doubles: Doubles, tmp_path: Path) -> None:
    """The issue's own command, with the versions of the matrix."""
    (line,) = [
        step for name, job, step in commands() if (name, job) == ("nightly", "run") and "--pyargs" in step["run"]
    ]
    shell(line["run"], doubles, tmp_path, **VARIABLES)
    assert doubles.lines("pytest") == [
        "--pyargs pytest_ambient.conformance --ambient-cluster=kind --ambient-istio-version=1.30.5 "
        "--ambient-kubernetes-version=1.36.4 --ambient-dataplane=ztunnel --ambient-report=report"
    ]
    assert line["env"] == {
        "ISTIO": "${{ matrix.istio }}", "KUBERNETES": "${{ matrix.kubernetes }}",
        "DATAPLANE": "${{ matrix.dataplane }}",
    }  # fmt: skip


def test_the_strategy_is_the_matrix(doubles: Doubles, tmp_path: Path) -> None:
    """What upstream supports today, on kind, in one line."""
    done = shell(".ci/nightly plan", doubles, tmp_path)
    assert done.stdout == 'matrix={"include": [{"name": "one"}]}\n'
    assert doubles.lines("pytest-ambient") == ["matrix --provider=kind --supported-on=today --output=json"]


def test_a_vendors_kubeconfig_is_nobody_elses(doubles: Doubles, tmp_path: Path) -> None:
    """Written for one user, as it was given."""
    (line,) = [step["run"] for name, _, step in commands() if name == "conformance" and "umask" in step["run"]]
    assert shell(line, doubles, tmp_path, CONFIG="a: '%s' \\n").returncode == 0
    path = tmp_path / "temp" / "kubeconfig"
    assert path.read_text() == "a: '%s' \\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_earlier_nights_are_fetched_each_into_its_folder(doubles: Doubles, tmp_path: Path) -> None:
    """One without reports is told and passed over."""
    done = shell(".ci/nightly fetch nights", doubles, tmp_path)
    assert (done.returncode, done.stderr) == (0, "no artifact matches\nrun 31 has no reports\n")
    found = sorted(path.relative_to(tmp_path).as_posix() for path in (tmp_path / "checkout").rglob("report.yaml"))
    assert found == [f"checkout/nights/{run}/report-one/report.yaml" for run in (29, 30)]


@pytest.mark.parametrize(
    ("code", "worse", "text"),
    [(0, "false", "said\n"), (1, "true", "said\n"), (2, "true", "The reports could not be compared:\nno\n")],
)
def test_tonight_is_compared_with_the_last_night_that_has_reports(
    code: int, worse: str, text: str, tmp_path: Path
) -> None:
    """By the number of its run; what cannot be compared counts as worse, with the reason."""
    doubles = Doubles(tmp_path / "bin")
    doubles.folder.mkdir()
    doubles.answer("pytest-ambient", "report compare .*", "said\n", status=code, stderr="no\n" if code == 2 else "")
    for run in ("9", "100", "101"):
        (tmp_path / "checkout" / "nights" / run).mkdir(parents=True)
    for run in ("9", "100"):
        (tmp_path / "checkout" / "nights" / run / "report.yaml").write_text("")
    (tmp_path / "checkout" / ".ci").symlink_to(ROOT / ".ci")
    done = shell(".ci/nightly compare nights comparison.md", doubles, tmp_path)
    assert (done.returncode, done.stdout) == (0, f"worse={worse}\n")
    assert doubles.lines("pytest-ambient") == ["report compare --across --output=markdown nights/100 nights/new"]
    assert (tmp_path / "checkout" / "comparison.md").read_text() == text


def test_the_first_night_is_compared_with_nothing(doubles: Doubles, tmp_path: Path) -> None:
    """An empty folder stands for the one before."""
    (tmp_path / "checkout" / "nights" / "new").mkdir(parents=True)
    (tmp_path / "checkout" / ".ci").symlink_to(ROOT / ".ci")
    assert shell(".ci/nightly compare nights comparison.md", doubles, tmp_path).stdout == "worse=false\n"
    assert doubles.lines("pytest-ambient")[0].endswith("nights/none nights/new")


@pytest.mark.parametrize(
    ("open_one", "called"),
    [
        ("", ["label create nightly-regression", "issue create --title=The nightly run got worse"]),
        ("17\n", ["issue comment 17"]),
    ],
)
def test_a_regression_is_told_once(open_one: str, called: list[str], tmp_path: Path) -> None:
    """In a new issue, or in the one that is open already."""
    doubles = Doubles(tmp_path / "bin")
    doubles.folder.mkdir()
    doubles.answer("gh", "issue list --label=nightly-regression --state=open .*", open_one)
    doubles.answer("gh", ".*")
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / ".ci").symlink_to(ROOT / ".ci")
    (tmp_path / "checkout" / "comparison.md").write_text("worse: R3\n")
    done = shell(".ci/nightly tell comparison.md", doubles, tmp_path, RUN_URL="https://example.com/1")
    assert done.returncode == 0, done.stderr
    lines = doubles.lines("gh")[1:]
    assert [line.startswith(start) for line, start in zip(lines, called, strict=True)] == [True] * len(called)
    body = tmp_path / "checkout" / lines[-1].partition("--body-file=")[2]
    assert body.read_text() == "worse: R3\n\nhttps://example.com/1\n"
    assert os.access(ROOT / ".ci" / "nightly", os.X_OK)
