"""What a change leaves behind when it is undone: nothing, whoever owns the fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.manifest import Document
from pytest_ambient.probe.applied import SETUP_MANAGER, apply
from tests.probe.wire import shop

MADE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made", "namespace": "shop"}, "data": {}}


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """The client of an API server with a namespace."""
    with shop(tmp_path_factory.mktemp("wire")) as made:
        yield made.kube


def service_of(app: str) -> dict[str, Any]:
    """A Service of somebody else's."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": app, "namespace": "shop", "labels": {"app": app}},
        "spec": {"selector": {"app": "a"}, "ports": [{"name": "http", "port": 9080}]},
    }


def test_undoing_leaves_an_object_as_it_was(kube: Kube) -> None:
    """Label, changed value and created object: after the undoing all fields and their owners are the old ones."""
    service = service_of("reviews")
    kube.apply(service, field_manager="helm")
    old = kube.get("v1/Service", "reviews", "shop") or {}
    labelled = {**service, "metadata": {**service["metadata"], "labels": {"istio.io/use-waypoint": "w"}}}
    del labelled["spec"]
    changed = {**service, "spec": {"selector": {"ours": "b"}}}
    documents = [Document(item, Path("x.yaml"), 1) for item in (labelled, MADE)]
    setup = apply(kube, documents, manager=SETUP_MANAGER)
    state = apply(kube, [Document(changed, Path("y.yaml"), 1)])
    now = kube.get("v1/Service", "reviews", "shop") or {}
    assert now["metadata"]["labels"] == {"app": "reviews", "istio.io/use-waypoint": "w"}
    assert now["spec"]["selector"] == {"ours": "b"}
    state.undo(within=5)
    setup.undo(within=5)
    new = kube.get("v1/Service", "reviews", "shop") or {}
    assert new["spec"] == old["spec"]
    assert new["metadata"]["labels"] == old["metadata"]["labels"]
    assert {entry["manager"] for entry in new["metadata"]["managedFields"]} == {"helm"}, new["metadata"][
        "managedFields"
    ]
    assert kube.get("v1/ConfigMap", "made", "shop") is None


def test_what_a_state_changes_of_a_set_up_is_left_behind_by_neither(kube: Kube) -> None:
    """The set-up has its label back when the state is undone, and nobody has it once the set-up is undone too."""
    service = service_of("ratings")
    kube.apply(service, field_manager="helm")

    def labelled(value: str) -> Document:
        meta = {"name": "ratings", "namespace": "shop", "labels": {"istio.io/use-waypoint": value}}
        return Document({"apiVersion": "v1", "kind": "Service", "metadata": meta}, Path("x.yaml"), 1)

    def labels() -> object:
        return (kube.get("v1/Service", "ratings", "shop") or {})["metadata"]["labels"]

    setup = apply(kube, [labelled("ours")], manager=SETUP_MANAGER)
    state = apply(kube, [labelled("none")])
    assert labels() == {"app": "ratings", "istio.io/use-waypoint": "none"}
    state.undo(within=5)
    assert labels() == {"app": "ratings", "istio.io/use-waypoint": "ours"}
    setup.undo(within=5)
    assert labels() == {"app": "ratings"}
    now = kube.get("v1/Service", "ratings", "shop") or {}
    assert {entry["manager"] for entry in now["metadata"]["managedFields"]} == {"helm"}
