"""CustomResourceDefinitions: the mesh's own, and kinds that users define."""

import json

from .world import World

WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "shortNames": ["wd"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["color"],
                                "properties": {
                                    "size": {"type": "integer", "default": 3, "minimum": 1},
                                    "color": {"type": "string", "enum": ["red", "blue"]},
                                },
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}
WIDGET = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"color": "red"}}


def test_the_meshs_definitions_are_objects(world: World) -> None:
    """The Gateway API's definitions say which bundle they are of; all are established."""
    found = json.loads(world.kubectl("get", "crd", "gateways.gateway.networking.k8s.io", "-o", "json"))
    assert found["metadata"]["annotations"] == {
        "gateway.networking.k8s.io/bundle-version": "v1.5.1",
        "gateway.networking.k8s.io/channel": "standard",
    }
    listener = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][
        "listeners"
    ]
    assert listener["x-kubernetes-list-map-keys"] == ["name"]
    assert (
        world.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=5s").count("condition met") == 7
    )


def test_users_kinds_are_served(world: World) -> None:
    """A new kind is found, defaulted, checked, printed with its columns and explained, until its definition goes."""
    world.kubectl("create", "-f", "-", stdin=json.dumps(WIDGETS))
    world.kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=5s")
    world.kubectl("apply", "-f", "-", stdin=json.dumps(WIDGET))
    assert world.kubectl("get", "wd").split() == ["NAME", "SIZE", "w", "3"]
    wrong = {**WIDGET, "metadata": {"name": "x"}, "spec": {"color": "green", "size": 0}}
    refused = world.kubectl("apply", "-f", "-", stdin=json.dumps(wrong), code=1)
    assert 'spec.color: Unsupported value: "green": supported values: "red", "blue"' in refused
    assert "spec.size in body should be greater than or equal to 1" in refused
    unknown = {**WIDGET, "spec": {"color": "red", "weight": 1}}
    assert 'unknown field "spec.weight"' in world.kubectl("apply", "-f", "-", stdin=json.dumps(unknown), code=1)
    assert "size\t<integer>" in world.kubectl("explain", "widget.spec")
    world.kubectl("patch", "wd", "w", "--subresource=status", "--type=merge", "-p", '{"status":{"any":"thing"}}')
    assert world.get("Widget", "w", "example.com")["status"] == {"any": "thing"}
    world.kubectl("delete", "crd", "widgets.example.com")
    assert "widgets" in world.kubectl("get", "widgets", code=1)


def test_malformed_definitions_are_refused(world: World) -> None:
    """A definition without schema, or named otherwise than its kind, is invalid."""
    bad = json.loads(json.dumps(WIDGETS))
    bad["metadata"]["name"] = "other.example.com"
    del bad["spec"]["versions"][0]["schema"]
    refused = world.kubectl("create", "-f", "-", stdin=json.dumps(bad), code=1)
    assert "must be spec.names.plural" in refused
    assert "schemas are required" in refused
