"""The store numbers changes, tells them in order, and ends objects as Kubernetes does."""

from typing import Any

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Change, Store, find
from pytest_ambient.embedded.objects import Object, name_of

PODS, DEPLOYMENTS, NAMESPACES = find("Pod"), find("Deployment", "apps"), find("Namespace")
CONFIGS = find("ConfigMap")


def config(name: str = "c", **more: Any) -> Object:
    return {"metadata": {"name": name, "namespace": "default"} | more, "data": {"a": "b"}}


def owned_by(owner: Object, *, blocks: bool = False) -> list[Object]:
    meta = owner["metadata"]
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    return [reference | {"blockOwnerDeletion": blocks}]


@pytest.fixture
def store() -> Store:
    return Store()


def test_creation_completes_identity(store: Store) -> None:
    """A created object has a uid, a creation time, a version and its kind; what was handed in stays as it was."""
    given = config()
    made = store.create(CONFIGS, given)
    assert set(made["metadata"]) == {"name", "namespace", "uid", "creationTimestamp", "resourceVersion"}
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")
    assert given == config()


def test_name_is_taken_once(store: Store) -> None:
    """A second object of the same name is refused with 409."""
    store.create(CONFIGS, config())
    with pytest.raises(ApiError, match='configmaps "c" already exists') as refusal:
        store.create(CONFIGS, config())
    assert refusal.value.status == 409


def test_generated_names_differ(store: Store) -> None:
    """generateName becomes a fresh name each time."""
    obj = {"metadata": {"generateName": "c-", "namespace": "default"}}
    assert name_of(store.create(CONFIGS, obj)) != name_of(store.create(CONFIGS, obj))


@pytest.mark.parametrize("name", ["Upper", "a_b", "-a", "a" * 254, ""])
def test_illegal_names_are_refused(store: Store, name: str) -> None:
    """Names that DNS can't carry are invalid."""
    with pytest.raises(ApiError) as refusal:
        store.create(CONFIGS, config(name))
    assert refusal.value.status == 422


def test_equal_replacement_changes_nothing(store: Store) -> None:
    """Replacing an object by an equal one neither counts up its version nor tells anybody."""
    made = store.create(CONFIGS, config())
    seen: list[Change] = []
    store.subscribe(seen.append)
    assert store.replace(CONFIGS, config()) is made
    assert seen == []


def test_stale_replacement_is_a_conflict(store: Store) -> None:
    """A copy of an older version may not replace a newer one."""
    made = store.create(CONFIGS, config())
    store.replace(CONFIGS, config() | {"data": {"a": "c"}})
    with pytest.raises(ApiError, match="the object has been modified"):
        store.replace(CONFIGS, {**made, "data": {"a": "d"}})


def test_generation_counts_changes_of_the_spec_alone(store: Store) -> None:
    """Labels and status leave generation alone; a change of the spec counts it up."""
    made = store.create(DEPLOYMENTS, {"metadata": {"name": "d", "namespace": "default"}, "spec": {"replicas": 1}})
    labelled = store.replace(DEPLOYMENTS, {**made, "metadata": {**made["metadata"], "labels": {"a": "b"}}})
    store.set_status(DEPLOYMENTS, "d", "default", {"replicas": 1})
    scaled = store.replace(
        DEPLOYMENTS, {**labelled, "metadata": {"name": "d", "namespace": "default"}, "spec": {"replicas": 2}}
    )
    assert (labelled["metadata"]["generation"], scaled["metadata"]["generation"]) == (1, 2)
    assert scaled["status"] == {"replicas": 1}


def test_a_pods_node_is_no_change_of_its_spec(store: Store) -> None:
    """A pod that was bound is of the generation that its writer made; another image is the next."""
    pods = find("Pod")
    made = store.create(
        pods, {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [{"name": "c"}]}}
    )
    bound = store.replace(pods, {**made, "spec": {**made["spec"], "nodeName": "n"}})
    changed = store.replace(pods, {**bound, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "x"}]}})
    assert [each["metadata"]["generation"] for each in (made, bound, changed)] == [1, 1, 2]


def test_changes_made_by_listeners_are_told_after_their_cause(store: Store) -> None:
    """Every listener sees a change before the changes that another listener made because of it."""
    order: list[str] = []

    def react(change: Change) -> None:
        if name_of(change.object) == "cause":
            store.create(CONFIGS, config("effect"))

    store.subscribe(react)
    store.subscribe(lambda change: order.append(name_of(change.object)))
    store.create(CONFIGS, config("cause"))
    assert order == ["cause", "effect"]


