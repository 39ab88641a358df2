"""A filter of HTTPRoutes is a feature where the cluster's own definition has it."""

from typing import cast

import pytest

from pytest_ambient._kube import Kube, Object
from pytest_ambient.mesh.features import detect
from tests.mesh.fake_mesh import Cluster

KEY = ("apiextensions.k8s.io/v1/CustomResourceDefinition", "", "httproutes.gateway.networking.k8s.io")


def definition(version: str, *filters: str) -> Object:
    """A definition of HTTPRoutes whose rules may have these filters."""
    item: Object = {"properties": {each: {} for each in filters}}
    rule: Object = {"properties": {"filters": {"items": item}}}
    spec: Object = {"properties": {"rules": {"items": rule}}}
    schema = {"openAPIV3Schema": {"properties": {"spec": spec}}}
    return {"metadata": {"name": KEY[2]}, "spec": {"versions": [{"name": version, "schema": schema}]}}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (definition("v1", "urlRewrite", "cors"), ""),
        (definition("v1", "urlRewrite"), "HTTPRoutes have no filter cors"),
        (definition("v1beta1", "cors"), "HTTPRoutes have no filter cors"),
        (None, "HTTPRoutes have no filter cors"),
    ],
)
def test_cors(found: Object | None, reason: str) -> None:
    """Only what version v1 of the definition says counts."""
    kube = Cluster()
    if found is not None:
        kube.objects[KEY] = found
    assert detect(cast(Kube, kube))["HTTPRouteCors"].reason == reason
