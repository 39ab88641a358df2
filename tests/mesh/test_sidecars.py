"""Whether pods of ours can have a sidecar, and whether ambient mode's calls reach it by tunnel, asked by a dry run."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden, Invalid, KubeError, ServerGone
from pytest_ambient.mesh.features import detect
from pytest_ambient.mesh.sidecars import NAME, TUNNEL, unasked
from tests.mesh.fake_mesh import Cluster
from tests.pod_security import refused

Object = dict[str, Any]
HOOK = "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration"
PROXY = {"name": "istio-proxy", "image": "proxyv2"}


class Injecting(Cluster):
    """A cluster with an injector: `injector` makes of a pod what comes of it."""

    def __init__(self, injector: Callable[[Object], Object]) -> None:
        super().__init__()
        self.injector = injector
        self.rehearsed: list[Object] = []
        meta = {"name": "istio-sidecar-injector", "labels": {"app": "sidecar-injector"}}
        self.objects[HOOK, "", "istio-sidecar-injector"] = {"metadata": meta}

    def rehearse(self, obj: Object) -> Object:
        """What would come of it."""
        self.rehearsed.append(obj)
        return self.injector(super().rehearse(obj))


def beside(pod: Object) -> Object:
    """A sidecar as it always was, in a mesh of the ambient profile."""
    pod["spec"]["containers"].append(PROXY)
    pod["metadata"]["labels"] |= {TUNNEL: "http", "security.istio.io/tlsMode": "istio"}
    return pod


def native(pod: Object) -> Object:
    """A native sidecar, as Istio gives newer nodes."""
    pod["spec"]["initContainers"] = [{"name": "istio-init"}, {**PROXY, "restartPolicy": "Always"}]
    pod["metadata"]["labels"][TUNNEL] = "http"
    return pod


def without_hbone(pod: Object) -> Object:
    """A mesh that does not set ISTIO_META_ENABLE_HBONE."""
    pod["spec"]["containers"].append(PROXY)
    return pod


def without_sending(pod: Object) -> Object:
    """A mesh whose sidecars are told not to send HBONE."""
    pod = beside(pod)
    env = [{"name": "POD_NAME", "valueFrom": {}}, {"name": "ISTIO_META_DISABLE_HBONE_SEND", "value": "true"}]
    pod["spec"]["containers"][-1] = {**PROXY, "env": env}
    return pod


def refusing(error: KubeError) -> Callable[[Object], Object]:
    """A cluster that admits no such pod."""

    def refuse(*_: object, **__: object) -> Object:
        raise error

    return refuse


def reasons(kube: Cluster) -> tuple[str, str]:
    """Why the features are absent; empty where they are there."""
    found = detect(cast(Kube, kube))
    return found["Sidecar"].reason, found["SidecarHbone"].reason


@pytest.mark.parametrize("injector", [beside, native])
def test_an_injected_pod_is_both_features(injector: Callable[[Object], Object]) -> None:
    """Wherever the sidecar stands; nothing is kept of the pod."""
    kube = Injecting(injector)
    assert reasons(kube) == ("", "")
    assert not [key for key in kube.objects if key[0] == "v1/Pod"]


def test_a_sidecar_without_tunnel_is_one_feature() -> None:
    """ztunnel would call it in plaintext: what its policies say of accounts is not to be judged."""
    said = "sidecars take no HBONE: the injector gives pods no label networking.istio.io/tunnel"
    assert reasons(Injecting(without_hbone)) == ("", said)


def test_a_sidecar_that_sends_no_tunnel_is_no_feature() -> None:
    """Its calls have no identity by the mesh's own will."""
    said = "sidecars send no HBONE: they are injected with ISTIO_META_DISABLE_HBONE_SEND=true"
    assert reasons(Injecting(without_sending)) == (said, "")


@pytest.mark.parametrize(
    ("injector", "text"),
    [
        (lambda pod: pod, "a pod of namespace default that asks for a sidecar would get none"),
        (
            refusing(Forbidden('pods "x" is forbidden: violates PodSecurity "baseline:latest"')),
            "no pod with a sidecar would be admitted to namespace default: "
            'pods "x" is forbidden: violates PodSecurity "baseline:latest"',
        ),
        (
            refusing(Invalid('admission webhook "theirs" does not support dry run')),
            "no pod with a sidecar would be admitted to namespace default: "
            'admission webhook "theirs" does not support dry run',
        ),
        (
            refusing(KubeError("failed calling webhook: no endpoints")),
            "no pod with a sidecar would be admitted to namespace default: failed calling webhook: no endpoints",
        ),
    ],
)
def test_what_is_absent_says_why(injector: Callable[[Object], Object], text: str) -> None:
    """The injector's, the API server's or pod security's own words."""
    assert reasons(Injecting(injector)) == (text, text)


