"""What a run wants of its cluster's life, settled before anything is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient.cluster.lease import Object, state_folder
from pytest_ambient.cluster.provider import Cluster, ClusterSpec, Provider
from pytest_ambient.steps import Group


def nothing(cluster: Cluster) -> Sequence[Group]:
    """No steps."""
    return ()


@dataclass(frozen=True)
class Plan:
    """What a run needs of its cluster's life."""

    provider: Provider
    provider_name: str
    spec: ClusterSpec
    run: str
    keep: str = "never"
    logs: Path | None = None
    """Where the cluster's logs go at the end of a run that failed; nowhere when None."""
    logs_always: bool = False
    """Whether the logs of a run that went well are wanted too."""
    evidence: Path | None = None
    """Where all that is known of a bring-up that failed goes, before it is undone; nowhere when None."""
    then: Callable[[Cluster], Sequence[Group]] = nothing
    """What else to do, once the cluster answers."""
    installed: Object | None = None
    """What `then` puts in, in plain values from which another process can take it out; `words` says it to people."""


def spec_folder(name: str) -> Path:
    """The folder of the state of a cluster of that name."""
    return state_folder() / "clusters" / name
