"""What istioctl takes out again, and what stays."""

from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.errors import InstallerError, NotInTime
from pytest_ambient.mesh.istioctl import COMPONENT, Istioctl
from pytest_ambient.mesh.landed import CRD, GATEWAY_CLASS
from tests.doubles import Doubles
from tests.mesh.istioctl.asked import PURGE, commands, install, uninstall, willing, written
from tests.mesh.landing import ROOT, Cluster, spec, target


def test_everything_of_this_run_goes_and_nothing_else(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Also what istioctl leaves: CRDs, classes, istiod's ConfigMaps; what was there before stays."""
    willing(doubles, cluster)
    cluster.define("wasmplugins.extensions.istio.io")
    cluster.define("certificates.cert-manager.io")
    cluster.keep("v1/ConfigMap", "istio-ca-root-cert", "older", labels={"istio.io/config": "true"})
    cluster.keep(GATEWAY_CLASS, "older", spec={"controllerName": "istio.io/gateway-controller"})
    cluster.keep("v1/Namespace", "shop", labels={"istio.io/use-waypoint": "of-old"})
    cluster.keep("extensions.istio.io/v1/Wasmplugin", "of-old", "shop")
    before = dict(cluster.objects)
    said: list[str] = []
    install(target(cluster, said), tmp_path)
    assert said == ["1 CRDs of Istio were there already and are left as they are"]
    assert written(tmp_path)["values"]["base"] == {
        "enableCRDTemplates": True,
        "excludedCRDs": ["wasmplugins.extensions.istio.io"],
    }
    nginx = {"controllerName": "nginx.org/gateway"}
    cluster.keep(GATEWAY_CLASS, "nginx", spec=nginx)
    uninstall(target(cluster), tmp_path)
    assert cluster.objects == {**before, (GATEWAY_CLASS, "", "nginx"): {"metadata": {"name": "nginx"}, "spec": nginx}}
    assert commands(doubles) == ["install", "uninstall"]


def test_namespaces_leave_the_mesh_before_istio_goes(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Labels off, waypoints gone, pods free; while a pod is captured, istioctl is not run."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    labels = {"pytest-ambient/run": "r1", "istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": "w", "a": "b"}
    cluster.keep("v1/Namespace", "bookinfo", labels=labels)
    cluster.keep("gateway.networking.k8s.io/v1/Gateway", "w", "bookinfo", spec={"gatewayClassName": "istio-waypoint"})
    cluster.keep("gateway.networking.k8s.io/v1/Gateway", "g", "bookinfo", spec={"gatewayClassName": "nginx"})
    cluster.keep("v1/Pod", "curl", "bookinfo", annotations={"ambient.istio.io/redirection": "enabled"})
    with pytest.raises(NotInTime, match=r"pods to leave the mesh: not within 0.3 s .*still captured: bookinfo/curl"):
        Istioctl().uninstall(target(cluster), spec(tmp_path))
    assert commands(doubles) == ["install"]
    assert cluster.objects["v1/Namespace", "", "bookinfo"]["metadata"]["labels"] == {
        "pytest-ambient/run": "r1",
        "a": "b",
    }
    assert cluster.names("gateway.networking.k8s.io/v1/Gateway") == ["bookinfo/g"]
    cluster.objects["v1/Pod", "bookinfo", "curl"]["metadata"]["annotations"] = {}
    uninstall(target(cluster), tmp_path)
    assert commands(doubles) == ["install", "uninstall"]
    assert cluster.names("v1/Namespace") == ["bookinfo"]


@pytest.mark.parametrize(
    ("kind", "name", "more", "told"),
    [
        ("v1/Namespace", "shop", {"labels": {"istio.io/dataplane-mode": "ambient"}}, "namespace shop"),
        ("v1/Pod", "a", {"labels": {"istio.io/dataplane-mode": "ambient"}}, "pod shop/a"),
        ("v1/Pod", "a", {"labels": {"security.istio.io/tlsMode": "istio"}}, "pod shop/a"),
        (
            "gateway.networking.k8s.io/v1/Gateway",
            "w",
            {"spec": {"gatewayClassName": "istio-waypoint"}},
            "Gateway shop/w",
        ),
        (
            "gateway.networking.k8s.io/v1/Gateway",
            "g",
            {"spec": {"gatewayClassName": "istio"}},
            "Gateway shop/g",
        ),
        (
            "v1/Pod",
            "gateway",
            {"metadata": {"name": "gateway", "namespace": "shop", "labels": {"sidecar.istio.io/inject": "true"}}},
            "pod shop/gateway",
        ),
        ("networking.istio.io/v1/Virtualservice", "v", {}, "Virtualservice shop/v"),
    ],
)
def test_a_mesh_that_others_use_stays(
    doubles: Doubles, cluster: Cluster, tmp_path: Path, kind: str, name: str, more: Any, told: str
) -> None:
    """Their traffic would break, or their objects would go with our CRDs; one line says who."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    cluster.keep(kind, name, "" if kind == "v1/Namespace" else "shop", **more)
    with pytest.raises(InstallerError) as error:
        uninstall(target(cluster), tmp_path)
    assert str(error.value) == (
        f"Istio 1.30.3 of run r1 stays, others use it: {told}; take them out of the mesh, then: pytest-ambient cleanup"
    )
    assert commands(doubles) == ["install"]


def test_uninstalling_twice_or_nothing_is_fine(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Neither the second time nor after nothing is istioctl run."""
    uninstall(target(cluster), tmp_path)
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    uninstall(target(cluster), tmp_path)
    uninstall(target(cluster), tmp_path)
    assert commands(doubles) == ["install", "uninstall"]
    assert cluster.objects == {}


def test_half_an_installation_goes_too(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """The namespace alone says that there may be something."""
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r1"})
    cluster.define("virtualservices.networking.istio.io")
    doubles.answer("istioctl", PURGE)
    uninstall(target(cluster), tmp_path)
    assert commands(doubles) == ["uninstall"]
    assert cluster.objects == {}


def test_a_mesh_of_another_run_is_not_ours_to_remove(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Two runs do not disturb each other."""
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r2"})
    cluster.land()
    before = dict(cluster.objects)
    uninstall(target(cluster), tmp_path)
    assert cluster.objects == before
    assert doubles.calls("istioctl") == []


def test_istiod_must_have_ended_before_what_it_writes_is_removed(
    doubles: Doubles, cluster: Cluster, tmp_path: Path
) -> None:
    """It would write its ConfigMaps again."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    cluster.keep("v1/Pod", "istiod-x", ROOT, labels={"app": "istiod"})
    with pytest.raises(NotInTime, match=r"istiod to end: not within 0.3 s .*still there: istiod-x"):
        Istioctl().uninstall(target(cluster), spec(tmp_path))
    assert cluster.names("v1/ConfigMap") == ["default/istio-ca-root-cert"]
    assert ROOT in cluster.names("v1/Namespace")


def test_purging_spares_another_istio(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """istioctl would remove all there are."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    cluster.land(root="istio-b", revision="b")
    with pytest.raises(InstallerError) as error:
        uninstall(target(cluster), tmp_path)
    assert str(error.value) == (
        "Istio 1.30.3 (revision b, in istio-b) came into the cluster meanwhile, and istioctl would remove it too: "
        "take Istio 1.30.3 out by hand: istioctl uninstall --revision default"
    )
    assert commands(doubles) == ["install"]


def test_purging_spares_crds_that_were_there(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Those with istioctl's label are hidden from it, and have it again afterwards, even when it fails."""
    name = "wasmplugins.extensions.istio.io"
    cluster.define(name, **{COMPONENT: "Base"})
    doubles.answer("istioctl", PURGE, stderr="Error: gone wrong", status=1, times=1)
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    patched: list[Any] = []
    patch = cluster.patch

    def watched(kind: str, *rest: Any, **more: Any) -> Any:
        patched.append(rest[2]["metadata"]["labels"])
        return patch(kind, *rest, **more)

    cluster.patch = watched  # type: ignore[method-assign]  # a double is watched
    with pytest.raises(InstallerError, match="exit 1: gone wrong"):
        uninstall(target(cluster), tmp_path)
    uninstall(target(cluster), tmp_path)
    assert patched == [{COMPONENT: None}, {COMPONENT: "Base"}] * 2
    assert cluster.objects[CRD, "", name]["metadata"]["labels"] == {COMPONENT: "Base"}
