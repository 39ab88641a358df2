"""Manifests in the cluster: what is created is deleted, what is changed is given back, nothing else is touched."""

from pathlib import Path
from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import Invalid, ManifestError
from pytest_ambient.manifest import Document
from pytest_ambient.probe.applied import apply, before, placed
from pytest_ambient.testing import FakeKube
from tests.probe.bench import PLACES


class Recorder(FakeKube):
    """A FakeKube that writes down who wrote what."""

    def __init__(self) -> None:
        super().__init__()
        self.diary: list[tuple[str, str, dict[str, Any]]] = []

    def apply(
        self, obj: dict[str, Any], *, force: bool = False, field_manager: str = "", strict: bool = True
    ) -> dict[str, Any]:
        """Keep and note it."""
        self.diary.append(("apply", field_manager, obj))
        if obj["metadata"]["name"] == "refused":
            raise Invalid("spec is wrong")
        return super().apply(obj)

    def patch(
        self, kind: str, name: str, namespace: str | None, body: dict[str, Any], *rest: str, field_manager: str = ""
    ) -> dict[str, Any]:
        """Keep and note it."""
        self.diary.append(("patch", field_manager, body))
        return super().patch(kind, name, namespace, body)


def service(name: str = "reviews", namespace: str | None = "shop", **labels: str) -> dict[str, Any]:
    """A Service with these labels and nothing else."""
    meta: dict[str, Any] = {"name": name, "labels": labels} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta}


def document(item: dict[str, Any]) -> Document:
    """A document of a manifest."""
    return Document(item, Path("test_x.yaml"), 3)


@pytest.fixture
def kube() -> Recorder:
    """A cluster with one Service that belongs to somebody else."""
    made = Recorder()
    there = service(app="reviews", tier="theirs")
    owned = {"manager": "helm", "fieldsV1": {"f:metadata": {"f:labels": {"f:app": {}, "f:tier": {}}}}}
    there["metadata"]["managedFields"] = [owned]
    there["spec"] = {"ports": [{"port": 9080}]}
    made.objects["v1/Service", "shop", "reviews"] = there
    return made


def real(kube: FakeKube) -> Kube:
    """The double where a Kube is wanted."""
    return cast(Kube, kube)


def test_what_was_created_is_deleted(kube: Recorder) -> None:
    """And only that."""
    applied = apply(real(kube), [document(service("new"))])
    assert [str(document) for document in applied.documents] == ["Service shop/new"]
    applied.undo(within=1)
    assert list(kube.objects) == [("v1/Service", "shop", "reviews")]


def test_fields_that_only_we_set_fall_away(kube: Recorder) -> None:
    """The object is applied again without any field, under the same manager; nothing has to be put back."""
    apply(real(kube), [document(service(**{"istio.io/use-waypoint": "w"}))], manager="me").undo(within=1)
    assert [(verb, manager) for verb, manager, _ in kube.diary] == [("apply", "me"), ("apply", "me")]
    assert kube.diary[-1][2] == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "reviews", "namespace": "shop"},
    }


def test_a_field_of_somebody_else_is_put_back_for_him(kube: Recorder) -> None:
    """Before our fields fall away, so that a required one is never missing."""
    applied = apply(real(kube), [document(service(tier="ours", app="reviews"))])
    applied.undo(within=1)
    assert kube.diary[1] == ("patch", "helm", {"metadata": {"labels": {"tier": "theirs"}}})
    assert kube.diary[2][0] == "apply"


@pytest.mark.parametrize(("defaulted", "written"), [(1, False), (None, True)])
def test_what_nobody_had_set_is_written_only_where_it_does_not_come_by_itself(
    kube: Recorder, defaulted: int | None, written: bool
) -> None:
    """A default of the API server's is there again once our field has fallen away, without our name on it."""
    there = kube.objects["v1/Service", "shop", "reviews"]
    there["spec"]["replicas"] = 1
    applied = apply(real(kube), [document({**service(), "spec": {"replicas": 0}})], manager="me")
    there = kube.objects["v1/Service", "shop", "reviews"]
    there["spec"] = {**there["spec"], "replicas": defaulted}  # as the API server does
    kube.diary.clear()
    applied.undo(within=1)
    assert kube.diary[0][:2] == ("apply", "me")
    assert kube.diary[1:] == ([("patch", "pytest-ambient", {"spec": {"replicas": 1}})] if written else [])


def test_a_list_is_put_back_whole(kube: Recorder) -> None:
    """Which entries were ours can't be told from outside."""
    item = {**service(), "spec": {"ports": [{"port": 80}]}}
    change = before(real(kube), document(item))
    assert list(change.replaced.values()) == [{"spec": {"ports": [{"port": 9080}]}}]


def test_a_map_that_is_owned_whole_is_put_back_whole(kube: Recorder) -> None:
    """A Service's selector is one value: entries that ours dropped come back, those that it added go."""
    there = kube.objects["v1/Service", "shop", "reviews"]
    there["spec"]["selector"] = {"app": "a", "tier": "b"}
    there["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"] = {"f:selector": {}}
    change = before(real(kube), document({**service(), "spec": {"selector": {"app": "a", "ours": "c"}}}))
    assert change.replaced == {"helm": {"spec": {"selector": {"app": "a", "tier": "b", "ours": None}}}}


def test_a_refused_document_undoes_those_before_it(kube: Recorder) -> None:
    """The error is the manifest's, with file and line."""
    with pytest.raises(ManifestError, match=r"test_x.yaml:3: Service shop/refused: spec is wrong"):
        apply(real(kube), [document(service("new")), document(service("refused"))])
    assert ("v1/Service", "shop", "new") not in kube.objects


def test_undoing_twice_does_nothing(kube: Recorder) -> None:
    """The second time there is nothing left to undo."""
    applied = apply(real(kube), [document(service("new"))])
    applied.undo(within=1)
    kube.diary.clear()
    applied.undo(within=1)
    assert kube.diary == []


def test_a_document_without_namespace_belongs_to_the_main_one(kube: Recorder) -> None:
    """Like `kubectl apply -n`."""
    (found,) = placed(real(kube), [document(service("a", namespace=None))], PLACES, mesh_wide=False)
    assert found.namespace == "shop"


@pytest.mark.parametrize(
    "item",
    [
        service("a", namespace="istio-system"),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}},
        {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "a"}},
    ],
)
def test_only_mesh_wide_cases_write_elsewhere(kube: Recorder, item: dict[str, Any]) -> None:
    """Other namespaces and what belongs to no namespace need scope='mesh'."""
    with pytest.raises(ManifestError, match="may only write to shop, other, outside"):
        placed(real(kube), [document(item)], PLACES, mesh_wide=False)
    placed(real(kube), [document(item)], PLACES, mesh_wide=True)