def test_a_lost_api_server_is_no_missing_feature() -> None:
    """It is an error, as with every other question."""
    with pytest.raises(ServerGone):
        reasons(Injecting(refusing(ServerGone("no answer"))))


def test_a_mesh_without_injector_is_not_asked() -> None:
    """There is nothing that would inject."""
    assert reasons(Cluster()) == ("no sidecar injector", "no sidecar injector")


def test_a_mesh_that_injects_unasked_is_kept_from_our_namespaces() -> None:
    """So no pod of ours gets a sidecar by asking either; whoever may not look learns nothing of it."""
    kube = Injecting(beside)
    kube.objects[HOOK, "", "istio-sidecar-injector"]["webhooks"] = [{"name": "auto.sidecar-injector.istio.io"}]
    said = "pods get sidecars unasked (enableNamespacesByDefault), so namespaces of ours are kept from the injector"
    assert unasked(cast(Kube, kube))
    assert reasons(kube) == (said, said)
    kube.objects[HOOK, "", "istio-sidecar-injector"]["webhooks"] = [{"name": "object.sidecar-injector.istio.io"}]
    assert not unasked(cast(Kube, kube))
    kube.list = refusing(Forbidden("no"))  # type: ignore[method-assign, assignment]  # the double is made to refuse
    assert not unasked(cast(Kube, kube))


def test_the_pod_is_one_that_any_namespace_admits() -> None:
    """In a namespace of a run's own where there is one: admission may differ from one to the other."""
    kube = Injecting(beside)
    reasons(kube)
    for name, more in (("bookinfo", {}), ("aaa", {"deletionTimestamp": "2026-11-21T05:00:00Z"})):
        meta = {"name": name, "labels": {"pytest-ambient/run": "r1"}, **more}
        kube.objects["v1/Namespace", "", name] = {"metadata": meta}
    reasons(kube)
    assert [pod["metadata"]["namespace"] for pod in kube.rehearsed] == ["default"] * 2 + ["bookinfo"] * 2
    assert {pod["metadata"]["name"] for pod in kube.rehearsed} == {NAME}
    assert kube.rehearsed[0]["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
    assert refused(kube.rehearsed[0]["spec"]) == []


def test_the_pod_asks_the_istiod_of_this_run() -> None:
    """Where that looks only after what names it."""
    kube = Injecting(beside)
    kube.objects["apps/v1/Deployment", "istio-system", "istiod"]["metadata"]["labels"]["istio.io/rev"] = "1-30"
    meta = {"name": "istio-revision-tag-default", "labels": {"istio.io/tag": "default", "istio.io/rev": "1-29"}}
    kube.objects[HOOK, "", "istio-revision-tag-default"] = {"metadata": meta}
    reasons(kube)
    assert kube.rehearsed[0]["metadata"]["labels"]["istio.io/rev"] == "1-30"


@pytest.mark.parametrize(
    ("spec", "narrowed"),
    [
        ({"egress": [{"hosts": ["./*", "istio-system/*"]}]}, True),
        ({"egress": [{"hosts": ["./*"]}, {"hosts": ["*/*"]}]}, False),
        ({"workloadSelector": {"labels": {"app": "a"}}, "egress": [{"hosts": ["./*"]}]}, False),
        ({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}, False),
    ],
)
def test_sidecars_that_reach_only_some_services_are_no_feature(spec: Object, narrowed: bool) -> None:
    """A Sidecar of the root namespace holds for ours: past what it names calls go out as they are."""
    kube = Injecting(beside)
    item = {"metadata": {"name": "default", "namespace": "istio-system"}, "spec": spec}
    kube.objects["networking.istio.io/v1/Sidecar", "istio-system", "default"] = item
    said = "Sidecar istio-system/default keeps sidecars of all namespaces from our Services"
    assert reasons(kube) == (said if narrowed else "", "")
