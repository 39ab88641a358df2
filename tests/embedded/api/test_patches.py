"""JSON, merge and strategic merge patches, by table."""

from typing import Any

import pytest

from pytest_ambient.embedded.api import patch_json, patch_strategic, schema
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

DEPLOYMENT = schema.of(find("Deployment", "apps"))
POD = schema.of(find("Pod"))
ENV = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]


def container(**fields: Any) -> Object:
    return {"spec": {"containers": [{"name": "main", **fields}]}}


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="adds"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}, id="null takes away"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="lists are replaced"),
        pytest.param({"a": "x"}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}, id="object for a value"),
    ],
)
def test_merge_patch(target: Object, patch: Object, result: Object) -> None:
    """Merge patches do as RFC 7386 says."""
    assert patch_json.merged(target, patch) == result


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/l/1", "value": 9}, {"l": [1, 9, 2], "m": {"a/b": 1}}),
        ({"op": "add", "path": "/l/-", "value": 9}, {"l": [1, 2, 9], "m": {"a/b": 1}}),
        ({"op": "remove", "path": "/l/0"}, {"l": [2], "m": {"a/b": 1}}),
        ({"op": "replace", "path": "/m/a~1b", "value": 2}, {"l": [1, 2], "m": {"a/b": 2}}),
        ({"op": "copy", "path": "/n", "from": "/l"}, {"l": [1, 2], "m": {"a/b": 1}, "n": [1, 2]}),
        ({"op": "move", "path": "/n", "from": "/l"}, {"m": {"a/b": 1}, "n": [1, 2]}),
        ({"op": "test", "path": "/l/1", "value": 2}, {"l": [1, 2], "m": {"a/b": 1}}),
    ],
    ids=lambda value: value.get("op", "") if isinstance(value, dict) else "",
)
def test_json_patch(operation: Object, result: Object) -> None:
    """JSON patches do as RFC 6902 says, and leave their target alone."""
    target = {"l": [1, 2], "m": {"a/b": 1}}
    assert patch_json.patched(target, [operation]) == result
    assert target == {"l": [1, 2], "m": {"a/b": 1}}


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "test", "path": "/a", "value": 2}],
        [{"op": "replace", "path": "/x", "value": 2}],
        [{"op": "remove", "path": "/x/y"}],
        [{"op": "add", "path": "/l/7", "value": 1}],
        [{"op": "bend", "path": "/a"}],
        [{"path": "/a"}],
        {"op": "add"},
    ],
)
def test_json_patch_that_fails(operations: Any) -> None:
    """A patch that can't be done is refused."""
    with pytest.raises(ApiError) as refusal:
        patch_json.patched({"a": 1, "l": [1]}, operations)
    assert refusal.value.status in (400, 422)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        pytest.param(
            container(env=ENV), container(env=[{"name": "B", "value": "x"}]),
            container(env=[ENV[0], {"name": "B", "value": "x"}, ENV[2]]), id="items merge by name",
        ),
        pytest.param(
            container(env=ENV), container(env=[{"name": "B", "$patch": "delete"}]),
            container(env=[ENV[0], ENV[2]]), id="$patch delete takes an item out",
        ),
        pytest.param(
            container(env=ENV), container(env=[{"name": "D"}, {"$patch": "replace"}]),
            container(env=[{"name": "D"}]), id="$patch replace replaces the list",
        ),
        pytest.param(
            container(env=ENV),
            container(**{"$setElementOrder/env": [{"name": each} for each in "CNA"], "env": [{"name": "N"}]}),
            container(env=[ENV[1], ENV[2], {"name": "N"}, ENV[0]]), id="$setElementOrder orders what it names",
        ),
        pytest.param(container(args=["a", "b"]), container(args=["c"]), container(args=["c"]), id="atomic list"),
        pytest.param(
            container(resources={"limits": {"cpu": "1"}}), container(resources={"$patch": "replace", "requests": {}}),
            container(resources={"requests": {}}), id="$patch replace of an object",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["a", "b"]}},
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}},
            {"metadata": {"finalizers": ["b", "c"]}}, id="$deleteFromPrimitiveList",
        ),
        pytest.param(
            {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}},
            {"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}]}},
            {"spec": {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}}, id="$retainKeys",
        ),
        pytest.param(
            {"metadata": {"labels": {"a": "1", "b": "2"}}}, {"metadata": {"labels": {"a": None}}},
            {"metadata": {"labels": {"b": "2"}}}, id="null takes a label away",
        ),
        pytest.param(
            container(ports=[{"containerPort": 80, "name": "x"}]), container(ports=[{"containerPort": 81}]),
            container(ports=[{"containerPort": 80, "name": "x"}, {"containerPort": 81}]), id="ports merge by number",
        ),
    ],
)  # fmt: skip
def test_strategic_patch(target: Object, patch: Object, result: Object) -> None:
    """Lists of built-in kinds merge by their keys and obey the directives."""
    assert patch_strategic.patched(POD, target, patch) == result


def test_strategic_patch_reaches_templates() -> None:
    """The keys are known however deep the pod lies."""
    target = {"spec": {"template": container(image="a")}}
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "second", "image": "b"}]}}}}
    merged = patch_strategic.patched(DEPLOYMENT, target, patch)
    assert [each["name"] for each in merged["spec"]["template"]["spec"]["containers"]] == ["main", "second"]


def test_item_without_its_key_is_refused() -> None:
    """An item of a keyed list must name its key."""
    with pytest.raises(ApiError, match="does not contain declared merge key: name"):
        patch_strategic.patched(POD, container(), {"spec": {"containers": [{"image": "x"}]}})
