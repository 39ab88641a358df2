"""The Service by which the API itself is found from inside the cluster: `default/kubernetes`."""

from urllib.parse import urlsplit

from .api.store import Store, find
from .objects import Object

_NAME, _NAMESPACE = "kubernetes", "default"
API_SERVICE = f"{_NAMESPACE}/{_NAME}"
_LABELS = {"component": "apiserver", "provider": "kubernetes"}


def announce(store: Store, url: str) -> None:
    """Make the Service and its endpoints; `url` is where the API answers."""
    where = urlsplit(url)
    address, port = str(where.hostname), {"name": "https", "port": where.port, "protocol": "TCP"}
    spec = {"ports": [{**port, "port": 443, "targetPort": where.port}], "sessionAffinity": "None", "type": "ClusterIP"}
    store.create(find("Service"), {"metadata": _meta(_LABELS), "spec": spec})
    subset = {"addresses": [{"ip": address}], "ports": [port]}
    mirrored = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    store.create(find("Endpoints"), {"metadata": _meta(mirrored), "subsets": [subset]})
    labels = {"kubernetes.io/service-name": _NAME}
    endpoint = {"addresses": [address], "conditions": {"ready": True}}
    store.create(
        find("EndpointSlice", "discovery.k8s.io"),
        {"metadata": _meta(labels), "addressType": "IPv4", "endpoints": [endpoint], "ports": [port]},
    )


def _meta(labels: dict[str, str]) -> Object:
    return {"name": _NAME, "namespace": _NAMESPACE, "labels": dict(labels)}
