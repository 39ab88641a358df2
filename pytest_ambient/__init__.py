"""The public names of pytest-ambient, each loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ambient.cases import case, cases
    from pytest_ambient.cluster.provider import Cluster, ClusterSpec, Provider
    from pytest_ambient.errors import AmbientError, BrokenEnvironment, BrokenPromise, Inconclusive, Misuse
    from pytest_ambient.fixtures import Apply, Source, SourcePod, Verdict
    from pytest_ambient.options import Settings
    from pytest_ambient.verdict.call import DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, STATUS, Call, Status
    from pytest_ambient.verdict.case import Case
    from pytest_ambient.verdict.expectation import (
        Answered,
        DeniedL4,
        DeniedL7,
        Expectation,
        HasCondition,
        Split,
        TimedOut,
        Unauthorized,
        Unreachable,
    )
    from pytest_ambient.verdict.outcome import Outcome, Witness
