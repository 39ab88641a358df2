"""Tracing counts as a feature only where the mesh names a way to Jaeger, and Jaeger can be asked."""

import json
from typing import cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.mesh.features import detect
from tests.mesh.fake_mesh import MESH, Cluster

OTEL = "{name: jaeger, opentelemetry: {service: jaeger-collector.istio-system.svc.cluster.local, port: 4317}}"
ZIPKIN = "{name: jaeger, zipkin: {service: istio-system/jaeger-collector.istio-system.svc.cluster.local, port: 9411}}"
PAGE = ("istio-system/jaeger-1", "/jaeger/api/services")
NOWHERE = "the mesh configuration has no extensionProvider jaeger of kind opentelemetry or zipkin"


def cluster(provider: str = OTEL) -> Cluster:
    """A mesh that names Jaeger and in which it runs."""
    kube = Cluster(mesh=f"{MESH}extensionProviders: [{provider}]\n")
    meta = {"name": "jaeger-1", "namespace": "istio-system", "labels": {"app": "jaeger"}}
    kube.objects["v1/Pod", "istio-system", "jaeger-1"] = {"metadata": meta, "status": {"phase": "Running"}}
    service = {"metadata": {"name": "jaeger-collector", "namespace": "istio-system"}}
    kube.objects["v1/Service", "istio-system", "jaeger-collector"] = service
    kube.pages[PAGE] = json.dumps({"data": None, "errors": None})
    return kube


def reason(kube: Cluster) -> str:
    """Why the feature is absent; empty when it is there."""
    return detect(cast(Kube, kube))["Tracing"].reason


@pytest.mark.parametrize("provider", [OTEL, ZIPKIN])
def test_a_jaeger_that_the_mesh_names_is_a_feature(provider: str) -> None:
    """By either protocol."""
    assert reason(cluster(provider)) == ""


@pytest.mark.parametrize(
    ("provider", "text"),
    [
        ("{name: otel, opentelemetry: {}}", NOWHERE),
        ("{name: jaeger, skywalking: {service: a.b}}", NOWHERE),
        (
            "{name: jaeger, zipkin: {service: zipkin.elsewhere.svc.cluster.local}}",
            "extensionProvider jaeger leads to no Service: 'zipkin.elsewhere.svc.cluster.local'",
        ),
        ("{name: jaeger, zipkin: {port: 1}}", "extensionProvider jaeger leads to no Service: 'none'"),
    ],
)
def test_a_mesh_that_names_none_has_none(provider: str, text: str) -> None:
    """The reason says what to add."""
    assert reason(cluster(provider)) == text


def test_a_jaeger_that_cannot_be_asked_is_none() -> None:
    """Not there, or not answering where Istio's sample does."""
    silent = cluster()
    del silent.pages[PAGE]
    assert reason(silent).startswith("Jaeger in istio-system does not answer: istio-system/jaeger-1:16686/jaeger/api/")
    other = cluster()
    other.pages[PAGE] = "<html>"
    assert reason(other) == "Jaeger in istio-system does not answer: Expecting value: line 1 column 1 (char 0)"
    del other.objects["v1/Pod", "istio-system", "jaeger-1"]
    assert reason(other) == "no running pod with label app=jaeger in istio-system"
