"""A run's namespaces in a cluster: known by a label, and removed by it."""

from pytest_ambient.cluster.provider import Cluster

RUN_LABEL = "pytest-ambient/run"
PART_LABEL = "pytest-ambient/part"
"""The label, beside the run's, of what an installer put in."""

NAMESPACES_GONE = 120.0
"""Seconds that a namespace may take to be gone; finalizers of custom resources make it slow."""


def remove_namespaces(cluster: Cluster, run: str) -> None:
    """Delete the namespaces of a run, side by side, and return when they are gone; BrokenEnvironment when they stay.

    Those of a mesh or an addon are left: they go last of what their installer takes out, and say that it is there.
    """
    from pytest_ambient._kube import Kube
    from pytest_ambient._wait import NotYet, until

    kube = Kube(cluster.kubeconfig, cluster.context)

    def ours() -> list[str]:
        found = (item["metadata"] for item in kube.list("v1/Namespace", labels=f"{RUN_LABEL}={run}"))
        return [meta["name"] for meta in found if PART_LABEL not in meta["labels"]]

    def gone() -> bool | NotYet:
        left = ours()
        return NotYet(f"still there: {', '.join(left)}") if left else True

    for name in ours():
        kube.delete("v1/Namespace", name)
    until(gone, what=f"removal of the namespaces of run {run}", within=NAMESPACES_GONE)
