"""Parts that are to be broken for a while: where they are, and why they are left alone."""

from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.mesh import outages
from pytest_ambient.mesh.features import detect
from pytest_ambient.places import Places
from pytest_ambient.testing import FakeKube


def deployment(name: str, namespace: str, replicas: int = 1, revision: str = "default") -> dict[str, Any]:
    """An istiod."""
    labels = {"app": "istiod", "istio.io/rev": revision}
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": {"replicas": replicas}}


def daemons(name: str, namespace: str, strategy: str = "RollingUpdate", label: str = "app=ztunnel") -> dict[str, Any]:
    """The ztunnels, or the agents."""
    template = {"metadata": {"labels": dict([label.split("=")])}}
    spec = {"template": template, "updateStrategy": {"type": strategy}}
    return {"metadata": {"name": name, "namespace": namespace, "labels": {}}, "spec": spec}


def mesh(*items: dict[str, Any]) -> Kube:
    """A cluster with these."""
    kube = FakeKube()
    for item in items:
        kind = "Deployment" if "app" in item["metadata"]["labels"] else "DaemonSet"
        kube.objects[f"apps/v1/{kind}", item["metadata"]["namespace"], item["metadata"]["name"]] = item
    return cast(Kube, kube)


def test_they_are_found_where_their_installer_has_put_them() -> None:
    """In namespaces of their own, under the name of a revision; the defaults where nothing is seen."""
    found = mesh(deployment("istiod-1-30-3", "control"), daemons("ztunnel", "tunnels"))
    assert (outages.istiod(found), outages.ztunnel(found)) == (("control", "istiod-1-30-3"), ("tunnels", "ztunnel"))
    assert outages.cni(mesh(daemons("agents", "kube-system", label="k8s-app=istio-cni-node"))) == (
        "kube-system",
        "agents",
    )
    assert outages.istiod(mesh()) == ("istio-system", "istiod")
    assert outages.ztunnel(mesh()) == ("istio-system", "ztunnel")
    assert outages.cni(mesh()) == ("istio-system", "istio-cni-node")


def test_manifests_name_them() -> None:
    """By words that are filled in like the namespaces."""
    places = Places("a", "b", "c", ztunnel=("tunnels", "zt"), istiod=("control", "istiod-x"), cni=("agents", "cni"))
    text = "${ZTUNNEL_NAMESPACE}/${ZTUNNEL} ${ISTIOD_NAMESPACE}/${ISTIOD} ${CNI_NAMESPACE}/${CNI}"
    assert places.fill(text) == "tunnels/zt control/istiod-x agents/cni"


@pytest.mark.parametrize(
    ("items", "istiod", "ztunnel"),
    [
        ([deployment("istiod", "i"), daemons("ztunnel", "i")], None, None),
        ([], "found none, one Deployment labelled app=istiod is needed", "found none, one DaemonSet with pods"),
        (
            [deployment("istiod", "i"), deployment("istiod-b", "i", revision="b"), daemons("ztunnel", "i")],
            "found i/istiod, i/istiod-b, one Deployment",
            None,
        ),
        (
            [deployment("istiod", "i", replicas=0), daemons("ztunnel", "i", "OnDelete")],
            "Deployment i/istiod wants no pod already",
            "DaemonSet i/ztunnel restarts its pods only when they are deleted",
        ),
    ],
)
def test_what_cannot_be_broken_as_meant_is_left_alone(
    items: list[dict[str, Any]], istiod: str | None, ztunnel: str | None
) -> None:
    """Another istiod would stand in, a DaemonSet would not restart: the rows are skipped with that reason."""
    found = detect(mesh(*items))
    for name, reason in (("IstiodOutage", istiod), ("ZtunnelRestart", ztunnel)):
        assert found[name].present == (reason is None)
        assert found[name].reason.startswith(reason or "")


def test_who_may_not_change_them_skips_the_rows() -> None:
    """By the API server's own word."""
    kube = mesh(deployment("istiod", "i"), daemons("ztunnel", "i"))
    kube.can = lambda verb, resource, namespace=None: False  # type: ignore[method-assign]  # a double
    found = detect(kube)
    assert found["IstiodOutage"].reason == "this user may not patch deployments.apps in i"
    assert found["ZtunnelRestart"].reason == "this user may not patch daemonsets.apps in i"
