"""Bookinfo: what is installed where, under which rules, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_ambient import stuck, unstarted
from pytest_ambient._kube import Kube
from pytest_ambient.errors import BrokenEnvironment, Inconclusive, NotInTime
from pytest_ambient.manifest import Document, read
from pytest_ambient.mesh import bookinfo
from pytest_ambient.places import Places
from pytest_ambient.testing import FakeKube

PLACES = Places("shop", "shop-other", "shop-outside")
KINDS = ("v1/Namespace", "v1/ServiceAccount", "v1/Service", "apps/v1/Deployment")


class Cluster(FakeKube):
    """A FakeKube whose Deployments are available at once, unless `late` says why not."""

    late: str | None = None

    def apply(
        self, obj: dict[str, Any], *, force: bool = False, field_manager: str = "", strict: bool = True
    ) -> dict[str, Any]:
        """Keep it and pretend that it runs."""
        if obj["kind"] == "Deployment" and self.late is None:
            obj = {**obj, "status": {"observedGeneration": 1, "availableReplicas": 1}}
        return super().apply(obj, force=force, field_manager=field_manager)


def real(kube: FakeKube) -> Kube:
    """The double where a Kube is wanted."""
    return cast(Kube, kube)


def documents() -> list[Document]:
    """Everything that is installed."""
    return [item for path in sorted(bookinfo.FOLDER.glob("*.yaml")) for item in read(path, PLACES)]


@pytest.fixture
def kube() -> Cluster:
    """An empty cluster."""
    return Cluster()


def test_everything_lives_in_the_runs_own_namespaces(kube: Cluster) -> None:
    """Three namespaces with the run's label, two of them enrolled, and all else within them."""
    bookinfo.install(real(kube), PLACES, "r1", within=1)
    namespaces = {item["metadata"]["name"]: item["metadata"]["labels"] for item in kube.list("v1/Namespace")}
    assert set(namespaces) == set(PLACES.ours)
    assert {labels["pytest-ambient/run"] for labels in namespaces.values()} == {"r1"}
    enrolled = {name for name, labels in namespaces.items() if labels.get("istio.io/dataplane-mode") == "ambient"}
    assert enrolled == {"shop", "shop-other"}
    assert {namespace for kind, namespace, _ in kube.objects if kind != "v1/Namespace"} == set(PLACES.ours)


def test_workloads_have_the_names_and_identities_of_bookinfo(kube: Cluster) -> None:
    """Six versions with their accounts in the main namespace, an echo beside them, and one client in each."""
    bookinfo.install(real(kube), PLACES, "r1", within=1)
    accounts = {
        (item["metadata"]["namespace"], item["metadata"]["name"]): item["spec"]["template"]["spec"][
            "serviceAccountName"
        ]
        for item in kube.list("apps/v1/Deployment")
    }
    versions = {"details-v1", "ratings-v1", "productpage-v1", "reviews-v1", "reviews-v2", "reviews-v3"}
    assert {name for namespace, name in accounts if namespace == "shop"} == {*versions, "curl", "httpbin"}
    assert accounts["shop", "reviews-v3"] == "bookinfo-reviews"
    assert accounts["shop-outside", "curl"] == "curl"


def test_every_pod_runs_under_restricted_pod_security() -> None:
    """Numeric users, no escalation, no capabilities, the runtime's seccomp profile."""
    for document in documents():
        if document.object["kind"] == "Deployment":
            for container in document.object["spec"]["template"]["spec"]["containers"]:
                security = container["securityContext"]
                assert isinstance(security["runAsUser"], int)
                assert security["runAsNonRoot"]
                assert security["allowPrivilegeEscalation"] is False
                assert security["capabilities"] == {"drop": ["ALL"]}
                assert security["seccompProfile"] == {"type": "RuntimeDefault"}


def test_every_selector_finds_a_pod_and_every_account_exists() -> None:
    """Services by labels of pod templates, Deployments by their own."""
    items = [document.object for document in documents()]
    pods = [item["spec"]["template"] for item in items if item["kind"] == "Deployment"]
    labels = [pod["metadata"]["labels"].items() for pod in pods]
    for item in items:
        selector = item.get("spec", {}).get("selector", {})
        wanted = selector.get("matchLabels", selector).items()
        assert any(wanted <= found for found in labels)
    accounts = {item["metadata"]["name"] for item in items if item["kind"] == "ServiceAccount"}
    assert {pod["spec"]["serviceAccountName"] for pod in pods} == accounts


