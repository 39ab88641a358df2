"""What is waited for before anything is probed, and what is not worth waiting for."""

from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_ambient import stuck, unstarted
from pytest_ambient._kube import Kube
from pytest_ambient.errors import NotInTime
from pytest_ambient.manifest import Document
from pytest_ambient.probe import ready as ready_
from pytest_ambient.probe.brought import started
from pytest_ambient.probe.ready import ready
from pytest_ambient.stuck import Waits
from pytest_ambient.testing import FakeKube

GATEWAY = "gateway.networking.k8s.io/v1"


def document(version: str, kind: str, **labels: str) -> Document:
    """An object of a manifest."""
    item: dict[str, Any] = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "w", "namespace": "n", "labels": labels},
    }
    return Document(item, Path("x.yaml"), 1)


def said(kube: FakeKube, one: Document, *conditions: tuple[str, str, str]) -> None:
    """Let the object be there and say that."""
    entries = [{"type": t, "status": s, "reason": r, "message": "because"} for t, s, r in conditions]
    kube.objects[one.kind, "n", "w"] = {**one.object, "status": {"conditions": entries, "observedGeneration": 1}}


def test_a_refused_gateway_is_not_waited_for() -> None:
    """A listener that no waypoint can have stays refused: waiting on would only cost time."""
    kube, gateway = FakeKube(), document(GATEWAY, "Gateway")
    said(kube, gateway, ("Accepted", "False", "UnsupportedProtocol"))
    with pytest.raises(NotInTime, match=r"Gateway n/w to be ready: gave up .*UnsupportedProtocol\): because"):
        ready(kube, [gateway], 60)  # type: ignore[arg-type]  # FakeKube has what is asked of a Kube here


@pytest.mark.parametrize("reason", ["AttachmentDenied", "UnsupportedTrafficType"])
def test_a_binding_that_is_refused_is_not_waited_for(reason: str) -> None:
    """The waypoint's own configuration says no, for good."""
    kube, gateway = FakeKube(), document(GATEWAY, "Gateway")
    service = document("v1", "Service", **{"istio.io/use-waypoint": "w"})
    said(kube, gateway, ("Programmed", "True", "Programmed"))
    said(kube, service, ("istio.io/WaypointBound", "False", reason))
    with pytest.raises(NotInTime, match=rf"Service n/w to be ready: gave up .*not bound to its waypoint.*{reason}"):
        ready(kube, [service, gateway], 60)  # type: ignore[arg-type]  # as above


def test_a_waypoint_that_is_not_ready_yet_is_waited_for() -> None:
    """What time may mend is waited for."""
    kube, gateway = FakeKube(), document(GATEWAY, "Gateway")
    service = document("v1", "Service", **{"istio.io/use-waypoint": "w"})
    said(kube, service, ("istio.io/WaypointBound", "False", "WaypointIsNotReady"))
    with pytest.raises(NotInTime, match=r"not within 0\.2 s"):
        ready(kube, [service, gateway], 0.2)  # type: ignore[arg-type]  # as above


