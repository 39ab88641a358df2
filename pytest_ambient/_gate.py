"""Which tests concern this plugin, what they say of themselves, and why one is skipped."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pytest

from pytest_ambient._state import run_of
from pytest_ambient.errors import AmbientError, BrokenPromise, Inconclusive, Misuse

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ambient._facts import Facts
    from pytest_ambient.mesh.features import Feature
    from pytest_ambient.mesh.foreign import Foreign
    from pytest_ambient.probe.rule import RuleRun
    from pytest_ambient.settings import Settings
    from pytest_ambient.verdict.case import Case
    from pytest_ambient.verdict.variant import Unsupported, World

SELECTED: "pytest.StashKey[dict[Path, tuple[Case, ...]]]" = pytest.StashKey()
NO_CLUSTER = "no cluster given: --ambient-cluster=embedded, or existing"


def concerned(item: pytest.Item) -> bool:
    """Whether a test is one of ours: it has the marker, or a fixture of the chain."""
    return item.get_closest_marker("ambient") is not None or "ambient_cluster" in getattr(item, "fixturenames", ())


def facts(item: pytest.Item) -> "Facts":
    """What the test's markers, the nearest first, and its case say; Misuse for an argument that the marker has not."""
    from pytest_ambient._facts import merged

    return merged(item.iter_markers("ambient"), case_of(item))


def case_of(item: pytest.Item) -> "Case | None":
    """The row that the test runs, None where it has none."""
    callspec = getattr(item, "callspec", None)
    row = callspec.params.get("verdict") if callspec is not None else None
    return row if hasattr(row, "expectation") else None


def selected(request: pytest.FixtureRequest, module: "Path | None" = None) -> "tuple[Case, ...]":
    """The rows of a module that are to run, in order: those that will skip must change nothing and cost nothing.

    It is the module of the request where no other is named. They are found once: every row of the module asks for
    them, and by then nothing about the mesh is open.
    """
    known = request.session.stash.setdefault(SELECTED, {})
    path = module or request.path
    if path not in known:
        items = [item for item in request.session.items if item.path == path and case_of(item) is not None]
        settings = run_of(request.config).settings
        running = [item for item in items if refusal(facts(item), settings) is None and lacking(item, request) is None]
        known[path] = tuple(row for item in running if (row := row_of(item, request)) is not None)
    return known[path]


def row_of(item: pytest.Item, request: pytest.FixtureRequest) -> "Case | None":
    """The row that a test runs as it is where this mesh runs; None where it has none, or none that is supported."""
    from pytest_ambient.verdict.case import Case

    found = _there(item, request)
    return found if isinstance(found, Case) else None


def unsupported(item: pytest.Item, request: pytest.FixtureRequest) -> "Unsupported | None":
    """Why nothing is expected of this mesh by a test; the mesh is asked only when what runs decides."""
    from pytest_ambient.verdict.variant import Unsupported

    found = _there(item, request)
    return found if isinstance(found, Unsupported) else None


def _there(item: pytest.Item, request: pytest.FixtureRequest) -> "Case | Unsupported | None":
    """The row, by its own word and by its markers'."""
    from pytest_ambient.verdict.variant import Unsupported, chosen

    row, on = case_of(item), facts(item).on
    if not on and (row is None or not row.varies):
        return row
    from pytest_ambient import _probing

    world: World = _probing.world(request.getfixturevalue("ambient_mesh"))
    found = row.there(world) if row is not None else None
    if isinstance(found, Unsupported):
        return found
    variant = chosen(on, world)
    reason = variant.expected if variant is not None and not isinstance(variant, Unsupported) else variant
    return reason if isinstance(reason, Unsupported) else found


def lacking(item: pytest.Item, request: pytest.FixtureRequest) -> str | None:
    """Why the mesh cannot do what a test needs, or others decide its row; asked only when that matters."""
    from pytest_ambient import _probing

    needs, row = facts(item).needs, case_of(item)
    reason = _probing.missing(needs, request.getfixturevalue("ambient_features")) if needs else None
    if reason is not None or row is None or row.source is None or request.getfixturevalue("ambient_cluster").owned:
        return reason  # nobody else writes into a cluster of ours
    others: Foreign = request.getfixturevalue("_ambient_foreign")
    return others.keeps_from(needs) or None


def lacks(item: pytest.Item, request: pytest.FixtureRequest) -> list[tuple[str, str]]:
    """The property of a test that is skipped because the mesh has not a feature; none for other reasons."""
    from pytest_ambient.report.junit import properties

    needs = facts(item).needs
    found: Mapping[str, Feature] = request.getfixturevalue("ambient_features") if needs else {}
    return properties({"lacks": [name for name in needs if not found[name].present]})


def changes_mesh(request: pytest.FixtureRequest) -> bool:
    """Whether what the test applies changes the mesh for all: by its own word, or by that of a row judged with it.

    A row of which it is known already what came of it changes nothing any more.
    """
    mine = case_of(request.node)
    if mine is not None and "ambient_apply" not in getattr(request, "fixturenames", ()):
        judged: RuleRun = request.getfixturevalue("ambient_rule")
        found = row_of(request.node, request)
        if found is not None and judged.knows(found):
            return False
    if mine is None or facts(request.node).scope == "mesh":
        return facts(request.node).scope == "mesh"
    return any(row.scope == "mesh" and row.state == mine.state for row in selected(request))


def introduce(item: pytest.Item) -> None:
    """Write what the test says of itself into its properties."""
    from pytest_ambient.report.junit import properties

    one = facts(item)
    item.user_properties += properties(
        {
            "rule": one.rule,
            "case": one.case,
            "profile": one.profile,
            "level": one.level,
            "needs": list(one.needs),
            "about": about(item, one.rule),
        }
    )


def about(item: pytest.Item, rule: str) -> str:
    """The promise that a test is about: the first sentence of its module, without the rule's name."""
    told = (getattr(getattr(item, "module", None), "__doc__", None) or "").strip().partition("\n\n")[0]
    return " ".join(told.split()).removeprefix(f"{rule}: ")


def doubts(error: AmbientError) -> list[tuple[str, str]]:
    """The property that keeps an error out of a test's own body from being read as a broken promise."""
    from pytest_ambient.report.junit import properties

    word = "inconclusive" if isinstance(error, Inconclusive) else "error"
    return [] if isinstance(error, BrokenPromise) else properties({"verdict": word})


def aside() -> list[tuple[str, str]]:
    """The property of a test of which nothing is expected here."""
    from pytest_ambient.report.junit import properties

    return properties({"verdict": "unsupported"})


def refusal(one: "Facts", settings: "Settings") -> str | None:
    """Why a test is skipped whatever the mesh can do; None when nothing speaks against it."""
    if settings.cluster is None:
        return NO_CLUSTER
    if settings.profile and one.profile not in settings.profile:
        return f"profile {one.profile or 'none'} is not selected: --ambient-profile={','.join(settings.profile)}"
    if one.disruptive and not settings.disruptive:
        return "it disturbs the mesh for others: --ambient-disruptive"
    if one.scope == "mesh" and settings.cluster == "existing" and not settings.disruptive:
        return "scope=mesh writes outside our own namespaces: --ambient-disruptive"
    return None


def any_wanted(items: Iterable[pytest.Item], settings: "Settings") -> bool:
    """Whether any of the tests will ask for the cluster."""
    return any(concerned(item) and _wanted(item, settings) for item in items)


def _wanted(item: pytest.Item, settings: "Settings") -> bool:
    """Whether one of ours will; one whose marker is wrong errors without it."""
    try:
        return refusal(facts(item), settings) is None
    except Misuse:
        return False
