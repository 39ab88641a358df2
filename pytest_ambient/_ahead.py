"""Which modules of a run may be judged beside the one at hand, and where a rule's results come from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ambient import _asking, _gate, _xdist
from pytest_ambient.errors import AmbientError

if TYPE_CHECKING:
    from pytest_ambient._asking import Probes
    from pytest_ambient._lanes import Lanes
    from pytest_ambient.mesh.readiness import Mesh
    from pytest_ambient.probe.rule import RuleRun
    from pytest_ambient.settings import Settings
    from pytest_ambient.verdict.case import Case

FIXTURES = "pytest_ambient.fixtures"
HARMLESS = (FIXTURES, "_pytest.")
"""Where the fixtures come from that a module may use whose rows are judged before its tests are set up."""


@contextmanager
def lanes(ours: "Probes", mesh: "Mesh", settings: "Settings") -> "Iterator[Lanes | None]":
    """The lanes beside the one of the run's own; None where modules are judged one after the other."""
    if settings.side_by_side < 2:
        yield None
        return
    from pytest_ambient._lanes import Lanes

    @contextmanager
    def lane(number: int) -> "Iterator[Probes]":
        from pytest_ambient import _probing
        from pytest_ambient._kube import Kube

        name = f"{ours.places.namespace}-{number}"
        places = replace(ours.places, namespace=name, other=f"{name}-other", outside=f"{name}-outside")
        kube = Kube(ours.cluster.kubeconfig, ours.cluster.context)
        try:
            up = _probing.bookinfo(kube, places, mesh, settings, ours.run.id, ours.run.say)
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
    """The modules that this process comes to later and that a lane may judge, with their rows that are to run."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in request.session.items:
        files.setdefault(item.path, []).append(item)
    order = _xdist.mine(request.config, list(files), request.path)
    later = order[order.index(request.path) + 1 :]
    found = [(path, _rows(files[path], request)) for path in later if _free(files[path])]
    return [(path, rows) for path, rows in found if rows]


def _free(items: list[pytest.Item]) -> bool:
    """Whether a module's rows may be judged before its turn: nothing but our own fixtures is set up for them first."""
    return all(_gate.case_of(item) is not None and _plain(item) for item in items)


def _plain(item: pytest.Item) -> bool:
    known = _gate.facts(item)
    info = getattr(item, "_fixtureinfo", None)
    if info is None or known.scope == "mesh" or known.disruptive or "ambient_apply" in info.names_closure:
        return False
    homes = (definitions[-1].func.__module__ for definitions in info.name2fixturedefs.values())
    return all(home.startswith(HARMLESS) for home in homes)


def _rows(items: list[pytest.Item], request: pytest.FixtureRequest) -> "tuple[Case, ...]":
    """The rows of a module that are to run; none where they cannot be told, its own tests say why."""
    with suppress(AmbientError):
        return _gate.selected(request, items[0].path)
    return ()
