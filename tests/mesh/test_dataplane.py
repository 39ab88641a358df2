"""Data planes as data: which one runs, what it needs, who is captured, and what its waypoints run."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_ambient import _probing
from pytest_ambient._kube import Kube
from pytest_ambient.errors import BrokenEnvironment, Misuse
from pytest_ambient.manifest import read
from pytest_ambient.mesh import bookinfo
from pytest_ambient.mesh.capture import captured
from pytest_ambient.mesh.dataplane import KMESH, ZTUNNEL, named, running
from pytest_ambient.mesh.features import detect
from pytest_ambient.mesh.readiness import read as found
from pytest_ambient.places import Places
from pytest_ambient.settings import Settings
from pytest_ambient.testing import FakeKube
from pytest_ambient.verdict.variant import World

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: waypoint
  namespace: ${NAMESPACE}
spec:
  gatewayClassName: ${WAYPOINT_CLASS}
"""


def real(kube: FakeKube) -> Kube:
    """The double where a Kube is wanted."""
    return cast(Kube, kube)


def daemonset(kube: FakeKube, name: str, image: str, *, ready: int = 1, env: dict[str, str] | None = None) -> None:
    """A DaemonSet on one node, its pod in a namespace of its own."""
    variables = [{"name": key, "value": value} for key, value in (env or {}).items()]
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": name, "image": image, "env": variables}]},
    }
    meta = {"name": name, "namespace": f"{name}-system"}
    status = {"desiredNumberScheduled": 1, "numberReady": ready}
    kube.objects["apps/v1/DaemonSet", meta["namespace"], name] = {
        "kind": "DaemonSet",
        "metadata": meta,
        "spec": {"template": template},
        "status": status,
    }
    pod = {"metadata": {"name": f"{name}-x", "namespace": meta["namespace"], "labels": {"app": name}}}
    kube.objects["v1/Pod", meta["namespace"], f"{name}-x"] = {
        **pod,
        "spec": {"nodeName": "node-a", "containers": [{"name": name}]},
        "status": READY if ready else {},
    }


def kmesh(**told: Any) -> FakeKube:
    """A mesh of istiod and Kmesh."""
    kube = FakeKube()
    template = {"spec": {"containers": [{"image": "docker.io/istio/pilot:1.26.4-distroless"}]}}
    meta = {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}}
    kube.objects["apps/v1/Deployment", "istio-system", "istiod"] = {
        "kind": "Deployment",
        "metadata": meta,
        "spec": {"template": template},
        "status": {"availableReplicas": 1},
    }
    daemonset(kube, "kmesh", "ghcr.io/kmesh-net/kmesh:v1.2.0", **told)
    return kube


def test_kmesh_is_found_only_where_no_ztunnel_runs() -> None:
    """Whatever the DaemonSets' namespaces are called."""
    kube = FakeKube()
    assert running(real(kube)) is ZTUNNEL
    daemonset(kube, "kmesh", "kmesh:v1.2.0")
    assert running(real(kube)) is KMESH
    daemonset(kube, "ztunnel", "ztunnel:1.30.3")
    assert running(real(kube)) is ZTUNNEL


def test_a_mesh_of_kmesh_needs_neither_ztunnel_nor_cni_agents() -> None:
    """istiod and Kmesh on every node; its own version is none of Istio's."""
    mesh = found(real(kmesh()))
    assert (mesh.dataplane, mesh.problems) == (KMESH, ())
    assert dict(mesh.versions) == {"istiod": "1.26.4", "kmesh": "1.2.0"}
    assert mesh.disagreement("1.26") is None
    assert mesh.disagreement("1.27") == "wanted Istio 1.27, found istiod 1.26.4, kmesh 1.2.0"


def test_what_is_in_ztunnels_place_answers_for_it() -> None:
    """A rule asks for `ztunnel`; the text names what really runs, with the node that lacks it."""
    mesh = found(real(kmesh(ready=0)))
    assert mesh.problem("ztunnel") == "kmesh in kmesh-system: 0 of 1 ready, not on node-a"
    assert found(real(FakeKube()), KMESH).problem("ztunnel") == "no kmesh: no DaemonSet with label app=kmesh"


def test_a_data_plane_that_was_asked_for_is_the_one_that_is_looked_for() -> None:
    """Also where another one runs."""
    assert found(real(kmesh()), ZTUNNEL).problems == (
        "no istio-cni: no DaemonSet with label k8s-app=istio-cni-node",
        "no ztunnel: no DaemonSet with label app=ztunnel",
    )


