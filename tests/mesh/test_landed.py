"""What counts as an Istio that landed: images, rollouts, kinds, class and webhooks, each told when it is missing."""

from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.errors import NotInTime
from pytest_ambient.mesh import landed
from tests.mesh.landing import HUB, ROOT, Cluster, real, spec


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster with a whole Istio."""
    found = Cluster(tmp_path)
    found.land()
    return found


def workload(cluster: Cluster, kind: str, name: str) -> dict[str, Any]:
    """A Deployment or DaemonSet of the mesh, to be changed."""
    return cluster.objects[f"apps/v1/{kind}", ROOT, name]


def test_a_whole_istio_has_no_problems(cluster: Cluster, tmp_path: Path) -> None:
    """Nothing to say, nothing to wait for."""
    assert landed.problems(real(cluster), spec(tmp_path)) == []
    landed.verify(real(cluster), spec(tmp_path), within=0.1)


def test_every_part_that_is_missing_is_named(tmp_path: Path) -> None:
    """An empty cluster lacks all of it, kind GatewayClass included."""
    cluster = Cluster(tmp_path)
    cluster.unknown = {landed.GATEWAY_CLASS}
    found = landed.problems(real(cluster), spec(tmp_path))
    assert found[:3] == [
        "istiod: no Deployment with app=istiod",
        "istio-cni: no DaemonSet with k8s-app=istio-cni-node",
        "ztunnel: no DaemonSet with app=ztunnel",
    ]
    assert found[3] == "CRD authorizationpolicies.security.istio.io is not established"
    assert found[-3:] == [
        "the cluster has no kind GatewayClass",
        "MutatingWebhookConfiguration app=sidecar-injector: none",
        "ValidatingWebhookConfiguration app=istiod: none",
    ]


def test_another_version_of_a_part_is_a_problem(cluster: Cluster, tmp_path: Path) -> None:
    """The exit code of an installer does not say what runs."""
    container = workload(cluster, "DaemonSet", "ztunnel")["spec"]["template"]["spec"]["containers"][0]
    container["image"] = f"{HUB}/ztunnel:1.29.6-distroless"
    assert landed.problems(real(cluster), spec(tmp_path)) == [
        "ztunnel in istio-system is registry.istio.io/release/ztunnel:1.29.6-distroless, wanted 1.30.3"
    ]


@pytest.mark.parametrize(("whose", "problems"), [("ours", 3), ("others", 0)])
def test_images_of_ours_come_from_the_mirror(cluster: Cluster, tmp_path: Path, whose: Any, problems: int) -> None:
    """A mesh that others installed may have them from anywhere."""
    found = landed.problems(real(cluster), spec(tmp_path, hub="mirror.example/istio"), whose)
    assert len(found) == problems
    if found:
        assert found[0] == (
            "istiod in istio-system is registry.istio.io/release/pilot:1.30.3-distroless, "
            "wanted mirror.example/istio/pilot"
        )


def test_a_rollout_that_is_not_over_tells_why_pods_wait(cluster: Cluster, tmp_path: Path) -> None:
    """Pods of an earlier template do not count, and the reason of a waiting container is told."""
    workload(cluster, "DaemonSet", "istio-cni-node")["status"]["updatedNumberScheduled"] = 1
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}}
    labels = {"k8s-app": "istio-cni-node"}
    cluster.keep("v1/Pod", "cni-a", ROOT, labels=labels, status={"containerStatuses": [{"state": waiting}]})
    with pytest.raises(NotInTime) as told:
        landed.verify(real(cluster), spec(tmp_path), within=0.1)
    assert str(told.value).startswith("Istio 1.30.3 to be in place: not within 0.1 s")
    assert str(told.value).endswith("istio-cni in istio-system: 1 of 2 ready (ImagePullBackOff: no such host)")


def test_a_status_of_an_earlier_generation_does_not_count(cluster: Cluster, tmp_path: Path) -> None:
    """What was ready before a change says nothing about it."""
    workload(cluster, "Deployment", "istiod")["metadata"]["generation"] = 2
    assert landed.problems(real(cluster), spec(tmp_path)) == ["istiod in istio-system: its rollout has not begun"]


def test_a_daemonset_without_nodes_is_not_ready(cluster: Cluster, tmp_path: Path) -> None:
    """None of none is what a controller says that has not looked yet."""
    workload(cluster, "DaemonSet", "ztunnel")["status"] = {"observedGeneration": 1}
    assert landed.problems(real(cluster), spec(tmp_path)) == ["ztunnel in istio-system: 0 of 1 ready"]


def test_webhooks_without_a_certificate_are_a_problem(cluster: Cluster, tmp_path: Path) -> None:
    """istiod puts it in when it can answer them."""
    for key, item in cluster.objects.items():
        if key[0].endswith("ValidatingWebhookConfiguration"):
            item["webhooks"] = [{"clientConfig": {"caBundle": ""}}]
    assert landed.problems(real(cluster), spec(tmp_path)) == [
        "ValidatingWebhookConfiguration app=istiod: without certificate"
    ]
    assert landed.problems(real(cluster), spec(tmp_path), "others") == []


def test_the_class_of_waypoints_must_be_accepted(cluster: Cluster, tmp_path: Path) -> None:
    """A class that nobody took on makes no waypoint."""
    cluster.objects[landed.GATEWAY_CLASS, "", "istio-waypoint"]["status"] = {}
    assert landed.problems(real(cluster), spec(tmp_path)) == ["GatewayClass istio-waypoint is not accepted"]
    del cluster.objects[landed.GATEWAY_CLASS, "", "istio-waypoint"]
    assert landed.problems(real(cluster), spec(tmp_path)) == ["no GatewayClass istio-waypoint"]


def test_a_definition_that_is_not_established_is_a_problem(cluster: Cluster, tmp_path: Path) -> None:
    """It is there, and the API server does not serve it."""
    cluster.objects[landed.CRD, "", "telemetries.telemetry.istio.io"]["status"] = {"conditions": []}
    assert landed.problems(real(cluster), spec(tmp_path)) == ["CRD telemetries.telemetry.istio.io is not established"]


def test_one_fitting_revision_is_enough_in_a_mesh_of_others(cluster: Cluster, tmp_path: Path) -> None:
    """A canary of another version beside it is theirs."""
    cluster.version = "1.29.6"
    cluster.broken = ("istio-cni-node", "ztunnel")
    cluster.land(root="istio-canary", revision="canary")
    assert landed.problems(real(cluster), spec(tmp_path), "others") == []


def test_kmesh_needs_istiod_alone(tmp_path: Path) -> None:
    """What moves the bytes there is not Istio's."""
    cluster = Cluster(tmp_path)
    cluster.broken = ("istio-cni-node", "ztunnel")
    cluster.land()
    assert landed.problems(real(cluster), spec(tmp_path, dataplane="kmesh")) == []


