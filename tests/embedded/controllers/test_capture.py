"""Which pods are captured, and from when."""

from functools import partial
from pathlib import Path

import pytest

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.controllers.capture import enrolled
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.objects import Object, annotations_of

from ..kubelet.bench import POD, Bench, play
from ..kubelet.specs import ECHO, container, pod

NAMESPACE = find("Namespace")
REDIRECTION = "ambient.istio.io/redirection"


@pytest.mark.parametrize(
    ("namespace", "own", "spec", "captured"),
    [
        ("ambient", None, {}, True), ("ambient", "none", {}, False), ("ambient", "ambient", {}, True),
        (None, "ambient", {}, True), (None, None, {}, False), ("none", None, {}, False),
        ("ambient", None, {"hostNetwork": True}, False),
    ],
)  # fmt: skip
def test_who_is_captured(namespace: str | None, own: str | None, spec: Object, captured: bool) -> None:
    """A pod's own label beats its namespace's; pods on the host's network are never captured."""
    mode = "istio.io/dataplane-mode"
    space = {"metadata": {"labels": {mode: namespace} if namespace else {}}}
    item = {"metadata": {"name": "x", "namespace": "n", "labels": {mode: own} if own else {}}, "spec": spec}
    assert enrolled(item, space) is captured


def test_never_captured() -> None:
    """Pods with a sidecar and those of kube-system stay outside."""
    space = {"metadata": {"labels": {"istio.io/dataplane-mode": "ambient"}}}
    sidecar = {"metadata": {"namespace": "n", "annotations": {"sidecar.istio.io/status": "{}"}}, "spec": {}}
    assert not enrolled(sidecar, space)
    assert not enrolled({"metadata": {"namespace": "kube-system"}, "spec": {}}, space)


def redirected(bench: Bench, wanted: str | None) -> bool:
    """Whether the pod's annotation is this one."""
    return annotations_of(bench.pods("echo")[0]).get(REDIRECTION) == wanted


def test_enrolment_of_running_pods(tmp_path: Path) -> None:
    """Labelling a namespace captures its running pods; taking the label away lets them go."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("echo", ECHO))
        await bench.ready_pod("echo")
        assert not annotations_of(bench.pods("echo")[0])
        for mode, wanted in (("ambient", "enabled"), ("none", None)):
            space = copied(bench.store.get(NAMESPACE, bench.space) or {})
            space["metadata"]["labels"]["istio.io/dataplane-mode"] = mode
            bench.store.replace(NAMESPACE, space)
            await bench.until(partial(redirected, bench, wanted))

    play(tmp_path, scenario, enrolled=False)


def test_fault_pod_not_captured(tmp_path: Path) -> None:
    """With the fault, details-v1 alone is passed over."""

    async def scenario(bench: Bench) -> None:
        for name, version in (("details", "v1"), ("reviews", "v1")):
            labels = {"app": name, "version": version}
            bench.store.create(POD, pod(name, container(f"x/examples-bookinfo-{name}-v1"), labels=labels))
        details, reviews = await bench.ready_pod("details"), await bench.ready_pod("reviews")
        assert REDIRECTION not in annotations_of(details)
        assert annotations_of(reviews)[REDIRECTION] == "enabled"

    play(tmp_path, scenario, faults=frozenset({Fault.POD_NOT_CAPTURED}))


def test_fault_opt_out_ignored() -> None:
    """With the fault a pod's own label counts for nothing, but that of a waypoint's pod does."""
    space = {"metadata": {"name": "bookinfo", "labels": {"istio.io/dataplane-mode": "ambient"}}}
    own = {"istio.io/dataplane-mode": "none"}
    opted_out: Object = {"metadata": {"name": "p", "namespace": "bookinfo", "labels": own}, "spec": {}}
    gateway = own | {"gateway.networking.k8s.io/gateway-name": "waypoint"}
    waypoint: Object = {"metadata": {"name": "w", "namespace": "bookinfo", "labels": gateway}, "spec": {}}
    assert [enrolled(each, space) for each in (opted_out, waypoint)] == [False, False]
    assert [enrolled(each, space, asked=False) for each in (opted_out, waypoint)] == [True, False]


def test_fault_late_capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fault a pod is ready before it is captured."""
    monkeypatch.setattr("pytest_ambient.embedded.controllers.capture.LATE", 0.5)

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("echo", ECHO))
        assert REDIRECTION not in annotations_of(await bench.ready_pod("echo"))
        await bench.until(partial(redirected, bench, "enabled"))

    play(tmp_path, scenario, faults=frozenset({Fault.LATE_CAPTURE}))
