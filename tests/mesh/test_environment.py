"""What a report says of the cluster: read part by part, tolerant of what cannot be read."""

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh import environment
from pytest_ambient.mesh.asked import LOOKED, looked
from pytest_ambient.mesh.features import FEATURES
from pytest_ambient.testing import FakeKube

Object: TypeAlias = dict[str, Any]

INFO = {"kernelVersion": "6.12.1", "architecture": "arm64", "containerRuntimeVersion": "containerd://2.1"}


@dataclass
class Some(FakeKube):
    """A cluster that refuses some kinds."""

    refused: tuple[str, ...] = ()

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> "list[Object]":
        """What is asked for, unless this user may not."""
        if kind in self.refused:
            raise Forbidden(f"{kind} is forbidden")
        return super().list(kind, namespace, labels, fields)

    def server_version(self) -> str:
        """A version."""
        return "v1.34.3"


def pod(name: str, labels: Object, image: str, namespace: str = "istio-system") -> Object:
    """A pod that runs one image."""
    status = {"image": image, "imageID": f"docker.io/x@sha256:{name[0] * 64}"}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"nodeName": "one"}, "status": {"containerStatuses": [status]},
    }  # fmt: skip


def daemonset(name: str, label: str) -> Object:
    """A DaemonSet whose pods have a label."""
    key, _, value = label.partition("=")
    template = {"metadata": {"labels": {key: value}}, "spec": {"containers": [{"image": f"istio/{name}:1.30.3"}]}}
    meta = {"name": name, "namespace": "istio-system"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": meta,
        "spec": {"template": template},
        "status": {},
    }


def cluster(*refused: str, blocks: tuple[str, ...] = ("10.0.0.0/24",)) -> Kube:
    """A cluster of two nodes with a mesh and one run's namespace."""
    kube = Some(refused=refused)
    for name in ("one", "two"):
        node = {"metadata": {"name": name}, "spec": {"podCIDRs": [*blocks]}, "status": {"nodeInfo": INFO}}
        kube.apply({"apiVersion": "v1", "kind": "Node", **node})
    for item in (daemonset("ztunnel", "app=ztunnel"), daemonset("kindnet", "app=kindnet")):
        kube.apply(item)
    kube.apply(pod("ztunnel-a", {"app": "ztunnel"}, "istio/ztunnel:1.30.3"))
    kube.apply(pod("web", {}, "web:1", "ours"))
    kube.apply(pod("gate", {"gateway.networking.k8s.io/gateway-name": "w"}, "istio/proxyv2:1.30.3", "ours"))
    kube.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ours", "labels": {"pytest-ambient/run": "r1"}}}
    )
    said = {
        f"gateway.networking.k8s.io/{name}": value
        for name, value in (("bundle-version", "v1.5.1"), ("channel", "standard"))
    }
    name = "gateways.gateway.networking.k8s.io"
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    kube.apply({**crd, "metadata": {"name": name, "annotations": said}})
    return cast(Kube, kube)


def test_all_that_can_be_read_is_told() -> None:
    """Nodes, versions, network, and every image with its digest."""
    found = environment.look(cluster(), "r1")
    assert found["unknown"] == []
    assert {name: found[name] for name in ("nodes", "kernel", "architecture", "runtime")} == {
        "nodes": 2, "kernel": ["6.12.1"], "architecture": ["arm64"], "runtime": ["containerd://2.1"],
    }  # fmt: skip
    assert (found["kubernetes"], found["cni"], found["ipFamily"]) == ("v1.34.3", ["kindnet"], "IPv4")
    assert found["gatewayApi"] == {"bundle": "v1.5.1", "channel": "standard"}
    assert (found["dataplane"], found["versions"]) == ("ztunnel", {"ztunnel": "1.30.3"})
    assert found["images"] == {
        "ztunnel": [f"istio/ztunnel:1.30.3@sha256:{'z' * 64}"],
        "waypoint": [f"istio/proxyv2:1.30.3@sha256:{'g' * 64}"],
        "workloads": [f"web:1@sha256:{'w' * 64}"],
    }


@pytest.mark.parametrize(
    ("blocks", "family"),
    [(("fd00::/64",), "IPv6"), (("10.0.0.0/24", "fd00::/64"), "dual-stack")],
)
def test_the_family_is_that_of_pods(blocks: tuple[str, ...], family: str) -> None:
    """By the blocks of the nodes."""
    assert environment.look(cluster(blocks=blocks), "r1")["ipFamily"] == family


def test_what_nobody_tells_is_named() -> None:
    """A network and a family that cannot be told are no blank."""
    kube = cluster(blocks=())
    found = environment.look(kube, "r1")
    assert "ipFamily" not in found
    assert found["unknown"] == ["IP family: neither nodes nor the API server's Service tell an address"]
    kube.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default"},
         "spec": {"clusterIP": "fd00::1"}}
    )  # fmt: skip
    assert environment.look(kube, "r1")["ipFamily"] == "IPv6"
    kube.delete("apps/v1/DaemonSet", "kindnet", "istio-system")
    assert environment.look(kube, "r1")["unknown"] == ["network: no agent of a network that is known here"]


def test_a_node_s_own_address_tells_where_nothing_else_does() -> None:
    """Nodes of some platforms have no block of addresses."""
    kube = cluster(blocks=())
    address = {"type": "InternalIP", "address": "172.18.0.2"}
    kube.apply(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "one"},
            "spec": {},
            "status": {"addresses": [address]},
        }
    )
    assert environment.look(kube, "r1")["ipFamily"] == "IPv4"


def test_each_feature_says_how_it_was_found_out() -> None:
    """No feature without words for it; what was not asked says so."""
    assert FEATURES.keys() <= LOOKED.keys()
    assert looked("Waypoint", "") == "asked of the cluster: GatewayClass istio-waypoint and its condition Accepted"
    assert looked("Kiali", "skipped by --ambient-skip-features") == "not asked: --ambient-skip-features"
    assert looked("Sidecar", "the embedded mesh has no sidecars") == "not asked: known of the embedded mesh"


def test_what_this_user_may_not_read_is_left_out_and_named() -> None:
    """The rest is told."""
    found = environment.look(cluster("v1/Node"), "r1")
    assert "nodes" not in found
    assert "nodes: v1/Node is forbidden" in found["unknown"]
    assert "IP family: v1/Node is forbidden" in found["unknown"]
    assert found["images"]["ztunnel"]
    assert found["cni"] == ["kindnet"]


def test_waypoints_are_found_in_their_namespaces() -> None:
    """Their images alone."""
    assert environment.waypoints(cluster(), ["ours", "other"]) == [f"istio/proxyv2:1.30.3@sha256:{'g' * 64}"]
