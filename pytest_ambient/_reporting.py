"""When the report of a run is written, and what tests and workers tell for it."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from pytest_ambient._state import run_of
from pytest_ambient.errors import AmbientError
from pytest_ambient.report.junit import properties

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube
    from pytest_ambient._session import Run
    from pytest_ambient.report.results import Results

Object: TypeAlias = dict[str, Any]

SUMMARY = "GITHUB_STEP_SUMMARY"
TOLD: "pytest.StashKey[Object]" = pytest.StashKey()
WAYPOINTS: "pytest.StashKey[bool]" = pytest.StashKey()


class Reporter:
    """Makes the report of a run as its session ends, in the process that has the results."""

    def __init__(self, config: pytest.Config, run: "Run", results: "Results") -> None:
        self.document: Object | None = None
        """What was found out, once the run is over."""
        self._config, self._run, self._results = config, run, results
        self._done = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Before JUnit's file is written, and while the cluster is still there to be read."""
        self.finish(stopped(session, exitstatus))

    def finish(self, stopped: str) -> None:
        """Make it; `stopped` says why the session ended early. Whatever is in the way is one line."""
        run, results = self._run, self._results
        if self._done or not (results.rows or run.failure or run.cluster):
            return
        self._done = True
        results.start()
        results.beside = {"seconds": round(time.time() - run.began, 3), **_end(run, stopped)}
        results.beside |= {"environment": {"unknown": []}, "features": results.learned.get("features", [])}
        if results.folder is not None:
            from pytest_ambient import _surroundings

            _guarded(run, lambda: results.beside.update(_surroundings.environment(run, results, stopped)))
        _guarded(run, self._publish)

    def _publish(self) -> None:
        from pytest_ambient.report import markdown, publish

        self.document = self._results.document()
        publish.annotate(self._config, self.document)
        if self._results.folder is not None:
            publish.publish(self.document, self._results.folder, self._results.settle)
        if os.environ.get(SUMMARY):
            with Path(os.environ[SUMMARY]).open("a", encoding="utf-8") as file:
                file.write(markdown.summary(self.document))


def _guarded(run: "Run", act: Callable[[], None]) -> None:
    """A report never costs the run, nor the taking down of its cluster."""
    try:
        act()
    except OSError as error:
        run.say(f"{error.filename or run.settings.report} cannot be written: {error.strerror}; the run goes on")
    except Exception as error:  # a slip of ours in a report must not leave a cluster behind
        run.say(f"the report cannot be made: {error!r}")


def _end(run: "Run", stopped: str) -> Object:
    if run.failure is not None:
        return {"state": "bring-up-failed", "ended": run.failure}
    return {"state": "interrupted" if stopped else "complete", "ended": stopped}


def stopped(session: pytest.Session, exitstatus: int) -> str:
    """Why a session ended before its last test; empty when it did not."""
    early = {
        int(pytest.ExitCode.INTERRUPTED): "it was interrupted",
        int(pytest.ExitCode.INTERNAL_ERROR): "pytest met an internal error",
        int(pytest.ExitCode.USAGE_ERROR): "pytest was used wrongly",
    }
    return str(session.shouldfail or session.shouldstop or early.get(int(exitstatus), ""))


def tell(config: pytest.Config, **told: object) -> None:
    """Let the report of the next test carry to the controller what was learned of the mesh."""
    if run_of(config).settings.report is not None:
        config.stash.setdefault(TOLD, {}).update(told)


def look_at_waypoints(config: pytest.Config, kube: "Kube", namespaces: Sequence[str]) -> None:
    """Learn of which image waypoints are, once, while there are some: they go with the rule that made them."""
    if run_of(config).settings.report is None or config.stash.get(WAYPOINTS, False):
        return
    from pytest_ambient.mesh import environment

    with suppress(AmbientError):
        found = environment.waypoints(kube, namespaces)
        config.stash[WAYPOINTS] = bool(found)
        if found:
            tell(config, waypoint=found)


def carried(config: pytest.Config) -> list[tuple[str, str]]:
    """The property that a report carries."""
    told = config.stash.get(TOLD, {})
    config.stash[TOLD] = {}
    return properties({"told": told}) if told else []
