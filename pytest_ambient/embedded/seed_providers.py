"""What the mesh's extension providers lead to: Istio's sample authorizer, and Jaeger as Istio's sample has it."""

from collections.abc import Iterator

from .apps.authorizer import PORT
from .apps.jaeger import COLLECTOR, HEALTH, QUERY
from .istiod.model import ROOT_NAMESPACE
from .objects import Object

PROVIDERS = """extensionProviders:
- name: pytest-ambient-ext-authz
  envoyExtAuthzHttp:
    service: ext-authz.istio-system.svc.cluster.local
    port: 8000
    includeRequestHeadersInCheck:
    - x-ext-authz
    headersToUpstreamOnAllow:
    - x-ext-authz-check-result
    headersToDownstreamOnDeny:
    - x-ext-authz-check-result
- name: jaeger
  zipkin:
    service: zipkin.istio-system.svc.cluster.local
    port: 9411"""
"""Their part of the mesh's configuration."""


def providers() -> Iterator[tuple[str, Object]]:
    """Each object with its kind."""
    yield "Service", _service("ext-authz", "ext-authz", {"http": (PORT, PORT)})
    yield "Deployment", _deployment("ext-authz", "registry.istio.io/testing/ext-authz:latest", PORT)
    yield "Service", _service("tracing", "jaeger", {"http-query": (80, QUERY)})
    yield "Service", _service("zipkin", "jaeger", {"http-query": (COLLECTOR, COLLECTOR)})
    health = {"readinessProbe": {"httpGet": {"path": "/status", "port": HEALTH}}}
    yield "Deployment", _deployment("jaeger", "docker.io/jaegertracing/jaeger:2.14.0", QUERY, COLLECTOR, **health)


def _named(name: str, app: str) -> Object:
    return {"metadata": {"name": name, "namespace": ROOT_NAMESPACE, "labels": {"app": app}}}


def _service(name: str, app: str, ports: dict[str, tuple[int, int]]) -> Object:
    listed = [{"name": port, "port": number, "targetPort": target} for port, (number, target) in ports.items()]
    return _named(name, app) | {"spec": {"selector": {"app": app}, "ports": listed}}


def _deployment(name: str, image: str, *ports: int, **more: object) -> Object:
    container = {"name": name, "image": image, "ports": [{"containerPort": port} for port in ports], **more}
    labels = {"app": name, "istio.io/dataplane-mode": "none"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return _named(name, name) | {"spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}