def test_history_ends_somewhere(store: Store) -> None:
    """Changes since a version come in order; a version that is too old is not remembered."""
    start = store.version
    for number in range(3):
        store.create(CONFIGS, config(f"c{number}"))
    missed = store.since(start)
    assert missed is not None
    assert [name_of(change.object) for change in missed] == ["c0", "c1", "c2"]
    for number in range(1001):
        store.replace(CONFIGS, config("c0") | {"data": {"n": str(number)}})
    assert store.since(start) is None


def test_pod_on_a_node_is_marked_first(store: Store) -> None:
    """A pod that runs somewhere gets its grace period; with grace 0 it goes at once."""
    store.create(PODS, {"metadata": {"name": "p", "namespace": "default"}, "spec": {"nodeName": "n", "containers": []}})
    store.delete(PODS, "p", "default")
    marked = store.get(PODS, "p", "default")
    assert marked is not None
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    store.delete(PODS, "p", "default", grace=0)
    assert store.get(PODS, "p", "default") is None


def test_finalizers_hold_an_object(store: Store) -> None:
    """An object with finalizers goes when the last one is taken out."""
    store.create(CONFIGS, config(finalizers=["x/y"]))
    store.delete(CONFIGS, "c", "default")
    held = store.get(CONFIGS, "c", "default")
    assert held is not None
    assert "deletionTimestamp" in held["metadata"]
    store.replace(CONFIGS, {**held, "metadata": {**held["metadata"], "finalizers": []}})
    assert store.get(CONFIGS, "c", "default") is None


def test_what_it_owned_follows_an_owner(store: Store) -> None:
    """Objects whose only owner goes are deleted after it."""
    owner = store.create(CONFIGS, config("owner"))
    store.create(CONFIGS, config("owned", ownerReferences=owned_by(owner)))
    store.delete(CONFIGS, "owner", "default")
    assert store.list(CONFIGS) == []


def test_orphans_stay(store: Store) -> None:
    """With propagation Orphan owned objects stay, without the reference."""
    owner = store.create(CONFIGS, config("owner"))
    store.create(CONFIGS, config("owned", ownerReferences=owned_by(owner)))
    store.delete(CONFIGS, "owner", "default", propagation="Orphan")
    (left,) = store.list(CONFIGS)
    assert "ownerReferences" not in left["metadata"]


def test_foreground_deletion_waits_for_what_it_owns(store: Store) -> None:
    """The owner goes after the last owned object that blocks it."""
    owner = store.create(CONFIGS, config("owner"))
    store.create(CONFIGS, config("owned", ownerReferences=owned_by(owner, blocks=True), finalizers=["x/y"]))
    store.delete(CONFIGS, "owner", "default", propagation="Foreground")
    assert [name_of(each) for each in store.list(CONFIGS)] == ["owned", "owner"]
    held = store.list(CONFIGS)[0]
    store.replace(CONFIGS, {**held, "metadata": {**held["metadata"], "finalizers": []}})
    assert store.list(CONFIGS) == []


def test_namespace_waits_for_its_finalizer(store: Store) -> None:
    """A deleted Namespace is Terminating until somebody has emptied it."""
    store.create(NAMESPACES, {"metadata": {"name": "a"}})
    store.delete(NAMESPACES, "a")
    held = store.get(NAMESPACES, "a")
    assert held is not None
    assert held["status"]["phase"] == "Terminating"
    store.replace(NAMESPACES, {**held, "spec": {"finalizers": []}})
    assert store.get(NAMESPACES, "a") is None


def test_hooks_change_or_refuse(store: Store) -> None:
    """A hook sees new and old, may change the new object and may refuse it."""

    def hook(new: Object, old: Object | None) -> None:
        new["data"]["seen"] = "again" if old else "first"
        if new["data"].get("a") == "bad":
            raise ApiError(403, "Forbidden", "no")

    store.admit(CONFIGS, hook)
    assert store.create(CONFIGS, config())["data"]["seen"] == "first"
    assert store.replace(CONFIGS, config() | {"data": {"a": "c"}})["data"] == {"a": "c", "seen": "again"}
    with pytest.raises(ApiError, match="no"):
        store.create(CONFIGS, config("x") | {"data": {"a": "bad"}})


def test_dry_run_leaves_no_trace(store: Store) -> None:
    """A dry run returns what would be and changes nothing."""
    assert store.create(CONFIGS, config(), dry_run=True)["metadata"]["uid"]
    assert store.list(CONFIGS) == []
