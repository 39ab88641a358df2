"""The mesh's parts: found by label wherever they are, and what is said when one is missing."""

import json
from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh import names
from pytest_ambient.mesh.capture import captured
from pytest_ambient.mesh.features import BEYOND_EMBEDDED, FEATURES, detect
from pytest_ambient.mesh.readiness import read, wait
from pytest_ambient.testing import FakeKube

READY = [{"type": "Ready", "status": "True"}]


def workload(kind: str, name: str, label: str, image: str, status: dict[str, Any]) -> dict[str, Any]:
    """A Deployment or DaemonSet of the mesh."""
    key, _, value = label.partition("=")
    template = {"metadata": {"labels": {key: value}}, "spec": {"containers": [{"name": name, "image": image}]}}
    meta = {"name": name, "namespace": "mesh", "labels": {key: value}}
    return {"kind": kind, "metadata": meta, "spec": {"template": template}, "status": status}


@pytest.fixture
def kube() -> FakeKube:
    """A mesh on two nodes, in a namespace of its own choosing."""
    made = FakeKube()
    both = {"desiredNumberScheduled": 2, "numberReady": 2}
    for kind, name, label, image, status in (
        ("Deployment", "istiod", "app=istiod", "docker.io/istio/pilot:1.30.3-distroless", {"availableReplicas": 1}),
        ("DaemonSet", "istio-cni-node", "k8s-app=istio-cni-node", "hub/install-cni:1.30.3", dict(both)),
        ("DaemonSet", "ztunnel", "app=ztunnel", "hub/ztunnel:1.30.3@sha256:12", both),
    ):
        made.objects[f"apps/v1/{kind}", "mesh", name] = workload(kind, name, label, image, status)
    for node in ("node-a", "node-b"):
        made.objects["v1/Node", "", node] = {"metadata": {"name": node}, "spec": {}, "status": {"conditions": READY}}
        pod = {"metadata": {"name": f"ztunnel-{node}", "namespace": "mesh", "labels": {"app": "ztunnel"}}}
        spec = {"nodeName": node, "containers": [{"name": "istio-proxy"}]}
        made.objects["v1/Pod", "mesh", f"ztunnel-{node}"] = {**pod, "spec": spec, "status": {"conditions": READY}}
    return made


def real(kube: FakeKube) -> Kube:
    """The double where a Kube is wanted."""
    return cast(Kube, kube)


def test_a_ready_mesh_has_no_problems(kube: FakeKube) -> None:
    """Its namespace, nodes and versions are read from what is there."""
    mesh = read(real(kube))
    assert mesh.problems == ()
    assert (mesh.root, mesh.nodes) == ("mesh", ("node-a", "node-b"))
    assert set(mesh.versions.values()) == {"1.30.3"}


def test_a_canary_beside_the_istiod_of_the_ztunnels_is_no_part_of_their_mesh(kube: FakeKube) -> None:
    """Whatever its name and version; where the ztunnels are the canary's already, that they differ is told."""
    canary = workload("Deployment", "a-canary", "app=istiod", "docker.io/istio/pilot:1.31.1", {"availableReplicas": 1})
    canary["metadata"]["labels"]["istio.io/rev"] = "1-31-1"
    stable = kube.objects.pop(("apps/v1/Deployment", "mesh", "istiod"))
    kube.objects["apps/v1/Deployment", "mesh", "a-canary"] = canary
    kube.objects["apps/v1/Deployment", "mesh", "istiod"] = stable
    assert read(real(kube)).disagreement() is None
    kube.objects["apps/v1/DaemonSet", "mesh", "ztunnel"]["metadata"]["annotations"] = {"istio.io/rev": "1-31-1"}
    kube.objects["apps/v1/DaemonSet", "mesh", "ztunnel"]["spec"]["template"]["spec"]["containers"][0]["image"] = (
        "z:1.31.1"
    )
    assert read(real(kube)).disagreement() == (
        "the parts run different versions: istiod 1.30.3, istio-cni 1.30.3, ztunnel 1.31.1"
    )


