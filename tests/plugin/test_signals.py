"""What is left when a run is told to stop, or killed."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.plugin.conftest import ALONE_OR_DEALT, PLUGIN, Project

SLOW = """
import pathlib, time
def test_slow(ambient_cluster):
    pathlib.Path("started").write_text("")
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _signals_heeded() -> Iterator[None]:
    """Whoever runs these tests under nohup or with a `&` would make all their children deaf as well."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGTERM)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def running(project: Project, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run that is in the middle of its test."""
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:cacheprovider", "--ambient-cluster=fake", *arguments]
    process = subprocess.Popen(command, cwd=project.pytester.path, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        while not (project.pytester.path / "started").exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


STOPS = [
    pytest.param(signal.SIGINT, id="interrupt"),
    pytest.param(signal.SIGTERM, id="terminate"),
    pytest.param(signal.SIGHUP, id="hang-up"),
]


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_a_run_that_is_told_to_stop_undoes_what_it_did(
    project: Project, state: Path, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    """Each signal ends the run as Ctrl-C does: the cluster is removed, no lease stays."""
    project.write(SLOW)
    with running(project, *arguments) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=40)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert project.provider.asked() == ["create", "delete"]
    assert list((state / "leases").iterdir()) == []


def test_a_hang_up_that_is_ignored_stays_ignored(project: Project) -> None:
    """A run under nohup outlives its terminal."""
    project.write(SLOW.replace("time.sleep(60)", "time.sleep(1)"))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with running(project) as process:
            process.send_signal(signal.SIGHUP)
            process.communicate(timeout=40)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.returncode == pytest.ExitCode.OK


@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_a_bring_up_that_is_interrupted_is_undone(project: Project, state: Path, arguments: tuple[str, ...]) -> None:
    """What is half made goes too."""
    project.write(
        SLOW,
        conftest="""
import pathlib, time
def slow(self, spec):
    (spec.folder / "half").write_text("made")
    pathlib.Path("started").write_text("")
    time.sleep(60)
FakeProvider.create = slow
""",
    )
    with running(project, *arguments) as process:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=40)
    assert project.provider.asked() == ["delete"]
    assert list((state / "leases").iterdir()) == []
    assert list((state / "clusters").iterdir()) == []


def test_what_a_killed_run_left_is_reaped_by_the_next(project: Project, state: Path) -> None:
    """A lease tells of the cluster; the next run removes it before it makes its own, and says so."""
    project.write(SLOW)
    with running(project) as process:
        process.kill()
        process.communicate()
        assert project.provider.asked() == ["create"]
    (lease,) = (state / "leases").iterdir()
    name = json.loads(lease.read_text())["cluster"]["name"]
    project.write("def test_quick(ambient_cluster): pass")
    result = project.run("--ambient-cluster=fake")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"ambient: removed cluster {name} (fake), left behind by a run that is gone"])
    assert project.provider.asked() == ["create", "delete", "create", "delete"]
    assert list((state / "leases").iterdir()) == []


def test_the_cluster_of_a_run_that_goes_on_is_left_alone(project: Project) -> None:
    """A second run beside the first reaps nothing of it."""
    project.write(SLOW)
    with running(project):
        (project.pytester.path / "quick").mkdir()
        (project.pytester.path / "quick" / "test_quick.py").write_text("def test_quick(ambient_cluster): pass")
        project.run("--ambient-cluster=fake", "quick").assert_outcomes(passed=1)
        assert project.provider.asked() == ["create", "create", "delete"]


KEEP = {
    "never-green": ("never", "pass", ["create", "delete"]),
    "never-red": ("never", "assert 0", ["create", "delete"]),
    "on-failure-green": ("on-failure", "pass", ["create", "delete"]),
    "on-failure-red": ("on-failure", "assert 0", ["create"]),
    "always-green": ("always", "pass", ["create"]),
}


@pytest.mark.parametrize(("keep", "body", "asked"), KEEP.values(), ids=KEEP)
def test_what_is_kept_is_kept_with_the_line_that_removes_it(
    project: Project, keep: str, body: str, asked: list[str]
) -> None:
    """A kept cluster has no owner any more, so nobody reaps it, and the line says how to remove it."""
    project.write(f"def test_a(ambient_cluster): {body}")
    result = project.run("--ambient-cluster=fake", "--ambient-name=mine", f"--ambient-keep={keep}")
    assert project.provider.asked() == asked
    line = "ambient: kept cluster mine (fake): kubectl --kubeconfig */kubeconfig get pods -A; "
    if asked == ["create"]:
        result.stdout.fnmatch_lines([line + "pytest-ambient down --ambient-name=mine"])
        again = project.run("--ambient-cluster=fake", "--ambient-name=mine")
        again.stdout.fnmatch_lines(
            ["*cluster mine (*) is there already: pytest-ambient down --ambient-name=mine, or test it *"]
        )
        assert project.provider.asked() == asked
    else:
        result.stdout.no_fnmatch_line("ambient: kept*")


