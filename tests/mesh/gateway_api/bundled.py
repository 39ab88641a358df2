"""Bundles of the Gateway API that tests make, and a cluster that takes them."""

from typing import Any

import yaml

from pytest_ambient.errors import Invalid
from pytest_ambient.mesh import bundle as published
from pytest_ambient.mesh import gateway_api
from pytest_ambient.mesh.landed import CRD
from tests.mesh.landing import Cluster

KINDS = {
    "gatewayclasses": "GatewayClass",
    "gateways": "Gateway",
    "httproutes": "HTTPRoute",
    "referencegrants": "ReferenceGrant",
}
GROUP = published.GROUP
GATEWAY = f"{GROUP}/v1/Gateway"


def definition(plural: str, version: str = "v1.5.1", channel: str = "standard") -> dict[str, Any]:
    """A CRD as generated ones are, empty status included."""
    notes = {published.BUNDLE: version, published.CHANNEL: channel}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", "annotations": notes, "creationTimestamp": None},
        "spec": {
            "group": GROUP,
            "names": {"kind": KINDS[plural], "plural": plural},
            "versions": [{"name": "v1", "served": True}],
        },
        "status": {"conditions": None, "storedVersions": None},
    }


def bundle(version: str = "v1.5.1", channel: str = "standard") -> str:
    """A release's file: CRDs, and the policy that came with 1.5."""
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": gateway_api.POLICY},
    }
    return yaml.safe_dump_all(
        [policy, {**policy, "kind": "ValidatingAdmissionPolicyBinding"}]
        + [definition(plural, version, channel) for plural in KINDS]
    )


class Api(Cluster):
    """A cluster that serves CRDs as soon as they are applied, unless it is slow or its policy refuses them."""

    refuses: str = ""
    slow: bool = False

    def apply(
        self, obj: dict[str, Any], *, force: bool = False, field_manager: str = "", strict: bool = True
    ) -> dict[str, Any]:
        """Take a CRD, with whom it is from."""
        if self.refuses:
            raise Invalid(self.refuses)
        assert force
        assert "status" not in obj
        conditions = [] if self.slow else [{"type": "Established", "status": "True"}]
        made = {**obj, "status": {"conditions": conditions}, "manager": field_manager}
        return super().apply(made, force=force, field_manager=field_manager, strict=strict)


def there(api: Api, version: str = "v1.5.1", channel: str = "standard", without: str = "", **labels: str) -> None:
    """Have CRDs of somebody, or of a run."""
    for plural in KINDS:
        if plural != without:
            made = definition(plural, version, channel)
            made["metadata"]["labels"] = labels
            api.objects[CRD, "", made["metadata"]["name"]] = made
