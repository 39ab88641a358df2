"""`pytest-ambient matrix`: the table, the JSON of a CI strategy, its filters; and the warning of a run outside it."""

import json

import pytest

from pytest_ambient import _surroundings
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


def test_a_run_outside_the_matrix_says_so_in_its_header(project: Project) -> None:
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


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"istio": "1.30.3", "kubernetes": "v1.34.3"}, {}),
        ({"istio": "1.24.6", "kubernetes": "v1.31.2", "dataplane": "kmesh"}, {}),
        ({"kubernetes": "v1.37.0"}, {}),
        ({"istio": "unknown", "kubernetes": "v1.37.0"}, {}),
        (
            {"istio": "1.28.10", "kubernetes": "v1.36.4"},
            {
                "outside": "Kubernetes v1.36.4 is outside the matrix of Istio 1.28.10, "
                "which is tested on 1.30, 1.31, 1.32, 1.33, 1.34"
            },
        ),
    ],
)
def test_a_report_says_that_what_was_found_is_outside(found: dict[str, str], said: dict[str, str]) -> None:
    """By the versions of the mesh and the cluster that were there, whoever made them."""
    assert _surroundings.outside(found) == said
