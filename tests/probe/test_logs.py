"""Whose logs are read, and from when on: a cluster may be large, and its clock may not be ours."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.probe.logs import Logs
from pytest_ambient.testing import FakeKube


class Written(FakeKube):
    """A cluster that notes whose log was asked for, and since when."""

    def __init__(self, ahead: float = 0.0) -> None:
        super().__init__()
        self.clock = ahead
        self.asked: dict[str, float] = {}

    def ahead(self) -> float:
        """As far as it is told."""
        return self.clock

    def logs(self, namespace: str, pod: str, container: str, **since: Any) -> str:
        """What was written, by the cluster's clock."""
        moment = datetime.strptime(since["since_time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        self.asked[pod] = moment.timestamp()
        return super().logs(namespace, pod, container)


def cluster(ahead: float = 0.0) -> Written:
    """Three nodes with a ztunnel each; our namespace has a pod on the second."""
    made = Written(ahead)
    for node in "abc":
        meta = {"name": f"ztunnel-{node}", "namespace": "istio-system", "labels": {"app": "ztunnel"}}
        spec = {"nodeName": node, "containers": [{"name": "istio-proxy"}]}
        made.objects["v1/Pod", "istio-system", f"ztunnel-{node}"] = {"metadata": meta, "spec": spec}
    pod = {"metadata": {"name": "curl", "namespace": "shop"}, "spec": {"nodeName": "b"}}
    made.objects["v1/Pod", "shop", "curl"] = pod
    return made


@pytest.fixture
def opened() -> Iterator[list[Logs]]:
    """Logs to be closed."""
    made: list[Logs] = []
    yield made
    for logs in made:
        logs.close()


def test_only_nodes_with_pods_of_ours_are_read(opened: list[Logs]) -> None:
    """The others' traffic is not ours to fetch, unless nothing else is left to look into."""
    kube = cluster()
    logs = Logs(cast(Kube, kube), namespaces=["shop"])
    opened.append(logs)
    logs.connections(["10.0.0.1"], time.time())
    assert sorted(kube.asked) == ["ztunnel-b"]
    logs.connections(["10.0.0.1"], time.time(), everywhere=True)
    assert sorted(kube.asked) == ["ztunnel-a", "ztunnel-b", "ztunnel-c"]


def test_a_pod_that_moved_is_found_after_forgetting(opened: list[Logs]) -> None:
    """Nodes are looked up anew whenever a manifest comes or goes."""
    kube = cluster()
    logs = Logs(cast(Kube, kube), namespaces=["shop"])
    opened.append(logs)
    assert [proxy.node for proxy in logs.near()] == ["b"]
    kube.objects["v1/Pod", "shop", "curl"]["spec"]["nodeName"] = "c"
    assert [proxy.node for proxy in logs.near()] == ["b"]
    logs.forget()
    assert [proxy.node for proxy in logs.near()] == ["c"]


def test_without_pods_of_ours_all_nodes_are_near(opened: list[Logs]) -> None:
    """Nothing is known, so nothing is left out."""
    logs = Logs(cast(Kube, cluster()), namespaces=["elsewhere"])
    opened.append(logs)
    assert [proxy.node for proxy in logs.near()] == ["a", "b", "c"]


@pytest.mark.parametrize("ahead", [-600.0, 600.0])
def test_logs_are_read_by_the_clusters_clock(opened: list[Logs], ahead: float) -> None:
    """A laptop that woke up with a wrong clock finds its lines all the same, then knows the node's clock better."""
    kube = cluster(ahead)
    logs = Logs(cast(Kube, kube), namespaces=["shop"])
    opened.append(logs)
    started = time.time()
    now = datetime.fromtimestamp(started + ahead, UTC).isoformat().replace("+00:00", "Z")
    line = f'{now}\tinfo\taccess\tconnection complete\tsrc.addr=10.0.0.1:5 direction="outbound"'
    kube.lines["istio-system/ztunnel-b"] = line
    assert len(logs.connections(["10.0.0.1"], started)) == 1
    assert kube.asked["ztunnel-b"] == pytest.approx(started + ahead - 31.5, abs=1.5)
    logs.connections(["10.0.0.1"], started)
    assert kube.asked["ztunnel-b"] == pytest.approx(started + ahead - 1.5, abs=1.5)
