"""The public names of pytest-ambient, each loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ambient.cluster.provider import Cluster, ClusterSpec, Provider
    from pytest_ambient.errors import AmbientError, BrokenEnvironment, BrokenPromise, Inconclusive, Misuse
    from pytest_ambient.handles import Apply, Caller, SourcePod, Verdict
    from pytest_ambient.mesh.bookinfo import Bookinfo
    from pytest_ambient.mesh.readiness import Mesh
    from pytest_ambient.settings import Settings
    from pytest_ambient.table import case, cases
    from pytest_ambient.verdict.call import CERTIFICATES, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, STATUS, Call
    from pytest_ambient.verdict.case import Case
    from pytest_ambient.verdict.expectation import (
        Answered,
        Counted,
        DeniedL4,
        DeniedL7,
        Expectation,
        HasCondition,
        HasEdge,
        HasWorkload,
        Logged,
        OneCertificate,
        Outlives,
        Split,
        Statuses,
        Steady,
        TimedOut,
        Traced,
        Unauthorized,
        Unlogged,
        Unreachable,
    )
    from pytest_ambient.verdict.outcome import Outcome, Witness
    from pytest_ambient.verdict.variant import Unsupported

__version__ = "0.1.0"

__all__ = [
    "CERTIFICATES",
    "DELETE",
    "GET",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "POST",
    "PUT",
    "STATUS",
    "AmbientError",
    "Answered",
    "Apply",
    "Bookinfo",
    "BrokenEnvironment",
    "BrokenPromise",
    "Call",
    "Caller",
    "Case",
    "Cluster",
    "ClusterSpec",
    "Counted",
    "DeniedL4",
    "DeniedL7",
    "Expectation",
    "HasCondition",
    "HasEdge",
    "HasWorkload",
    "Inconclusive",
    "Logged",
    "Mesh",
    "Misuse",
    "OneCertificate",
    "Outcome",
    "Outlives",
    "Provider",
    "Settings",
    "SourcePod",
    "Split",
    "Statuses",
    "Steady",
    "TimedOut",
    "Traced",
    "Unauthorized",
    "Unlogged",
    "Unreachable",
    "Unsupported",
    "Verdict",
    "Witness",
    "case",
    "cases",
]

_HOMES = {
    "cluster.provider": ("Cluster", "ClusterSpec", "Provider"),
    "errors": ("AmbientError", "BrokenEnvironment", "BrokenPromise", "Inconclusive", "Misuse"),
    "handles": ("Apply", "Caller", "SourcePod", "Verdict"),
    "mesh.bookinfo": ("Bookinfo",),
    "mesh.readiness": ("Mesh",),
    "settings": ("Settings",),
    "table": ("case", "cases"),
    "verdict.call": ("CERTIFICATES", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "STATUS", "Call"),
    "verdict.case": ("Case",),
    "verdict.expectation": (
        "Answered",
        "Counted",
        "DeniedL4",
        "DeniedL7",
        "Expectation",
        "HasCondition",
        "HasEdge",
        "HasWorkload",
        "Logged",
        "OneCertificate",
        "Outlives",
        "Split",
        "Statuses",
        "Steady",
        "TimedOut",
        "Traced",
        "Unauthorized",
        "Unlogged",
        "Unreachable",
    ),
    "verdict.outcome": ("Outcome", "Witness"),
    "verdict.variant": ("Unsupported",),
}

# Loaded on demand: the plugin imports this package in every pytest run, also where nobody uses it.
_MODULES = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(_MODULES[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