def test_images_come_from_the_mirror(kube: Cluster) -> None:
    """Every one of them."""
    bookinfo.install(real(kube), PLACES, "r1", hub="mirror.example/x", within=1)
    pods = [item["spec"]["template"]["spec"] for item in kube.list("apps/v1/Deployment")]
    assert all(container["image"].startswith("mirror.example/x/") for pod in pods for container in pod["containers"])


@pytest.mark.parametrize(
    ("labels", "text"),
    [({}, "was not made by pytest-ambient"), ({"pytest-ambient/run": "r0"}, "belongs to run r0")],
)
def test_a_foreign_namespace_is_refused(kube: Cluster, labels: dict[str, str], text: str) -> None:
    """Nothing is written, not even into the namespaces that are free."""
    kube.objects["v1/Namespace", "", "shop"] = {"metadata": {"name": "shop", "labels": labels}}
    with pytest.raises(BrokenEnvironment, match=f"namespace shop exists and {text}"):
        bookinfo.install(real(kube), PLACES, "r1", within=1)
    assert list(kube.objects) == [("v1/Namespace", "", "shop")]


def test_namespaces_are_kept_from_a_mesh_that_injects_unasked(kube: Cluster) -> None:
    """Its pods would get sidecars, and ambient mode would leave them alone."""
    bookinfo.install(real(kube), replace(PLACES, injects=True), "r1", within=1)
    assert {item["metadata"]["labels"]["istio-injection"] for item in kube.list("v1/Namespace")} == {"disabled"}
    bookinfo.install(real(other := Cluster()), PLACES, "r1", within=1)
    assert not any("istio-injection" in item["metadata"]["labels"] for item in other.list("v1/Namespace"))


@pytest.mark.parametrize(("asked", "refused"), [("", True), ("true", False)])
def test_a_sidecar_that_nobody_asked_for_is_a_broken_environment(kube: Cluster, asked: str, refused: bool) -> None:
    """Somebody labels namespaces: rows would be red for no fault of the mesh."""
    meta = {"name": "a", "namespace": "shop-other", "annotations": {"sidecar.istio.io/status": "{}"}}
    meta["labels"] = {"sidecar.istio.io/inject": asked} if asked else {}
    kube.objects["v1/Pod", "shop-other", "a"] = {"metadata": meta, "spec": {"containers": []}}
    if not refused:
        bookinfo.install(real(kube), PLACES, "r1", within=1)
        return
    with pytest.raises(BrokenEnvironment) as caught:
        bookinfo.install(real(kube), PLACES, "r1", within=1)
    assert str(caught.value) == (
        "pod shop-other/a was given a sidecar, which keeps it out of ambient mode: let whatever labels new namespaces "
        "for injection leave those with the label pytest-ambient/run alone"
    )


def test_installing_twice_is_no_mistake(kube: Cluster) -> None:
    """The namespaces are this run's own by then."""
    bookinfo.install(real(kube), PLACES, "r1", within=1)
    before = dict(kube.objects)
    bookinfo.install(real(kube), PLACES, "r1", within=1)
    assert kube.objects == before


def test_a_late_workload_is_named_with_the_reason_of_its_pod(kube: Cluster) -> None:
    """An image that can't be pulled is said so."""
    kube.late = "yes"
    waiting = {"reason": "ImagePullBackOff", "message": "unknown image"}
    pod = {"metadata": {"name": "details-v1-x", "namespace": "shop"}}
    status = {"containerStatuses": [{"state": {"waiting": waiting}}]}
    kube.objects["v1/Pod", "shop", "details-v1-x"] = {**pod, "status": status}
    with pytest.raises(
        NotInTime, match=r"shop/details-v1 \(ImagePullBackOff: unknown image\), .*reviews-v1 \(not Ready\)"
    ):
        bookinfo.install(real(kube), PLACES, "r1", within=0.01)