def test_a_data_plane_that_was_found_is_told() -> None:
    """Unless somebody named it; then that one must be there."""
    lines: list[str] = []
    settings = replace(Settings(), timeout={**Settings().timeout, "mesh": 0.01})
    mesh = _probing.mesh(real(kmesh()), settings, lines.append)
    assert mesh.dataplane is KMESH
    assert "data plane kmesh: found in the cluster, --ambient-dataplane said nothing" in lines
    assert _probing.world(mesh) == World("kmesh", (("istio", "1.26.4"), ("kmesh", "1.2.0")), KMESH.silent)
    asked = replace(settings, dataplane="ztunnel", source={"dataplane": "option"})
    with pytest.raises(BrokenEnvironment, match="no ztunnel: no DaemonSet with label app=ztunnel"):
        _probing.mesh(real(kmesh()), asked, lines.append)


def test_the_products_of_a_mesh_with_ztunnel_are_istios_and_its_own() -> None:
    """So that a row may be about ztunnel's version alone."""
    kube = FakeKube()
    daemonset(kube, "ztunnel", "registry.istio.io/release/ztunnel:1.29.1-distroless")
    assert _probing.world(found(real(kube))) == World("ztunnel", (("istio", "1.29.1"), ("ztunnel", "1.29.1")))


def test_an_unknown_data_plane_is_a_mistake() -> None:
    """In one line, with those there are."""
    assert named("kmesh") is KMESH
    with pytest.raises(Misuse, match=r"^unknown data plane 'cilium', known are ztunnel, kmesh$"):
        named("cilium")


def test_kmesh_captures_by_its_own_annotation() -> None:
    """There is no ztunnel to ask, and none is asked."""
    kube = kmesh()
    for name, annotations in (("a", {KMESH.annotation: "enabled"}), ("b", {ZTUNNEL.annotation: "enabled"})):
        meta = {"name": name, "namespace": "shop", "annotations": annotations}
        kube.objects["v1/Pod", "shop", name] = {"metadata": meta, "spec": {}}
    captures = captured(real(kube), ["shop"], KMESH)
    assert [(one.pod, one.complete) for one in captures] == [("shop/a", True), ("shop/b", False)]
    told = bookinfo.Bookinfo(Places("shop", "other", "outside"), "r1", captures).uncaptured()
    assert told == "shop/b: annotation absent"


@pytest.mark.parametrize(("plane", "mode"), [(ZTUNNEL, "ambient"), (KMESH, "Kmesh")])
def test_namespaces_are_enrolled_by_the_data_planes_own_word(plane: Any, mode: str) -> None:
    """Two of the three."""
    places = Places("shop", "other", "outside", dataplane_mode=plane.mode)
    items = [item.object["metadata"] for item in read(bookinfo.FOLDER / "namespaces.yaml", places)]
    modes = {item["name"]: item["labels"].get("istio.io/dataplane-mode") for item in items}
    assert modes == {"shop": mode, "other": mode, "outside": None}


def test_waypoints_run_the_image_that_their_data_plane_needs(tmp_path: Path) -> None:
    """Of the version that runs, from the mirror; what a manifest says itself stays, and so do other gateways."""
    image = found(real(kmesh())).waypoint_image
    assert image == "ghcr.io/kmesh-net/waypoint:v1.2.0"
    path = tmp_path / "test_x.yaml"
    path.write_text(GATEWAY)
    places = Places("shop", "other", "outside", waypoint_image=image)

    def annotations(**told: Any) -> Any:
        return read(path, places, **told)[0].object["metadata"].get("annotations")

    assert annotations() == {"sidecar.istio.io/proxyImage": image}
    assert annotations(hub="mirror.example/x") == {"sidecar.istio.io/proxyImage": "mirror.example/x/waypoint:v1.2.0"}
    path.write_text(GATEWAY.replace("${WAYPOINT_CLASS}", "istio"))
    assert annotations() is None
    own = '${NAMESPACE}\n  annotations: {"sidecar.istio.io/proxyImage": "own/image:1"}'
    path.write_text(GATEWAY.replace("${NAMESPACE}", own))
    assert annotations() == {"sidecar.istio.io/proxyImage": "own/image:1"}


def test_waypoints_of_istios_own_data_plane_run_istios_image() -> None:
    """So nothing is said about it."""
    kube = FakeKube()
    daemonset(kube, "ztunnel", "ztunnel:1.30.3")
    assert found(real(kube)).waypoint_image == ""


def test_a_data_plane_says_what_it_offers() -> None:
    """Rules that look for tunnels and certificates are skipped where there are none."""
    features = detect(real(kmesh(env={"KMESH_ENABLE_DNS_PROXY": "true"})))
    assert features["Hbone"].reason == "kmesh does not tunnel"
    assert features["Identity"].reason == "kmesh tells callers by their address, no certificate proves them"
    assert features["DnsCapture"].present
    assert detect(real(kmesh()))["DnsCapture"].reason == "kmesh runs without KMESH_ENABLE_DNS_PROXY=true"
    assert all(detect(real(FakeKube()))[name].present for name in ("Hbone", "Identity"))
