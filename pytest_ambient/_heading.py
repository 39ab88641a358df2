"""What a run says of itself before it ends: what was asked of it, by whom, and what weakens its word."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_ambient._parse import TIMEOUTS

if TYPE_CHECKING:
    from pytest_ambient._session import Run
    from pytest_ambient.settings import Settings

Object: TypeAlias = dict[str, Any]

LENIENT = ("control", "becomes", "undo")
"""Waits of which more lets a slower mesh pass."""
STRICT = ("hold",)
"""Waits of which less looks less."""
WEAKER = ("features", "skip-features", "profile", "fault")
"""Options of which any value makes a success say less."""


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