def test_a_rollout_past_its_own_deadline_is_not_waited_for() -> None:
    """A Deployment that says itself that it does not come is taken at its word."""
    kube, one = FakeKube(), document("apps/v1", "Deployment")
    one.object["spec"] = {"replicas": 1}
    said(kube, one, ("Progressing", "False", "ProgressDeadlineExceeded"))
    with pytest.raises(NotInTime, match=r"Deployment n/w to be ready: gave up .*0 of 1 updatedReplicas: because"):
        ready(kube, [one], 60)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"observedGeneration": 1}, "not seen by its controller"),
        (
            {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 2},
            "1 of 2 updatedNumberScheduled",
        ),
        (
            {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1},
            "1 of 2 numberAvailable",
        ),
        (
            {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2},
            None,
        ),
    ],
)
def test_a_daemonsets_rollout_is_waited_for(status: dict[str, int], reason: str | None) -> None:
    """A restart is over when every node's pod is a new one and available."""
    kube, daemons = FakeKube(), document("apps/v1", "DaemonSet")
    there = {**daemons.object, "metadata": {**daemons.object["metadata"], "generation": 2}, "status": status}
    kube.objects[daemons.kind, "n", "w"] = there
    if reason is None:
        ready(kube, [daemons], 0.1)  # type: ignore[arg-type]  # as above
        return
    with pytest.raises(NotInTime, match=reason):
        ready(kube, [daemons], 0.1)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("containers", "fits"),
    [
        ({"containers": [{"name": "istio-proxy"}, {"name": "curl"}]}, True),
        ({"containers": [{"name": "curl"}], "initContainers": [{"name": "istio-proxy"}]}, True),
        ({"containers": [{"name": "curl"}], "initContainers": [{"name": "istio-init"}]}, False),
    ],
)
def test_a_pod_without_the_sidecar_that_it_asked_for_is_not_ready(containers: dict[str, Any], fits: bool) -> None:
    """It is given up at once, since no pod gets one later; its calls would be taken for those of a sidecar."""
    kube, one = FakeKube(), document("apps/v1", "Deployment")
    template = {"metadata": {"labels": {"app": "w", "sidecar.istio.io/inject": "true"}}}
    one.object["spec"] = {"replicas": 1, "selector": {"matchLabels": {"app": "w"}}, "template": template}
    status = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
    kube.objects[one.kind, "n", "w"] = {**one.object, "status": status}
    conditions = [{"type": "Ready", "status": "True"}]
    meta = {"name": "w-1", "namespace": "n", "labels": {"app": "w"}}
    kube.objects["v1/Pod", "n", "w-1"] = {"metadata": meta, "spec": containers, "status": {"conditions": conditions}}
    if fits:
        ready(kube, [one], 0.1)  # type: ignore[arg-type]  # as above
        return
    with pytest.raises(NotInTime, match=r"gave up .*pod w-1 asked for a sidecar and has none"):
        ready(kube, [one], 60)  # type: ignore[arg-type]  # as above


def test_a_gateway_for_which_nothing_is_made_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes waypoints does so at once; one with a Deployment has all its time."""
    monkeypatch.setattr(ready_, "MADE_WITHIN", 0.1)
    kube, gateway = FakeKube(), document(GATEWAY, "Gateway")
    said(kube, gateway, ("Programmed", "Unknown", "Pending"))
    words = r"gave up .*nobody has made a Deployment for it; Programmed=Unknown \(Pending\): because"
    with pytest.raises(NotInTime, match=words):
        ready(kube, [gateway], 60)  # type: ignore[arg-type]  # as above
    kube.objects["apps/v1/Deployment", "n", "w"] = {"metadata": {"name": "w", "namespace": "n"}, "spec": {}}
    with pytest.raises(NotInTime, match=r"not within 0\.3 s .*last: Programmed=Unknown"):
        ready(kube, [gateway], 0.3)  # type: ignore[arg-type]  # as above


def waits_for(kube: FakeKube, one: Document, name: str, reason: dict[str, str]) -> None:
    """Let the object be there with a pod that waits for a reason."""
    one.object["spec"] = {"replicas": 1, "selector": {"matchLabels": {"app": "w"}}}
    said(kube, one)
    status = {"name": "c", "image": "p", "state": {"waiting": reason}, "restartCount": 4}
    kube.objects["v1/Pod", "n", name] = {
        "metadata": {"name": name, "namespace": "n", "labels": {"app": "w", GATEWAY_NAME: "w"}},
        "status": {"containerStatuses": [status]},
    }


GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"


@pytest.mark.parametrize(
    ("version", "kind", "name"), [("apps/v1", "Deployment", "w-1"), (GATEWAY, "Gateway", "w-1"), ("v1", "Pod", "w")]
)
def test_what_has_a_pod_that_will_not_start_is_not_waited_for(
    version: str, kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a set-up, and of what a rule itself brings; what was there before has all its time, its cases are judged."""
    monkeypatch.setattr(stuck, "PULLED_WITHIN", 0.1)
    kube, one = FakeKube(), document(version, kind)
    waits_for(kube, one, name, {"reason": "ErrImagePull", "message": "not found"})
    real = cast(Kube, kube)
    for waiting in (partial(ready, real, [one], 60, Waits()), partial(started, real, [one], [], 60)):
        with pytest.raises(
            NotInTime, match=rf"^{kind} n/w to be ready: gave up waiting .*; last: pod n/{name} does not get image p "
        ):
            waiting()
    (late,) = started(real, [one], [one], 0.3)
    assert late.startswith(f"{kind} n/w to be ready: not within 0.3 s")


