"""Where waypoints send spans: what the mesh's configuration and its Telemetries come to."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_ambient.embedded.istiod.model import Tracer
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .world import USE_WAYPOINT, mesh_of, meta, namespace, service, waypoint_objects

SERVICE = {"group": "", "kind": "Service", "name": "reviews"}
GATEWAY = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}
PROVIDERS = """
extensionProviders:
- name: zipkin
  zipkin: {service: zipkin.istio-system.svc.cluster.local, port: 9411}
- name: nobody
  zipkin: {service: nobody.istio-system.svc.cluster.local, port: 9411}
- name: otel
  opentelemetry: {service: zipkin.istio-system.svc.cluster.local, port: 4317}
"""
TAGS = (
    ("istio.canonical_revision", "latest"),
    ("istio.canonical_service", "waypoint"),
    ("istio.cluster_id", "Kubernetes"),
    ("istio.mesh_id", "cluster.local"),
    ("istio.namespace", "bookinfo"),
)
ZIPKIN = Tracer("istio-system/zipkin", 9411, tags=TAGS)
ON: Object = {"providers": [{"name": "zipkin"}]}
ALL = dict.fromkeys(("Gateway/bookinfo/waypoint", "Service/bookinfo/reviews", "Service/bookinfo/ratings"), ZIPKIN)
ONE = {"Service/bookinfo/reviews": ZIPKIN}
DEFAULT = "defaultProviders: {tracing: [zipkin]}"


def _telemetry(entry: Object, *refs: Object, where: str = "bookinfo", name: str = "t") -> Object:
    spec: Object = {"tracing": [entry], **({"targetRefs": list(refs)} if refs else {})}
    return {"kind": "Telemetry", "metadata": meta(name, where), "spec": spec}


def _view(telemetries: Sequence[Object], more: str = "") -> View:
    gateway, own = waypoint_objects()
    bound = [service(name, labels={USE_WAYPOINT: "waypoint"}) for name in ("reviews", "ratings")]
    config = {"metadata": meta("istio", "istio-system"), "data": {"mesh": PROVIDERS + more}}
    return View(
        namespaces=[namespace("bookinfo")], services=[own, *bound, service("zipkin", "istio-system")],
        gateways=[gateway], telemetries=telemetries, configs=[config],
        classes=[{"metadata": meta("istio-waypoint", ""), "spec": {"controllerName": "istio.io/mesh-controller"}}],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("telemetries", "more", "found"),
    [
        ([], "", {}),
        ([], DEFAULT, ALL),
        ([], "enableTracing: true", {}),
        ([_telemetry(ON, GATEWAY)], "", ALL),
        ([_telemetry(ON, SERVICE)], "", ONE),
        ([_telemetry(ON, where="istio-system")], "", ALL),
        ([_telemetry(ON), _telemetry({"disableSpanReporting": True}, GATEWAY, name="u")], "", {}),
        ([_telemetry({"disableSpanReporting": True}), _telemetry({"disableSpanReporting": False}, SERVICE, name="u")],
         DEFAULT, ONE),
        ([_telemetry(ON | {"match": {"mode": "CLIENT"}})], "", {}),
        ([_telemetry(ON | {"match": {"mode": "SERVER"}})], "", ALL),
        ([_telemetry({"randomSamplingPercentage": 100}, SERVICE)], "", {}),
        ([_telemetry({"providers": [{"name": "nobody"}]})], "", {}),
        ([_telemetry({"providers": [{"name": "otel"}]})], DEFAULT, {}),
        ([_telemetry({"providers": [{"name": "unknown"}]})], "", {}),
        ([_telemetry(ON, GATEWAY, where="other")], "", {}),
    ],
    ids=["nothing", "by-default", "old-switch", "gateway", "service", "root", "gateway-off", "service-on-again",
         "clients-side", "servers-side", "no-provider", "no-service", "other-kind", "unknown", "elsewhere"],
)  # fmt: skip
def test_whose_requests_are_traced(telemetries: Sequence[Object], more: str, found: dict[str, Tracer]) -> None:
    """The narrowest Telemetry decides, field by field."""
    assert mesh_of(_view(telemetries, more)).tracers == found


@pytest.mark.parametrize(
    ("entry", "more", "wanted"),
    [
        ({"randomSamplingPercentage": 42.5}, "", replace(ZIPKIN, sampling=42.5)),
        ({"randomSamplingPercentage": 0}, "", replace(ZIPKIN, sampling=0)),
        ({}, "defaultConfig: {tracing: {sampling: 7}}", replace(ZIPKIN, sampling=7)),
        ({"enableIstioTags": False}, "", replace(ZIPKIN, tags=())),
        ({"disableContextPropagation": True}, "", replace(ZIPKIN, hands_on=False)),
    ],
)
def test_how_they_are_traced(entry: Object, more: str, wanted: Tracer) -> None:
    """What a Telemetry and the mesh's configuration say of it."""
    assert mesh_of(_view([_telemetry(ON | entry, SERVICE)], more)).tracers == {"Service/bookinfo/reviews": wanted}
