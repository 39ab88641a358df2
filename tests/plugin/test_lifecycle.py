"""A run's cluster: made once, by whoever owns the run, and undone whatever happens."""

from pathlib import Path

import pytest

from tests.plugin.conftest import ALONE_OR_DEALT, XDIST, Project

TWO = """
def test_one(ambient_cluster):
    assert ambient_cluster.provider == "fake"

def test_two(ambient_cluster):
    assert ambient_cluster.kubeconfig.exists()
"""


@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_no_cluster_skips_with_one_reason_and_creates_nothing(project: Project, arguments: tuple[str, ...]) -> None:
    """Without a cluster ambient tests skip; nothing is made."""
    project.write(TWO)
    result = project.run("-rs", *arguments)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED [[]2[]] *: no cluster given: --ambient-cluster=embedded, or existing"])
    assert project.provider.asked() == []


def test_the_cluster_is_made_once_and_removed(project: Project) -> None:
    """One cluster serves all tests and goes at the end, each step told with its time."""
    project.write(TWO)
    result = project.run("--ambient-cluster=fake")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["ambient: cluster=fake (from option)", "ambient: removed cluster r* (fake) * s"])
    assert project.provider.asked() == ["create", "delete"]


FOREIGN = """
from dataclasses import replace
made = FakeProvider.create
FakeProvider.create = lambda self, spec: replace(made(self, spec), folder=None)
"""


@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_the_lock_of_a_cluster_that_is_not_ours_goes_with_the_run(
    project: Project, state: Path, arguments: tuple[str, ...]
) -> None:
    """It lies in this user's folder, since the cluster has none."""
    held = "assert len(list(__import__('pathlib').Path(LOCKS).glob('*.db'))) == 1".replace(
        "LOCKS", repr(str(state / "locks"))
    )
    project.write(f"def test_a(_ambient_turn): {held}\ndef test_b(_ambient_turn): {held}", conftest=FOREIGN)
    project.run("--ambient-cluster=fake", *arguments).assert_outcomes(passed=2)
    assert list((state / "locks").iterdir()) == []


PLAIN = "\ndef test_plain():\n    pass\n"


def test_nothing_is_made_where_no_test_asks(project: Project) -> None:
    """A cluster that no selected test needs is not made."""
    project.write(TWO + PLAIN)
    project.run("--ambient-cluster=fake", "-k", "plain").assert_outcomes(passed=1, deselected=2)
    project.run("--ambient-cluster=fake", "--setup-plan")
    project.run("--ambient-cluster=fake", "--collect-only")
    assert project.provider.asked() == []


@XDIST
def test_nothing_is_made_where_no_worker_asks(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers say what they have collected; only then is a cluster made."""
    monkeypatch.setenv("TMPDIR", str(project.pytester.mkdir("meetings")))
    project.write(TWO + PLAIN)
    project.run("--ambient-cluster=fake", "-n2", "-k", "plain").assert_outcomes(passed=1)
    project.run("--ambient-cluster=fake", "-n2", "--ambient-profile=AMBIENT-L7").assert_outcomes(skipped=2, passed=1)
    assert project.provider.asked() == []
    assert [*(project.pytester.path / "meetings").glob("ambient-meeting-*")] == []


BY_HAND = """
def test_by_hand(request):
    request.getfixturevalue("ambient_cluster")
"""


@XDIST
def test_a_cluster_that_no_worker_could_see_wanted_is_told_how_to_ask(project: Project) -> None:
    """A fixture that is asked for in the middle of a test comes too late for workers."""
    project.write(BY_HAND)
    result = project.run("--ambient-cluster=fake", "-n2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no collected test names ambient_cluster or has the marker ambient: under xdist *"])
    assert project.provider.asked() == []


@XDIST
def test_a_worker_that_takes_anothers_place_finds_the_cluster(project: Project) -> None:
    """The controller's answer outlives the worker that asked."""
    project.write(TWO + "\ndef test_crash(ambient_cluster):\n    import os; os._exit(3)\n")
    result = project.run("--ambient-cluster=fake", "-n1", "--dist=load")
    result.assert_outcomes(passed=2, failed=1)
    assert project.provider.asked() == ["create", "delete"]


@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_a_failed_bring_up_is_every_tests_error_and_tried_once(project: Project, arguments: tuple[str, ...]) -> None:
    """Each test errors with the same one line, without a traceback, and nobody tries again."""
    project.write(TWO, fails="no room left")
    result = project.run("--ambient-cluster=fake", *arguments)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*cluster fake did not come up: no room left", "  evidence in */failures/r*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*def ambient_cluster*")
    assert project.provider.asked() == ["create", "save_logs", "delete"]


@XDIST
def test_xdist_uses_one_cluster_of_the_controller(project: Project) -> None:
    """Workers are told of the controller's cluster; the run leaves nothing."""
    project.write(TWO)
    result = project.run("--ambient-cluster=fake", "-n2")
    result.assert_outcomes(passed=2)
    assert project.provider.asked() == ["create", "delete"]