def test_an_image_that_never_comes_is_given_up_long_before_the_deadline(
    kube: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One clear line, naming the pod, the image and what was said."""
    monkeypatch.setattr(stuck, "PULLED_WITHIN", 0.1)
    kube.late = "yes"
    waiting = {"reason": "ErrImagePull", "message": "x: not found"}
    container = {"name": "details", "image": "x", "state": {"waiting": waiting}}
    meta = {"name": "details-v1-x", "namespace": "shop"}
    kube.objects["v1/Pod", "shop", "details-v1-x"] = {"metadata": meta, "status": {"containerStatuses": [container]}}
    with pytest.raises(
        BrokenEnvironment,
        match=r"^pod shop/details-v1-x does not get image x for 0 s: ErrImagePull: x: not found: take",
    ):
        bookinfo.install(real(kube), PLACES, "r1", within=60)


def sandboxless(kube: Cluster) -> None:
    """Let a pod of details have a node that fails to start it."""
    kube.late = "yes"
    container = {"name": "details", "state": {"waiting": {"reason": "ContainerCreating"}}}
    meta = {"name": "details-v1-x", "namespace": "shop"}
    status = {"containerStatuses": [container]}
    kube.objects["v1/Pod", "shop", "details-v1-x"] = {"metadata": meta, "spec": {"nodeName": "n"}, "status": status}
    kube.objects["v1/Event", "shop", "e"] = {
        "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"name": "details-v1-x"},
        "reason": "FailedCreatePodSandBox",
        "message": "no ztunnel",
        "count": 3,
    }


def test_a_node_that_cannot_start_a_pod_is_given_up(kube: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ztunnel no new pod of an enrolled namespace has a sandbox."""
    monkeypatch.setattr(unstarted, "ASKED_AFTER", 0.0)
    monkeypatch.setattr(unstarted, "WITHIN", 0.0)
    sandboxless(kube)
    words = "^pod shop/details-v1-x gets no sandbox on node n for 0 s: FailedCreatePodSandBox: no ztunnel: look at"
    with pytest.raises(BrokenEnvironment, match=words):
        bookinfo.install(real(kube), PLACES, "r1", within=60)


def test_what_a_node_said_last_stands_in_the_end_of_a_wait(kube: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A status says no more than that it is being made."""
    monkeypatch.setattr(unstarted, "ASKED_AFTER", 0.0)
    sandboxless(kube)
    words = r"\(ContainerCreating\), .*\(not Ready\); pod shop/details-v1-x: FailedCreatePodSandBox: no ztunnel$"
    with pytest.raises(NotInTime, match=words):
        bookinfo.install(real(kube), PLACES, "r1", within=0.01)


def test_a_pod_that_is_not_captured_is_told(kube: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bookinfo is there all the same: whether that is a broken promise is for a rule to say."""
    monkeypatch.setattr(bookinfo, "CAPTURE_WITHIN", 0.01)
    annotated = {"ambient.istio.io/redirection": "enabled"}
    for name, annotations in (("a", annotated), ("b", {})):
        meta = {"name": name, "namespace": "shop", "annotations": annotations}
        kube.objects["v1/Pod", "shop", name] = {"metadata": meta, "status": {}}
    ztunnel = {"name": "z", "namespace": "istio-system", "labels": {"app": "ztunnel"}}
    kube.objects["v1/Pod", "istio-system", "z"] = {"metadata": ztunnel, "status": {"phase": "Running"}}
    workloads = [{"name": name, "namespace": "shop", "protocol": "HBONE"} for name in ("a", "b")]
    kube.pages["istio-system/z", "/config_dump"] = json.dumps({"workloads": workloads})
    found = bookinfo.install(real(kube), PLACES, "r1", within=1)
    assert found.uncaptured() == "shop/b: annotation absent, ztunnel says HBONE"


def test_a_ztunnel_that_may_not_be_asked_proves_nothing(kube: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account without port-forwards gets no verdict on capture, unless the CNI agent alone gives one."""
    monkeypatch.setattr(bookinfo, "CAPTURE_WITHIN", 0.01)
    meta = {"name": "a", "namespace": "shop", "annotations": {"ambient.istio.io/redirection": "enabled"}}
    kube.objects["v1/Pod", "shop", "a"] = {"metadata": meta, "status": {}}
    ztunnel = {"name": "z", "namespace": "istio-system", "labels": {"app": "ztunnel"}}
    kube.objects["v1/Pod", "istio-system", "z"] = {"metadata": ztunnel, "status": {"phase": "Running"}}
    told = r"Inconclusive: no ztunnel told its workloads, the last one asked was istio-system/z: .*nothing there"
    with pytest.raises(Inconclusive, match=told):
        bookinfo.install(real(kube), PLACES, "r1", within=1).uncaptured()
    kube.objects["v1/Pod", "shop", "b"] = {"metadata": {"name": "b", "namespace": "shop"}, "status": {}}
    found = bookinfo.install(real(kube), PLACES, "r1", within=1).uncaptured() or ""
    assert "shop/b: annotation absent, ztunnel says nothing" in found


def test_the_manifests_are_part_of_the_package() -> None:
    """They lie beside the code that applies them."""
    names = {name for stage in bookinfo.STAGES for name in stage}
    assert {path.stem for path in Path(bookinfo.FOLDER).glob("*.yaml")} == names