def test_a_ztunnel_that_is_not_ready_is_told_with_its_node(kube: FakeKube) -> None:
    """Waiting for the mesh ends with the facts, not with an exception."""
    kube.objects["v1/Pod", "mesh", "ztunnel-node-b"]["status"] = {}
    kube.objects["apps/v1/DaemonSet", "mesh", "ztunnel"]["status"]["numberReady"] = 1
    assert wait(real(kube), within=0.01).problems == ("ztunnel in mesh: 1 of 2 ready, not on node-b",)


def test_a_missing_part_is_told_by_its_label(kube: FakeKube) -> None:
    """A mesh without CNI agents is no ambient mesh."""
    del kube.objects["apps/v1/DaemonSet", "mesh", "istio-cni-node"]
    assert read(real(kube)).problems == ("no istio-cni: no DaemonSet with label k8s-app=istio-cni-node",)


def test_a_daemonset_is_known_by_its_pods(kube: FakeKube) -> None:
    """Istio's charts put `app=ztunnel` on ztunnel's pods only."""
    ztunnel = kube.objects["apps/v1/DaemonSet", "mesh", "ztunnel"]
    ztunnel["metadata"]["labels"] = {"app.kubernetes.io/name": "ztunnel"}
    assert read(real(kube)).problems == ()


def test_dns_capture_is_set_where_the_cni_agent_reads_it(kube: FakeKube) -> None:
    """Istio's chart writes it into a ConfigMap that the agent gets as its environment; ztunnel is told nothing."""
    assert detect(real(kube))["DnsCapture"].reason == "istio-cni runs without AMBIENT_DNS_CAPTURE=true"
    agent = kube.objects["apps/v1/DaemonSet", "mesh", "istio-cni-node"]["spec"]["template"]["spec"]["containers"][0]
    agent["envFrom"] = [{"configMapRef": {"name": "istio-cni-config"}}]
    assert not detect(real(kube))["DnsCapture"].present
    settings = {"AMBIENT_ENABLED": "true", "AMBIENT_DNS_CAPTURE": "true"}
    kube.objects["v1/ConfigMap", "mesh", "istio-cni-config"] = {"data": settings}
    assert detect(real(kube))["DnsCapture"].present
    agent["env"] = [{"name": "AMBIENT_DNS_CAPTURE", "value": "false"}]
    assert not detect(real(kube))["DnsCapture"].present


def test_tcp_routes_are_read_where_istiod_is_told_to(kube: FakeKube) -> None:
    """The kind alone, as an experimental bundle brings it, makes no istiod read it."""
    assert detect(real(kube))["TCPRoute"].reason == "istiod runs without PILOT_ENABLE_ALPHA_GATEWAY_API=true"
    istiod = kube.objects["apps/v1/Deployment", "mesh", "istiod"]["spec"]["template"]["spec"]["containers"][0]
    istiod["env"] = [{"name": "PILOT_ENABLE_ALPHA_GATEWAY_API", "value": "true"}]
    assert detect(real(kube))["TCPRoute"].present


@pytest.mark.parametrize("variable", ["PILOT_ENABLE_IP_AUTOALLOCATE", "PILOT_ENABLE_SERVICEENTRY_SELECT_PODS"])
def test_service_entries_are_carried_out_unless_istiod_is_told_not_to(kube: FakeKube, variable: str) -> None:
    """Without addresses their hosts have no name, without selection they lead to no pod."""
    assert detect(real(kube))["ServiceEntry"].present
    istiod = kube.objects["apps/v1/Deployment", "mesh", "istiod"]["spec"]["template"]["spec"]["containers"][0]
    istiod["env"] = [{"name": variable, "value": "true"}]
    assert detect(real(kube))["ServiceEntry"].present
    istiod["env"] = [{"name": variable, "value": "false"}]
    assert detect(real(kube))["ServiceEntry"].reason == f"istiod runs with {variable}=false"


