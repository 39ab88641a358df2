"""The nodes of a cluster that was just made: awaited until all are ready."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import KubeError, NotInTime, ProviderError

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube

Object: TypeAlias = dict[str, Any]

LEAST = 10.0
"""Seconds that nodes get in any case: a tool that took long to make them has often waited for them, too."""


def ready(kubeconfig: Path, context: str, count: int, within: float) -> list[Object]:
    """The nodes, once there are `count` and all are ready; ProviderError with what was seen last when they are late."""
    from pytest_ambient._kube import Kube

    kube = Kube(kubeconfig, context)
    try:
        return until(lambda: _ready(kube, count), what=f"{count} ready nodes", within=max(within, LEAST))
    except NotInTime as error:
        raise ProviderError(str(error)) from None
    finally:
        kube.close()


def names(nodes: Iterable[Object]) -> list[str]:
    """The names of nodes; in clusters of containers these are the containers' own."""
    return [str(node["metadata"]["name"]) for node in nodes]


def _ready(kube: "Kube", count: int) -> list[Object] | NotYet:
    try:
        nodes = kube.list("v1/Node")
    except KubeError as error:
        return NotYet(str(error))
    waiting = [node["metadata"]["name"] for node in nodes if not _says_ready(node)]
    if waiting:
        return NotYet(f"not ready: {', '.join(sorted(waiting))}")
    return nodes if len(nodes) >= count else NotYet(f"{len(nodes)} of {count} are there")


def _says_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
