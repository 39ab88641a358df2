"""Small worlds of Kubernetes objects for the tests of istiod."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.istiod.conditions import Clock
from pytest_ambient.embedded.istiod.model import Mesh
from pytest_ambient.embedded.istiod.snapshot import snapshot
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

CLOCK = Clock("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000000001Z")
RECORDED = Path(__file__).parent / "recorded"


@cache
def _recorded(name: str) -> Any:
    return yaml.safe_load((RECORDED / f"{name}.yaml").read_text())


def recorded(name: str) -> list[Object]:
    """The entries of a recording, fresh copies."""
    return [copied(each) for each in _recorded(name)]


def bare(item: Object) -> Object:
    """The object as its user wrote it: without a status."""
    return {field: value for field, value in item.items() if field != "status"}


def facts(status: Object) -> list[tuple[str, str, str, str]]:
    """What conditions say, times left out, in their order."""
    return [(each["type"], each["status"], each["reason"], each["message"]) for each in status.get("conditions", ())]


USE_WAYPOINT = "istio.io/use-waypoint"


def meta(name: str, namespace: str = "bookinfo", labels: Mapping[str, str] | None = None) -> Object:
    """Metadata of an object of generation 1."""
    created = "2026-01-01T00:00:00Z"
    return {
        "name": name,
        "namespace": namespace,
        "labels": dict(labels or {}),
        "creationTimestamp": created,
        "uid": name,
        "generation": 1,
    }


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Object:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(name, "", labels)}


def service(
    name: str, namespace: str = "bookinfo", vip: str = "127.80.200.1", labels: Mapping[str, str] | None = None
) -> Object:
    """A Service on 9080."""
    ports = [{"name": "http", "port": 9080, "targetPort": 9080, "protocol": "TCP"}]
    spec = {"clusterIP": vip, "type": "ClusterIP", "selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(name, namespace, labels), "spec": spec}


def waypoint_objects(
    name: str = "waypoint", namespace: str = "bookinfo", labels: Mapping[str, str] | None = None
) -> tuple[Object, Object]:
    """A waypoint's Gateway and its Service."""
    listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    gateway: Object = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": meta(name, namespace, labels),
        "spec": {"gatewayClassName": "istio-waypoint", "listeners": [listener]},
    }
    own = service(name, namespace, "127.80.200.99")
    own["metadata"]["labels"] = {"gateway.istio.io/managed": "istio.io-mesh-controller"}
    own["spec"]["ports"] = [{"name": "mesh", "port": 15008, "protocol": "TCP"}]
    return gateway, own


def pod(
    name: str, app: str, address: str, namespace: str = "bookinfo", labels: Mapping[str, str] | None = None
) -> Object:
    """A running, captured and ready pod of a Deployment."""
    item: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, namespace, {"app": app, "pod-template-hash": "abc", **(labels or {})}),
        "spec": {"serviceAccountName": f"bookinfo-{app}", "nodeName": "node"},
        "status": {"phase": "Running", "podIP": address, "conditions": [{"type": "Ready", "status": "True"}]},
    }
    item["metadata"]["annotations"] = {"ambient.istio.io/redirection": "enabled"}
    item["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": f"{app}-v1-abc"}]
    return item


def endpoint_slice(service_name: str, *pods: str, namespace: str = "bookinfo", port: int = 9080) -> Object:
    """The EndpointSlice of a Service with ready pods."""
    item: Object = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta(f"{service_name}-x", namespace),
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": each}} for each in pods],
    }
    item["metadata"]["labels"] = {"kubernetes.io/service-name": service_name}
    return item


def policy(name: str, spec: Object, namespace: str = "bookinfo") -> Object:
    """An AuthorizationPolicy."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": meta(name, namespace),
        "spec": spec,
    }


def peer(name: str, spec: Object, namespace: str = "bookinfo", created: str = "2026-01-01T00:00:00Z") -> Object:
    """A PeerAuthentication."""
    metadata = meta(name, namespace) | {"creationTimestamp": created}
    return {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": metadata, "spec": spec}


def route(name: str, rules: list[Object], parent: Object | None = None, namespace: str = "bookinfo") -> Object:
    """An HTTPRoute of Service reviews."""
    parents = [parent or {"group": "", "kind": "Service", "name": "reviews"}]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": meta(name, namespace),
        "spec": {"parentRefs": parents, "rules": rules},
    }


def mesh_of(view: View) -> Mesh:
    """The snapshot, pods without sockets."""
    return snapshot(view, lambda uid: {})
