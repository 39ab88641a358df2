"""What EndpointSlices have in common, whoever keeps them."""

from ..api.names import random_suffix
from ..objects import Object, labels_of, name_of, namespace_of
from .owned import reference

OF = "kubernetes.io/service-name"
MANAGED = "endpointslice.kubernetes.io/managed-by"


def empty(owner: Object, manager: str) -> Object:
    """A slice of a Service, or of Endpoints that are called like it, without ports and endpoints."""
    name = name_of(owner)
    return {
        "metadata": {
            "name": f"{name[:57]}-{random_suffix()}",
            "generateName": f"{name}-",
            "namespace": namespace_of(owner),
            "labels": {**labels_of(owner), OF: name, MANAGED: manager},
            "ownerReferences": [reference(owner)],
        },
        "addressType": "IPv4",
    }