def test_a_removal_that_fails_is_told_and_left_to_cleanup(project: Project, state: Path) -> None:
    """The run's result stands; the lease stays for `pytest-ambient cleanup`."""
    project.write(
        "def test_a(ambient_cluster): pass",
        conftest="""
from pytest_ambient.errors import ProviderError
def broken(self, cluster): raise ProviderError("the daemon is gone")
FakeProvider.delete = broken
""",
    )
    result = project.run("--ambient-cluster=fake")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["ambient: not all could be removed: the daemon is gone; later: pytest-ambient cleanup"]
    )
    assert len(list((state / "leases").iterdir())) == 1


@pytest.mark.parametrize("failed", [False, True], ids=["green", "red"])
def test_a_removal_that_is_interrupted_is_told_and_left_to_cleanup(
    project: Project, state: Path, *, failed: bool
) -> None:
    """Whoever presses Ctrl-C once more does not wait: one line, no traceback, and the lease stays."""
    project.write(
        f"def test_a(ambient_cluster): assert {not failed}",
        conftest="""
import signal
def interrupted(self, cluster): signal.raise_signal(signal.SIGINT)
FakeProvider.delete = interrupted
""",
    )
    result = project.run("--ambient-cluster=fake", "--ambient-report=out")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(passed=not failed, failed=failed)
    result.stdout.fnmatch_lines(
        ["ambient: not all could be removed: the removal was interrupted; later: pytest-ambient cleanup"]
    )
    assert "Traceback" not in result.stderr.str()
    assert len(list((state / "leases").iterdir())) == 1


def test_who_does_not_wait_for_logs_gets_the_removal(project: Project, state: Path) -> None:
    """Ctrl-C ends what goes on, and nothing that comes after it."""
    project.write(
        "def test_a(ambient_cluster): assert 0",
        conftest="""
import signal
def interrupted(self, cluster, folder): signal.raise_signal(signal.SIGINT)
FakeProvider.save_logs = interrupted
""",
    )
    result = project.run("--ambient-cluster=fake", "--ambient-report=out")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert project.provider.asked() == ["create", "delete"]
    assert list((state / "leases").iterdir()) == []


UNHEARD = """
import signal
class Last:
    def __del__(self): signal.raise_signal(signal.NUMBER)
class Asking:
    def pytest_runtest_logreport(self, report):
        if report.when == "teardown" and report.nodeid.endswith("test_a"): Last()
def pytest_configure(config):
    if not hasattr(config, "workerinput"): config.pluginmanager.register(Asking())
"""
TWO = "def test_a(ambient_cluster): pass\ndef test_b(ambient_cluster): pass"


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("arguments", ALONE_OR_DEALT)
def test_a_request_that_comes_in_a_finalizer_is_heard(
    project: Project, state: Path, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    """Python lets no exception out of one: the run ends before its next test."""
    project.write(TWO, conftest=UNHEARD.replace("NUMBER", number.name))
    result = project.run("--ambient-cluster=fake", "-W", "ignore::pytest.PytestUnraisableExceptionWarning", *arguments)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"*KeyboardInterrupt: {number.name}*"])
    assert project.provider.asked() == ["create", "delete"]
    assert list((state / "leases").iterdir()) == []


def test_a_ctrl_c_that_a_test_makes_and_catches_ends_nothing(project: Project) -> None:
    """Only one that was lost is a request."""
    caught = "import pytest, signal\ndef test_c(ambient_cluster):\n    with pytest.raises(KeyboardInterrupt): "
    project.write(f"{caught}signal.raise_signal(signal.SIGINT)\ndef test_d(): pass")
    project.run("--ambient-cluster=fake").assert_outcomes(passed=2)


def test_a_state_folder_that_cannot_be_written_is_one_clear_error(project: Project, tmp_path: Path) -> None:
    """A broken environment: the tests error with one line; nothing is made."""
    (tmp_path / "state").write_text("in the way")
    project.write("def test_a(ambient_cluster): pass")
    result = project.run("--ambient-cluster=fake")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cluster fake did not come up: */state/* cannot be written: Not a directory"])
    assert project.provider.asked() == []
