"""CustomResourceDefinitions: the mesh's own, and kinds that users define."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_ambient.embedded.api.resources import CUSTOM
from pytest_ambient.embedded.objects import Object

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
    assert world.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=5s").count(
        "condition met"
    ) == len(CUSTOM)


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


@pytest.fixture
def gears(world: World) -> Iterator[Object]:
    """A user's definition of `gears` that can be scaled and selected, not created yet; what it defines goes again."""
    made: Object = json.loads(json.dumps(WIDGETS).replace("widget", "gear").replace("Widget", "Gear"))
    del made["spec"]["names"]["shortNames"]
    version = made["spec"]["versions"][0]
    version["subresources"]["scale"] = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    fields = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    fields |= {"replicas": {"type": "integer"}, "selector": {"type": "string"}, "heavy": {"type": "boolean"}}
    version["selectableFields"] = [{"jsonPath": ".spec.color"}, {"jsonPath": ".spec.heavy"}]
    yield made
    world.kubectl("delete", "crd", "gears.example.com")


def gear(name: str, **spec: Any) -> Object:
    """A red gear, unless told otherwise."""
    return {
        "apiVersion": "example.com/v1",
        "kind": "Gear",
        "metadata": {"name": name},
        "spec": {"color": "red", "replicas": 1} | spec,
    }


@pytest.mark.parametrize(
    ("where", "known"), [(None, {"replicas": 0}), (".spec.selector", {"replicas": 0, "selector": "a=b"})]
)
def test_a_users_kind_says_where_its_selector_is(world: World, gears: Object, where: str | None, known: Object) -> None:
    """The scale of a user's kind has the selector at its labelSelectorPath, none without one."""
    if where:
        gears["spec"]["versions"][0]["subresources"]["scale"]["labelSelectorPath"] = where
    world.kubectl("create", "-f", "-", stdin=json.dumps(gears))
    world.kubectl("create", "-f", "-", stdin=json.dumps(gear("g", selector="a=b")))
    assert world.kubectl("scale", "gear/g", "--replicas=3") == "gear.example.com/g scaled\n"
    assert world.get("Gear", "g", "example.com")["spec"]["replicas"] == 3
    scale = json.loads(world.kubectl("get", "--raw", "/apis/example.com/v1/namespaces/default/gears/g/scale"))
    assert scale["status"] == known


def test_a_users_kind_is_selected_by_its_fields(world: World, gears: Object) -> None:
    """Lists and watches take the selectableFields of a definition, and no others."""
    world.kubectl("create", "-f", "-", stdin=json.dumps(gears))
    for each in (gear("r", heavy=True), gear("b", color="blue")):
        world.kubectl("create", "-f", "-", stdin=json.dumps(each))
    assert world.kubectl("get", "gears", "--field-selector=spec.color=red", "-o", "name") == "gear.example.com/r\n"
    assert world.kubectl("get", "gears", "--field-selector=spec.heavy!=true", "-o", "name") == "gear.example.com/b\n"
    refused = world.kubectl("get", "gears", "--field-selector=spec.replicas=1", code=1)
    assert "field label not supported: spec.replicas" in refused


def test_kinds_of_the_mesh_that_nobody_acts_on_are_refused(world: World) -> None:
    """A definition can't make the cluster accept routes that it would ignore."""
    route = json.loads(json.dumps(WIDGETS).replace("example.com", "gateway.networking.k8s.io"))
    refused = world.kubectl("create", "-f", "-", stdin=json.dumps(route), code=1)
    assert "the embedded cluster does not implement Widget objects (gateway.networking.k8s.io)" in refused


def test_rules_that_are_not_evaluated_are_warned_about(world: World) -> None:
    """A definition with rules in CEL is taken, its writer told that nobody evaluates them."""
    ruled = json.loads(json.dumps(WIDGETS).replace("example.com", "example.org"))
    shape = ruled["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    shape["properties"]["spec"]["x-kubernetes-validations"] = [{"rule": "self.size < 9"}]
    said = world.complaint("create", "-f", "-", stdin=json.dumps(ruled))
    assert said == "Warning: the embedded cluster does not evaluate x-kubernetes-validations\n"


def test_the_meshs_definitions_can_be_replaced(world: World) -> None:
    """A definition that was deleted and created again is served again."""
    name = "referencegrants.gateway.networking.k8s.io"
    kept = json.loads(world.kubectl("get", "crd", name, "-o", "json"))
    world.kubectl("delete", "crd", name)
    assert world.kubectl("get", "referencegrants", code=1)
    kept["metadata"] = {"name": name}
    world.kubectl("create", "-f", "-", stdin=json.dumps(kept))
    assert "No resources found" in world.complaint("get", "referencegrants")


def test_malformed_definitions_are_refused(world: World) -> None:
    """A definition without schema, or named otherwise than its kind, is invalid."""
    bad = json.loads(json.dumps(WIDGETS))
    bad["metadata"]["name"] = "other.example.com"
    del bad["spec"]["versions"][0]["schema"]
    refused = world.kubectl("create", "-f", "-", stdin=json.dumps(bad), code=1)
    assert "must be spec.names.plural" in refused
    assert "schemas are required" in refused