def test_capture_has_two_words(kube: FakeKube) -> None:
    """The CNI agent's annotation and the protocol in ztunnel's workload list; both are needed."""
    pods = {"a": ("enabled", "HBONE"), "b": ("enabled", "TCP"), "c": ("", "HBONE"), "d": ("pending", "TCP")}
    for name, (annotation, _) in pods.items():
        annotations = {"ambient.istio.io/redirection": annotation} if annotation else None
        meta = {"name": name, "namespace": "shop", "annotations": annotations}
        kube.objects["v1/Pod", "shop", name] = {"metadata": meta, "spec": {}}
    workloads = [{"namespace": "shop", "name": name, "protocol": protocol} for name, (_, protocol) in pods.items()]
    kube.pages["mesh/ztunnel-node-a", "/config_dump"] = json.dumps({"workloads": workloads})
    found = captured(real(kube), ["shop"])
    assert [(capture.pod, capture.complete) for capture in found] == [
        ("shop/a", True),
        ("shop/b", False),
        ("shop/c", False),
        ("shop/d", False),
    ]


def test_a_mesh_that_cannot_be_asked_captures_nothing(kube: FakeKube) -> None:
    """Without ztunnel's word the annotation alone is no proof."""
    meta = {"name": "a", "namespace": "shop", "annotations": {"ambient.istio.io/redirection": "enabled"}}
    kube.objects["v1/Pod", "shop", "a"] = {"metadata": meta, "spec": {}}
    found = captured(real(kube), ["shop"])
    assert [(one.complete, one.doubt) for one in found] == [
        (False, "mesh/ztunnel-node-b: mesh/ztunnel-node-b:15000/config_dump: nothing there")
    ]


def test_features_are_found_or_absent_for_a_reason(kube: FakeKube) -> None:
    """Every name of the closed list gets an answer; what is absent says why."""
    gateway_class = {
        "status": {"conditions": [{"type": "Accepted", "status": "True"}]},
        "metadata": {"name": "istio-waypoint"},
    }
    kube.objects["gateway.networking.k8s.io/v1/GatewayClass", "", "istio-waypoint"] = gateway_class
    found = detect(real(kube), skip=["HTTPRoute"])
    assert set(found) == set(FEATURES)
    assert tuple(FEATURES) == names.FEATURES, "a question for each name, in one order"
    assert found["Waypoint"].present
    assert found["Ingress"].reason == "no GatewayClass istio"
    assert found["MultiNode"].present
    assert found["Kiali"].reason == "no running pod with label app=kiali in mesh"
    assert found["HTTPRoute"].reason == "skipped by --ambient-skip-features"
    assert all(bool(feature.reason) != feature.present for feature in found.values())


def test_what_this_user_may_not_ask_for_is_absent(kube: FakeKube) -> None:
    """An account without rights on webhooks gets no sidecar rules, and all others."""

    def listed(kind: str, *place: str, **selectors: str) -> list[dict[str, Any]]:
        if "MutatingWebhookConfiguration" in kind:
            raise Forbidden("webhooks is forbidden")
        return allowed(kind, *place, **selectors)

    allowed, kube.list = kube.list, listed  # type: ignore[method-assign,assignment]  # the double is made to refuse
    found = detect(real(kube))
    assert found["Sidecar"].reason == "this user may not find out: webhooks is forbidden"
    assert found["MultiNode"].present


def test_a_test_bench_never_claims_what_it_cannot_show(kube: FakeKube) -> None:
    """Whatever its objects look like."""
    found = detect(real(kube), embedded=True)
    assert not any(found[name].present for name in BEYOND_EMBEDDED)
    assert "the embedded mesh has no sidecars" in found["Sidecar"].reason


def test_one_node_is_not_many(kube: FakeKube) -> None:
    """A node that takes no pods does not count."""
    kube.objects["v1/Node", "", "node-b"]["spec"] = {"taints": [{"key": "x", "effect": "NoSchedule"}]}
    assert detect(real(kube))["MultiNode"].reason == "1 node that takes pods, 2 are needed"