def test_what_a_node_said_last_stands_in_the_end_of_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what a rule brings, and in a set-up; a status says no more than that a pod is being made."""
    monkeypatch.setattr(unstarted, "ASKED_AFTER", 0.0)
    kube, one = FakeKube(), document("apps/v1", "Deployment")
    waits_for(kube, one, "w-1", {"reason": "ContainerCreating"})
    kube.objects["v1/Pod", "n", "w-1"]["spec"] = {"nodeName": "lab-1"}
    event = {"reason": "FailedMount", "message": "no such ConfigMap", "involvedObject": {"name": "w-1"}}
    kube.objects["v1/Event", "n", "e"] = {"metadata": {"name": "e", "namespace": "n"}, **event}
    real = cast(Kube, kube)
    words = "of 1 updatedReplicas; pod n/w-1: FailedMount: no such ConfigMap"
    with pytest.raises(NotInTime, match=f"{words}$"):
        ready(real, [one], 0.01, Waits())
    (late,) = started(real, [one], [], 0.01)
    assert late.endswith(words)
    (patient,) = started(real, [one], [one], 0.01)
    assert patient.endswith("updatedReplicas")


def test_a_program_that_keeps_ending_is_for_the_cases_of_a_rule() -> None:
    """The mesh may be why it ends, so it has all its time, and nothing but its cases decides."""
    kube, one = FakeKube(), document("apps/v1", "Deployment")
    waits_for(kube, one, "w-1", {"reason": "CrashLoopBackOff", "message": "back-off"})
    (late,) = started(kube, [one], [], 0.3)  # type: ignore[arg-type]  # as above
    assert late.startswith("Deployment n/w to be ready: not within 0.3 s")
    with pytest.raises(NotInTime, match="pod n/w-1 does not keep container c of p"):
        ready(kube, [one], 60, Waits())  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("named", "runs", "reason"),
    [
        ("hub/proxyv2:2", "hub/proxyv2:2", ""),
        ("hub/proxyv2:2", "hub/proxyv2:1", "its Deployment does not run hub/proxyv2:2"),
        ("debug", "hub/proxyv2:1", ""),
    ],
)
def test_a_waypoint_runs_the_image_that_its_gateway_names(named: str, runs: str, reason: str) -> None:
    """A name without a slash is none to Istio (kube-gateway.yaml and waypoint.yaml of its chart, 1.30.3)."""
    kube, gateway = FakeKube(), document(GATEWAY, "Gateway")
    gateway.object["metadata"]["annotations"] = {"sidecar.istio.io/proxyImage": named}
    said(kube, gateway, ("Programmed", "True", "Programmed"))
    spec = {"replicas": 1, "template": {"spec": {"containers": [{"name": "istio-proxy", "image": runs}]}}}
    status = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
    kube.objects["apps/v1/Deployment", "n", "w"] = {"metadata": {"name": "w"}, "spec": spec, "status": status}
    late = started(cast(Kube, kube), [gateway], [gateway], 0.1)
    assert [one.rpartition("last: ")[2] for one in late] == ([reason] if reason else [])
