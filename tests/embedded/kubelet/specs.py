"""Specs of the objects that scenarios create, in the bench's namespace."""

from typing import Any

from pytest_ambient.embedded.objects import Object

from .bench import SPACE


def container(image: str, *command: str, name: str = "main", **more: Any) -> Object:
    """A container's spec."""
    return {"name": name, "image": image, **({"command": list(command)} if command else {}), **more}


def pod(name: str, *containers: Object, namespace: str = SPACE, labels: Object | None = None, **spec: Any) -> Object:
    """A pod."""
    meta = {"name": name, "namespace": namespace, "labels": labels or {"app": name}}
    return {"metadata": meta, "spec": {"containers": list(containers), "terminationGracePeriodSeconds": 0, **spec}}


def deployment(
    name: str,
    *containers: Object,
    namespace: str = SPACE,
    replicas: int = 1,
    labels: Object | None = None,
    **spec: Any,
) -> Object:
    """A Deployment."""
    labels = labels or {"app": name}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}},
            **spec,
        },
    }


def service(name: str, *ports: Object, namespace: str = SPACE, **spec: Any) -> Object:
    """A Service that selects the label `app`."""
    meta = {"name": name, "namespace": namespace}
    return {"metadata": meta, "spec": {"selector": {"app": name}, "ports": list(ports), **spec}}


CURL = container("docker.io/curlimages/curl:8.16.0", "/bin/sleep", "infinity", name="curl")
ECHO = container("docker.io/mccutchen/go-httpbin:v2.15.0", name="httpbin")
