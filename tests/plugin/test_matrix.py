"""`pytest-ambient matrix`: the table, the JSON of a CI strategy, its filters; and the warning of a run outside it."""

import json

import pytest

from pytest_ambient.cli import main
from tests.plugin.conftest import Project

NEWEST = """\
Istio   until       Kubernetes  until       Gateway API  data plane  provider  node image
1.31.1  -           1.36.4      2027-06-28  v1.6.0       ztunnel     kind      kindest/node:v1.36.4
1.26.8  2025-12-22  1.31.14     2025-11-11  v1.3.0       kmesh       kind      kindest/node:v1.31.14
"""


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns below their heads; digests are for machines."""
    assert main(["matrix", "--newest", "--provider=kind"]) == 0
    assert capsys.readouterr().out == NEWEST


def test_a_ci_strategy_gets_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object with the key that GitHub's strategy takes, alone on standard output."""
    assert main(["matrix", "-o", "json", "--provider", "kind", "--supported-on", "2026-11-21"]) == 0
    rows = json.loads(capsys.readouterr().out)["include"]
    assert [row["name"] for row in rows] == [
        "istio-1.30-kubernetes-1.35-ztunnel-kind",
        "istio-1.30-kubernetes-1.36-ztunnel-kind",
        "istio-1.31-kubernetes-1.35-ztunnel-kind",
        "istio-1.31-kubernetes-1.36-ztunnel-kind",
    ]
    assert rows[0]["options"] == (
        "--ambient-cluster=kind --ambient-kubernetes-version=1.35.8 "
        "--ambient-istio-version=1.30.5 --ambient-dataplane=ztunnel"
    )
    assert rows[0]["image"].startswith("kindest/node:v1.35.8@sha256:")


def test_nothing_left_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It is no failure; JSON is an empty list."""
    assert main(["matrix", "--supported-on=2010-01-01"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "no combination is like that\n")
    assert main(["matrix", "--supported-on=2010-01-01", "-o", "json"]) == 0
    assert capsys.readouterr().out == '{"include": []}\n'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--supported-on=soon", "--supported-on: wanted a date like 2026-11-30, or today, got 'soon'"),
        ("--provider=podman", "--provider: the matrix has no podman, only kind, k3d"),
    ],
)
def test_a_wrong_filter_is_one_line(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    assert main(["matrix", words]) == 2
    assert capsys.readouterr().err == f"pytest-ambient: {said}\n"


def test_today_is_a_date(capsys: pytest.CaptureFixture[str]) -> None:
    """For a job that runs every night."""
    assert main(["matrix", "--supported-on=today", "-o", "json"]) == 0
    assert "include" in json.loads(capsys.readouterr().out)


def test_a_run_outside_the_matrix_says_so_in_its_header_and_results(project: Project) -> None:
    """And runs all the same."""
    project.write("def test_nothing(): pass")
    result = project.run("--ambient-cluster=k3d", "--ambient-istio-version=1.29", "--ambient-kubernetes-version=1.36")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "ambient: Kubernetes 1.36 is outside the matrix of Istio 1.29.7, "
            "which is tested on 1.31, 1.32, 1.33, 1.34, 1.35: it runs all the same"
        ]
    )


def test_the_head_of_the_results_has_the_warnings(project: Project) -> None:
    """A report that is read later knows them too."""
    project.write("def test_mesh(ambient_cluster): pass", conftest=AS_K3D)
    project.run(
        "--ambient-cluster=k3d", "--ambient-istio-version=1.29", "--ambient-kubernetes-version=1.36",
        "--ambient-report=out",
    )  # fmt: skip
    head = json.loads((project.pytester.path / "out" / "results.jsonl").read_text().splitlines()[0])
    assert len(head["warnings"]) == 1
    assert head["warnings"][0].startswith("Kubernetes 1.36 is outside the matrix of Istio 1.29.7")


AS_K3D = """
provider.register("k3d", lambda: FakeProvider(Path("diary"), "no cluster today", meshed=False))
"""
