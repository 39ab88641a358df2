"""Others on the same cluster: what they decide of our verdicts, and what we change where it is theirs."""

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

from pytest_ambient.errors import Inconclusive

if TYPE_CHECKING:
    from pytest_ambient._asking import Probes
    from pytest_ambient._kube import Kube
    from pytest_ambient.cluster.provider import Cluster
    from pytest_ambient.mesh.foreign import Foreign
    from pytest_ambient.places import Places
    from pytest_ambient.probe.result import CaseResult
    from pytest_ambient.probe.trace import Trace
    from pytest_ambient.verdict.case import Case


def foreign(kube: "Kube", where: "Places", run: str) -> "Foreign":
    """What policies of others could decide here."""
    from pytest_ambient.mesh.foreign import look

    return look(kube, where, run)


def undisturbed(ours: "Probes", row: "Case", result: "CaseResult", needs: Collection[str]) -> None:
    """Inconclusive when a policy of others came while the run went on: it may be what broke the promise.

    One for waypoints breaks only rows that need such: beside all others it may have been for long.
    """
    reason = foreign(ours.kube, ours.places, ours.run.id).decides(needs) if row.source is not None else ""
    if reason:
        raise Inconclusive(f"{reason}, it came while the run went on\n{result.text}")


def traced(cluster: "Cluster", where: "Places", run: str) -> "Trace | None":
    """How changes outside of our namespaces are written down; a cluster of ours goes whole."""
    from pytest_ambient.cluster import changes
    from pytest_ambient.probe.trace import Trace

    return None if cluster.owned else Trace(run, where.ours, partial(changes.write, run))


def take_back(cluster: "Cluster", run: str) -> None:
    """Undo what a run has left outside of its namespaces; KubeError or NotInTime when that fails."""
    from pytest_ambient._kube import Kube
    from pytest_ambient.cluster import changes
    from pytest_ambient.probe import trace

    found = list(changes.read(run))
    if found:
        trace.take_back(Kube(cluster.kubeconfig, cluster.context), run, found)
    changes.forget(run)
