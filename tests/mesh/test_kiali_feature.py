"""Kiali counts as a feature only where pods can ask it: beside istiod, and without signing in."""

import json
from typing import cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.mesh.features import detect
from tests.mesh.fake_mesh import MESH, Cluster

PAGE = ("istio-system/kiali-1", "/kiali/api/auth/info")


def cluster(namespace: str = "istio-system") -> Cluster:
    """A cluster in which Kiali runs."""
    kube = Cluster()
    meta = {"name": "kiali-1", "namespace": namespace, "labels": {"app": "kiali"}}
    kube.objects["v1/Pod", namespace, "kiali-1"] = {"metadata": meta, "status": {"phase": "Running"}}
    return kube


def reason(kube: Cluster) -> str:
    """Why the feature is absent; empty when it is there."""
    return detect(cast(Kube, kube))["Kiali"].reason


def test_an_open_kiali_is_a_feature() -> None:
    """As Istio's samples install it."""
    kube = cluster()
    kube.pages[PAGE] = json.dumps({"strategy": "anonymous", "sessionInfo": {}})
    assert reason(kube) == ""


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ('{"strategy": "token"}', "Kiali in istio-system wants people to sign in (strategy token)"),
        ("<html>", "Kiali in istio-system does not say who may ask it: Expecting value: line 1 column 1 (char 0)"),
        ("[]", "Kiali in istio-system does not say who may ask it: 'list' object has no attribute 'get'"),
        (
            None,
            "Kiali in istio-system does not say who may ask it: istio-system/kiali-1:20001/kiali/api/auth/info: nothi",
        ),
    ],
)
def test_a_kiali_that_cannot_be_asked_is_none(page: str | None, text: str) -> None:
    """The mesh is not to be blamed for it: its rows are skipped with this reason."""
    kube = cluster()
    if page is not None:
        kube.pages[PAGE] = page
    assert reason(kube).startswith(text)


def test_a_kiali_elsewhere_is_none() -> None:
    """Rows ask it beside istiod."""
    assert reason(cluster("monitoring")) == "no running pod with label app=kiali in istio-system"
    assert reason(Cluster(mesh=MESH)) == "no running pod with label app=kiali in istio-system"
