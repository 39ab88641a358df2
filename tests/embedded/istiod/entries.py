"""ServiceEntries for the tests of istiod."""

from collections.abc import Mapping, Sequence

from pytest_ambient.embedded.istiod.view import NETWORKING
from pytest_ambient.embedded.objects import Object

from .world import meta

HTTP: Object = {"name": "http", "number": 80, "protocol": "HTTP", "targetPort": 8000}


def entry(
    name: str = "entry",
    hosts: Sequence[str] = ("a.example",),
    *,
    space: str = "bookinfo",
    labels: Mapping[str, str] | None = None,
    created: str = "2026-01-01T00:00:00Z",
    got: Mapping[str, str] | None = None,
    **spec: object,
) -> Object:
    """A ServiceEntry of resolution STATIC with one HTTP port; `got` are addresses that its hosts have."""
    item: Object = {
        "apiVersion": f"{NETWORKING}/v1",
        "kind": "ServiceEntry",
        "metadata": meta(name, space, labels) | {"creationTimestamp": created},
        "spec": {"hosts": list(hosts), "resolution": "STATIC", "ports": [HTTP], **spec},
    }
    if got:
        item["status"] = {"addresses": [{"host": host, "value": value} for host, value in got.items()]}
    return item