@pytest.mark.parametrize("tag", ["1.30.3-fips", "1.30.3-solo-distroless", "v1.30.3"])
def test_a_vendors_build_of_the_release_is_that_release(cluster: Cluster, tmp_path: Path, tag: str) -> None:
    """Hardened images and other bases are in place as much as upstream's."""
    container = workload(cluster, "DaemonSet", "ztunnel")["spec"]["template"]["spec"]["containers"][0]
    container["image"] = f"{HUB}/ztunnel:{tag}"
    assert landed.problems(real(cluster), spec(tmp_path)) == []


def test_an_image_named_by_digest_is_known_by_its_parts_label(cluster: Cluster, tmp_path: Path) -> None:
    """Istio's charts write the version beside it; without that nobody knows."""
    item = workload(cluster, "DaemonSet", "ztunnel")
    item["spec"]["template"]["spec"]["containers"][0]["image"] = f"{HUB}/ztunnel@sha256:ab"
    assert landed.problems(real(cluster), spec(tmp_path)) == [
        "ztunnel in istio-system is registry.istio.io/release/ztunnel@sha256:ab, wanted 1.30.3"
    ]
    item["metadata"]["labels"] = {"app.kubernetes.io/version": "1.30.3"}
    assert landed.problems(real(cluster), spec(tmp_path)) == []
