"""What is kept of a bring-up that failed: in files, bounded, and never in the way of undoing it."""

import time
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pytest_ambient.cluster import evidence
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.errors import NotFound, ProviderError
from pytest_ambient.testing import FakeKube

Object: TypeAlias = dict[str, Any]


def pod(name: str, *, ready: bool, phase: str = "Running", **status: Any) -> Object:
    """A pod of one container."""
    conditions = [{"type": "Ready", "status": str(ready)}]
    meta = {"name": name, "namespace": "istio-system", "managedFields": [{"manager": "x"}]}
    return {
        "metadata": meta,
        "spec": {"nodeName": "n1"},
        "status": {"phase": phase, "conditions": conditions, **status},
    }


@pytest.fixture
def kube() -> FakeKube:
    """A cluster in which ztunnel crashes."""
    one = FakeKube()
    crashed = {"name": "istio-proxy", "restartCount": 2, "state": {"running": {}}, "lastState": {"terminated": {}}}
    pulling = {"name": "discovery", "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    for item in (
        pod("ztunnel-a", ready=False, containerStatuses=[crashed]),
        pod("istiod-b", ready=False, phase="Pending", containerStatuses=[pulling]),
        pod("cni-c", ready=True),
        pod("job-d", ready=False, phase="Succeeded"),
    ):
        one.objects["v1/Pod", "istio-system", item["metadata"]["name"]] = item
    about = {"kind": "Pod", "namespace": "istio-system", "name": "istiod-b"}
    for number, when in enumerate(("2026-01-01T00:00:09Z", "2026-01-01T00:00:01Z")):
        event = {
            "metadata": {"name": f"e{number}", "namespace": "istio-system"}, "lastTimestamp": when, "type": "Warning",
            "reason": "Failed", "involvedObject": about, "message": "Failed to\n pull", "count": 3,
        }  # fmt: skip
        one.objects["v1/Event", "istio-system", f"e{number}"] = event
    one.objects["v1/Node", "", "n1"] = {"metadata": {"name": "n1"}}
    one.lines = {"istio-system/ztunnel-a": "now\n", "istio-system/ztunnel-a before": "panicked\n"}
    return one


def test_what_a_cluster_says_of_its_failure_is_kept(kube: FakeKube, tmp_path: Path) -> None:
    """Events by time, nodes, all pods in a line each; of those that are not ready the object and the logs."""
    evidence.look(kube, tmp_path)  # type: ignore[arg-type]  # a double
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "events.txt",
        "istio-system_istiod-b.yaml",
        "istio-system_ztunnel-a.yaml",
        "istio-system_ztunnel-a_istio-proxy.log",
        "istio-system_ztunnel-a_istio-proxy.previous.log",
        "nodes.yaml",
        "pods.txt",
    ]
    what = "Warning  Failed  Pod istio-system/istiod-b  x3  Failed to pull"
    assert (tmp_path / "events.txt").read_text().splitlines() == [
        f"2026-01-01T00:00:01Z  {what}",
        f"2026-01-01T00:00:09Z  {what}",
    ]
    assert (tmp_path / "pods.txt").read_text().splitlines()[0] == "istio-system/cni-c  Running, ready, 0 restarts, n1"
    assert "istio-system/ztunnel-a  Running, not ready, 2 restarts, n1" in (tmp_path / "pods.txt").read_text()
    assert "ImagePullBackOff" in (tmp_path / "istio-system_istiod-b.yaml").read_text()
    assert "managedFields" not in (tmp_path / "istio-system_istiod-b.yaml").read_text()
    assert (tmp_path / "istio-system_ztunnel-a_istio-proxy.log").read_text() == "now\n"
    assert (tmp_path / "istio-system_ztunnel-a_istio-proxy.previous.log").read_text() == "panicked\n"


def test_files_are_bounded_and_keep_their_end(kube: FakeKube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that fills a disk helps nobody; the last lines tell what happened."""
    monkeypatch.setattr(evidence, "BYTES", 10)
    monkeypatch.setattr(evidence, "PODS", 1)
    kube.lines["istio-system/istiod-b"] = "x" * 100 + "the end."
    kube.objects["v1/Pod", "istio-system", "istiod-b"]["status"]["containerStatuses"][0]["state"] = {"running": {}}
    evidence.look(kube, tmp_path)  # type: ignore[arg-type]  # a double
    assert (tmp_path / "istio-system_istiod-b_discovery.log").read_text() == "...\nxxthe end."
    assert not (tmp_path / "istio-system_ztunnel-a.yaml").exists()


def test_a_log_that_cannot_be_had_says_why_in_its_place(
    kube: FakeKube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest goes on."""

    def gone(*_: object, **__: object) -> str:
        raise NotFound("pod is gone")

    monkeypatch.setattr(kube, "logs", gone)
    evidence.look(kube, tmp_path)  # type: ignore[arg-type]  # a double
    assert (tmp_path / "istio-system_ztunnel-a_istio-proxy.log").read_text() == "no log: pod is gone\n"


def test_nothing_that_goes_wrong_is_more_than_a_complaint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed first must not be hidden by it."""

    def broken() -> None:
        raise ProviderError("no docker")

    def odd(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(evidence, "_look", odd)
    cluster = Cluster("c", tmp_path / "kubeconfig", "c", True, "fake")
    assert evidence.collect(tmp_path / "e", broken, cluster) == (
        "logs of the provider: no docker; the cluster's objects: KeyError('x')"
    )
    (tmp_path / "taken").write_text("")
    assert evidence.collect(tmp_path / "taken", broken, None) == "File exists"
    assert evidence.collect(tmp_path / "f", lambda: None, None) == ""


def test_it_takes_no_longer_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that hangs, deaf to everything, is left behind."""
    monkeypatch.setattr(evidence, "WITHIN", 0.1)
    monkeypatch.setattr(evidence, "DEAF", 0.1)
    start = time.monotonic()
    assert evidence.collect(tmp_path, lambda: time.sleep(20), None) == "logs of the provider: not within 0.1 s"
    assert time.monotonic() - start < 10