def test_each_part_answers_for_itself(kube: FakeKube) -> None:
    """A rule asks part by part; a part that is absent says by which label it was looked for."""
    assert read(cast(Kube, kube)).problem("ztunnel") is None
    del kube.objects["apps/v1/DaemonSet", "mesh", "ztunnel"]
    assert read(cast(Kube, kube)).problem("ztunnel") == "no ztunnel: no DaemonSet with label app=ztunnel"
    assert read(cast(Kube, kube)).problem("istiod") is None


def test_versions_that_disagree_are_told(kube: FakeKube) -> None:
    """With each other, or with the one that was asked for; a minor version asks for any of its patches."""
    mesh = read(cast(Kube, kube))
    assert [mesh.disagreement(wanted) for wanted in (None, "1.30.3", "1.30")] == [None, None, None]
    found = "istiod 1.30.3, istio-cni 1.30.3, ztunnel 1.30.3"
    assert mesh.disagreement("1.29.0") == f"wanted Istio 1.29.0, found {found}"
    template = kube.objects["apps/v1/DaemonSet", "mesh", "ztunnel"]["spec"]["template"]
    template["spec"]["containers"][0]["image"] = "hub/ztunnel:v1.30.3"
    assert read(cast(Kube, kube)).disagreement("1.30.3") is None
    template["spec"]["containers"][0]["image"] = "hub/ztunnel:1.29.1"
    assert read(cast(Kube, kube)).disagreement() == (
        "the parts run different versions: istiod 1.30.3, istio-cni 1.30.3, ztunnel 1.29.1"
    )


@pytest.mark.parametrize("tag", ["1.30.3-fips", "1.30.3-solo-distroless", "v1.30.3-debug", "1.30"])
def test_a_vendors_words_are_no_other_version(kube: FakeKube, tag: str) -> None:
    """Parts of one release agree, and fit the release that was asked for."""
    template = kube.objects["apps/v1/DaemonSet", "mesh", "ztunnel"]["spec"]["template"]
    template["spec"]["containers"][0]["image"] = f"hub/ztunnel:{tag}"
    mesh = read(real(kube))
    assert (mesh.disagreement(), mesh.disagreement("1.30")) == (None, None)


def test_a_vendors_build_can_be_asked_for(kube: FakeKube) -> None:
    """By its whole name; all parts must have it then."""
    for name, image in (("istiod", "pilot"), ("istio-cni-node", "install-cni"), ("ztunnel", "ztunnel")):
        kind = "Deployment" if name == "istiod" else "DaemonSet"
        template = kube.objects[f"apps/v1/{kind}", "mesh", name]["spec"]["template"]
        template["spec"]["containers"][0]["image"] = f"hub/{image}:1.30.3-fips-distroless"
    assert [read(real(kube)).disagreement(wanted) for wanted in ("1.30.3-fips", "1.30.3")] == [None, None]
    told = "istiod 1.30.3-fips, istio-cni 1.30.3-fips, ztunnel 1.30.3-fips"
    assert read(real(kube)).disagreement("1.30.3-solo") == f"wanted Istio 1.30.3-solo, found {told}"


def test_images_named_by_digest_have_the_version_of_their_labels(kube: FakeKube) -> None:
    """And none where there is no such label: that is no disagreement."""
    for kind, _, name in [key for key in kube.objects if key[0].startswith("apps/")]:
        item = kube.objects[kind, "mesh", name]
        item["spec"]["template"]["spec"]["containers"][0]["image"] = f"hub/{name}@sha256:{'ab' * 32}"
    mesh = read(real(kube))
    assert (dict(mesh.versions), mesh.problems, mesh.disagreement()) == ({}, (), None)
    kube.objects["apps/v1/Deployment", "mesh", "istiod"]["metadata"]["labels"]["app.kubernetes.io/version"] = "1.30.3"
    mesh = read(real(kube))
    assert (dict(mesh.versions), mesh.disagreement("1.30.3")) == ({"istiod": "1.30.3"}, None)
