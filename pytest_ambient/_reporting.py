"""What a run says of itself in its report, and when that is written: facts of the run put into the words of report."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from pytest_ambient._parse import TIMEOUTS
from pytest_ambient._state import run_of
from pytest_ambient.errors import AmbientError
from pytest_ambient.report.junit import properties

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube
    from pytest_ambient._session import Run
    from pytest_ambient.report.results import Results
    from pytest_ambient.settings import Settings

Object: TypeAlias = dict[str, Any]

LENIENT = ("control", "becomes", "undo")
"""Waits of which more lets a slower mesh pass."""
STRICT = ("hold",)
"""Waits of which less looks less."""
SUMMARY = "GITHUB_STEP_SUMMARY"
SEEN = 8
"""Of a cluster of which less could be read nothing more is asked."""
WEAKER = ("features", "skip-features", "profile", "fault")
TOLD: "pytest.StashKey[Object]" = pytest.StashKey()
WAYPOINTS: "pytest.StashKey[bool]" = pytest.StashKey()


def head(run: "Run") -> Object:
    """The first line of results: what is known as the first test ends."""
    from pytest_ambient.report import provenance

    cluster, settings = run.cluster, run.settings
    return {
        "apiVersion": "pytest-ambient/v1",
        "kind": "AmbientConformanceResults",
        "run": run.id,
        "cluster": cluster.name if cluster else None,
        "provider": settings.cluster,
        "publishable": cluster.publishable if cluster else False if settings.cluster == "embedded" else None,
        "date": moment(run.began),
        "settings": dict(settings.chosen),
        "timeouts": dict(settings.timeout),
        "weakening": [*run.narrowed, *weakening(settings)],
        "implementation": implementation(settings),
        "suite": provenance.suite(),
    }


def moment(seconds: float) -> str:
    """A moment as reports write it: UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def implementation(settings: "Settings") -> Object | None:
    """Who made the mesh, as the file says that was given; Misuse in one line when it cannot be used."""
    if settings.implementation is None:
        return None
    from pytest_ambient.errors import Misuse
    from pytest_ambient.report import files

    try:
        return files.implementation(settings.implementation)
    except Misuse as error:
        raise Misuse(f"{settings.spelled('implementation')}: {error}") from None


def weakening(settings: "Settings") -> list[str]:
    """The options that make a success say less, as a person wrote them."""
    told = [f"--ambient-{name}={value}" for name, value in settings.chosen.items() if name in WEAKER]
    for name, wait in settings.timeout.items():
        more, less = wait > TIMEOUTS[name], wait < TIMEOUTS[name]
        if (name in LENIENT and more) or (name in STRICT and less):
            told.append(f"--ambient-timeout={name}={wait:g} ({TIMEOUTS[name]:g} without it)")
    return told


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
            _guarded(run, lambda: results.beside.update(_environment(run, results, stopped)))
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


def _environment(run: "Run", results: "Results", stopped: str) -> Object:
    """What the cluster is and can do, as far as it still answers."""
    cluster, told = run.cluster, results.learned
    if cluster is None:
        return {"environment": {"unknown": ["all of it: no cluster came up"]}}
    from pytest_ambient._kube import Kube
    from pytest_ambient.mesh import environment

    kube = Kube(cluster.kubeconfig, cluster.context)
    try:
        found = environment.look(kube, run.id)
    except AmbientError as error:
        found = {"unknown": [f"all of it: {error}"]}
    images = {**found.get("images", {}), **({"waypoint": told["waypoint"]} if told.get("waypoint") else {})}
    found |= {"images": images, "installer": _installer(run), "platform": cluster.platform or cluster.provider}
    known = told.get("features") or ([] if stopped or len(found) < SEEN else _features(run, kube))
    waypoint = any(one["name"] == "Waypoint" and one["present"] for one in known)
    mode = "kmesh" if found.get("dataplane") == "kmesh" else "ambient"
    found |= {"mode": f"{mode}+waypoint" if waypoint else mode}
    found |= _outside(found) if cluster.publishable else {}
    return {"environment": {name: found[name] for name in sorted(found)}, "features": known}


def _outside(found: Object) -> Object:
    """Why the versions that were found are none that are tested together, when they are not."""
    from pytest_ambient import matrix

    istio, kubernetes = found.get("istio", ""), found.get("kubernetes", "")
    try:
        known = bool(istio and kubernetes)
        said = matrix.outside(istio, kubernetes, found.get("dataplane", "ztunnel")) if known else None
    except AmbientError:
        return {}
    return {"outside": said} if said else {}


def _installer(run: "Run") -> str:
    from pytest_ambient import _bringup
    from pytest_ambient.cluster.provider import find

    assert run.settings.cluster is not None
    with suppress(AmbientError):
        provider = find(run.settings.cluster)
        name = _bringup.installer(run.settings, provider)
        return run.settings.cluster if name == _bringup.NONE and _bringup.meshed(provider) else name
    return ""


def _features(run: "Run", kube: "Kube") -> list[Object]:
    """Of a run in which no test asked: what the mesh can do all the same."""
    from pytest_ambient import _probing

    assert run.cluster is not None
    try:
        return features(_probing.features(kube, run.settings, run.cluster), run.settings)
    except AmbientError:
        return []


def features(found: Mapping[str, Any], settings: "Settings") -> list[Object]:
    """Every feature in plain values, with how it was found."""
    from pytest_ambient.mesh.asked import looked

    believed = settings.features is not None

    def how(name: str, reason: str) -> str:
        return "declared by --ambient-features" if believed else looked(name, reason)

    return [
        {"name": one.name, "present": one.present, "detected": how(one.name, one.reason), "reason": one.reason}
        for one in found.values()
    ]


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
