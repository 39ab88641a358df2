"""Server-side apply and field ownership, as pure functions."""

from typing import Any

import pytest

from pytest_ambient.embedded.api import fields, managed, schema
from pytest_ambient.embedded.api.apply import applied
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.managed import Claim, Manager
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

POD = schema.of(find("Pod"))
GATEWAY = schema.of(find("Gateway", "gateway.networking.k8s.io"))
ROUTE = schema.of(find("HTTPRoute", "gateway.networking.k8s.io"))
NOW = "2026-01-01T00:00:00Z"
ONE, TWO = Manager("one", "Apply", "v1"), Manager("two", "Apply", "v1")


def config(**spec: Any) -> Object:
    return {"metadata": {"name": "x"}, "spec": spec}


def put(shape: Object, live: Object, wanted: Object, owned: list[Claim], who: Manager, *, force: bool = False) -> Any:
    return applied(shape, live, wanted, owned, who, force=force, now=NOW)


def test_leaves_are_named_as_managed_fields_name_them() -> None:
    """Scalars, keyed items, sets and atomic values are leaves; identity is none."""
    obj = {
        "metadata": {"name": "x", "labels": {"a/b": "c"}, "finalizers": ["f"]},
        "spec": {
            "containers": [{"name": "m", "ports": [{"containerPort": 80}], "args": ["a"]}],
            "nodeSelector": {"a": "b"},
        },
    }
    found = fields.leaves(POD, obj, marks=False)
    assert fields.to_fields(found) == {
        "f:metadata": {"f:finalizers": {'v:"f"': {}}, "f:labels": {"f:a/b": {}}},
        "f:spec": {
            "f:containers": {
                'k:{"name":"m"}': {
                    ".": {},
                    "f:args": {},
                    "f:name": {},
                    "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                }
            },
            "f:nodeSelector": {},
        },
    }
    assert fields.from_fields(fields.to_fields(found)) == set(found)


def test_paths_read_as_in_messages() -> None:
    """A path is shown as Kubernetes shows it."""
    path = ("f:spec", "f:containers", 'k:{"name":"m"}', "f:ports", 'k:{"containerPort":80,"protocol":"TCP"}', "f:name")
    assert fields.text(path) == '.spec.containers[name="m"].ports[containerPort=80,protocol="TCP"].name'
    assert fields.text(("f:metadata", "f:finalizers", 'v:"x"')) == '.metadata.finalizers[="x"]'


def test_listeners_have_owners_each() -> None:
    """Two managers may each bring a listener; dropping one leaves the other's."""
    first, second = {"name": "a", "port": 80, "protocol": "HTTP"}, {"name": "b", "port": 81, "protocol": "HTTP"}
    live, owned = put(GATEWAY, {"metadata": {}}, config(listeners=[first]), [], ONE)
    live, owned = put(GATEWAY, live, config(listeners=[second]), owned, TWO)
    assert [each["name"] for each in live["spec"]["listeners"]] == ["a", "b"]
    live, owned = put(GATEWAY, live, config(gatewayClassName="c"), owned, ONE)
    assert live["spec"] == {"listeners": [second], "gatewayClassName": "c"}


def test_parents_are_one_value() -> None:
    """parentRefs is atomic: a second manager's other list conflicts as a whole."""
    live, owned = put(ROUTE, {"metadata": {}}, config(parentRefs=[{"name": "a"}]), [], ONE)
    with pytest.raises(ApiError) as refusal:
        put(ROUTE, live, config(parentRefs=[{"name": "b"}]), owned, TWO)
    assert refusal.value.message == 'Apply failed with 1 conflict: conflict with "one": .spec.parentRefs'
    assert refusal.value.details["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".spec.parentRefs"}
    ]


def test_equal_values_are_shared() -> None:
    """Applying what is there already makes a second owner, without a conflict."""
    live, owned = put(POD, {"metadata": {}}, config(nodeName="n"), [], ONE)
    live, owned = put(POD, live, config(nodeName="n"), owned, TWO)
    live, owned = put(POD, live, config(), owned, ONE)
    assert live["spec"]["nodeName"] == "n"
    live, owned = put(POD, live, {"metadata": {"name": "x"}}, owned, TWO)
    assert "spec" not in live


def test_force_takes_the_field_over() -> None:
    """A forced value belongs to its manager alone."""
    live, owned = put(POD, {"metadata": {}}, config(nodeName="n", hostname="h"), [], ONE)
    live, owned = put(POD, live, config(nodeName="m"), owned, TWO, force=True)
    by_name = {claim.manager.name: claim.paths for claim in owned}
    assert live["spec"] == {"nodeName": "m", "hostname": "h"}
    assert by_name == {"one": {("f:spec", "f:hostname")}, "two": {("f:spec", "f:nodeName")}}


def test_updates_take_fields_without_asking() -> None:
    """What an update changes belongs to the updater; what it removes belongs to nobody."""
    claim = Claim(ONE, frozenset({("f:a",), ("f:b",), ("f:c",)}))
    writer = Manager("kubectl-edit", "Update", "v1")
    owned = managed.updated([claim], writer, {("f:a",): 1, ("f:b",): 1, ("f:c",): 1}, {("f:a",): 2, ("f:b",): 1}, NOW)
    assert {each.manager.name: each.paths for each in owned} == {"one": {("f:b",)}, "kubectl-edit": {("f:a",)}}
    assert managed.updated([claim], writer, {("f:a",): 1}, {("f:a",): 1}, NOW) == [claim]


def test_conflict_with_an_update_names_its_version() -> None:
    """Managers are named as Kubernetes names them."""
    assert str(Manager("kubectl-edit", "Update", "apps/v1")) == '"kubectl-edit" using apps/v1'
    assert str(Manager("x", "Update", "v1", "status")) == '"x" with subresource "status" using v1'
    assert str(ONE) == '"one"'


def test_claims_survive_the_object() -> None:
    """What is recorded in an object is read back from it."""
    obj: Object = {"metadata": {}}
    claim = Claim(ONE, frozenset({("f:spec", "f:nodeName")}), NOW)
    managed.record(obj, [claim, Claim(TWO, frozenset(), NOW)])
    assert managed.claims(obj) == [claim]


def test_items_need_their_keys() -> None:
    """A keyed item without its key can't be applied."""
    with pytest.raises(fields.NoKey, match=r'\.spec\.listeners: element 0: .* omits key field "name"'):
        put(GATEWAY, {"metadata": {}}, config(listeners=[{"port": 80}]), [], ONE)
