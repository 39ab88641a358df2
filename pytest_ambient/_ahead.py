"""Which modules of a run may be judged beside the one at hand, and where a rule's results come from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ambient import _asking, _gate
from pytest_ambient.errors import AmbientError

if TYPE_CHECKING:
    from pytest_ambient._asking import Probes
    from pytest_ambient._lanes import Lanes
    from pytest_ambient.mesh.readiness import Mesh
    from pytest_ambient.probe.rule import RuleRun
    from pytest_ambient.settings import Settings
    from pytest_ambient.verdict.case import Case

FIXTURES = "pytest_ambient.fixtures"
PYTEST = "_pytest."
XUNIT = ("_xunit_", "_unittest_")
"""What the fixtures are called that pytest makes of a module's own setup_module and its like."""
ROW = "verdict"
"""The one fixture of ours by which a test looks at a mesh that may be another lane's, its set-up taken back already."""
UNSURE = ("skip", "skipif", "xfail")
"""Markers of tests that perhaps must not run."""


@contextmanager
def lanes(ours: "Probes", mesh: "Mesh", settings: "Settings") -> "Iterator[Lanes | None]":
    """The lanes beside the one of the run's own; None where modules are judged one after the other."""
    if settings.side_by_side < 2 or ours.run.role == "worker":  # which is dealt one module after the other
        yield None
        return
    from pytest_ambient._lanes import Lanes

    @contextmanager
    def lane(number: int) -> "Iterator[Probes]":
        from pytest_ambient import _probing
        from pytest_ambient._kube import Kube

        places = ours.places.beside(number)
        kube = Kube(ours.cluster.kubeconfig, ours.cluster.context)
        try:
            up = _probing.bookinfo(kube, places, mesh, settings, ours.run.id, found.say)
            with _asking.probes(kube, places, ours.cluster, ours.run, up.curl) as probes:
                yield probes
        finally:
            kube.close()

    found = Lanes(lane, settings.side_by_side - 1, ours.run.say)
    try:
        yield found
    finally:
        found.end()


@contextmanager
def rule(request: pytest.FixtureRequest, ours: "Probes", beside: "Lanes | None") -> "Iterator[RuleRun]":
    """The rule of a module, judged here or, where one has taken it, by a lane; its set-up is taken back at the end."""
    job = beside.taken(request.path) if beside is not None else None
    if job is None:
        if beside is not None and not beside.knows(request.path):
            beside.begin(_coming(request))
        with _asking.rule(ours, request.path, _gate.selected(request)) as run:
            yield run
        return
    if job.run is not None:
        yield job.run
    if job.error is not None:
        raise job.error


def _coming(request: pytest.FixtureRequest) -> "list[tuple[Path, Sequence[Case]]]":
    """The modules that come later and that a lane may judge, with their rows that are to run."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in request.session.items:
        files.setdefault(item.path, []).append(item)
    order = list(files)
    later = order[order.index(request.path) + 1 :]
    found = [(path, _rows(files[path], request)) for path in later]
    return [(path, rows) for path, rows in found if rows]


def _rows(items: list[pytest.Item], request: pytest.FixtureRequest) -> "tuple[Case, ...]":
    """The rows of a module that are to run; none where a lane may not judge them, or where its own tests say why."""
    with suppress(AmbientError):
        return _gate.selected(request, items[0].path) if free(items) else ()
    return ()


def free(items: Sequence[pytest.Item]) -> bool:
    """Whether a module's rows may be judged before its turn: nothing is set up for them first, and all of them run."""
    return all(_gate.case_of(item) is not None and _plain(item) for item in items)


def _plain(item: pytest.Item) -> bool:
    known = _gate.facts(item)
    info = getattr(item, "_fixtureinfo", None)
    if info is None or known.scope == "mesh" or known.disruptive or any(map(item.get_closest_marker, UNSURE)):
        return False
    homes = {name: found[-1].func.__module__ for name, found in info.name2fixturedefs.items()}
    others = [name for name, home in homes.items() if home != FIXTURES and not home.startswith(PYTEST)]
    asked = [name for name in info.initialnames if not homes.get(name, "").startswith(PYTEST)]
    return not others and set(asked) <= {ROW} and not any(map(_own, homes)) and not _hooked(item)


def _own(fixture: str) -> bool:
    return fixture.startswith(XUNIT)


def _hooked(item: pytest.Item) -> bool:
    """Whether a conftest does something of its own before the test, or keeps it from running."""
    hooks = item.ihook.pytest_runtest_setup, item.ihook.pytest_runtest_protocol
    return any(one.plugin_name.endswith("conftest.py") for hook in hooks for one in hook.get_hookimpls())
