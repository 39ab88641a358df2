"""Pods that a node cannot start: given up while that goes on, in the words of the node's newest event."""

from typing import Any, cast

import pytest

from pytest_ambient import unstarted
from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden, ServerGone
from pytest_ambient.stuck import Waits
from pytest_ambient.testing import FakeKube, ManualClock

Object = dict[str, Any]
NO_MESH = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
    '"3f8c": plugin type="istio-cni" name="istio-cni" failed (add): no ztunnel connection'
)
NO_NETWORK = NO_MESH.replace("istio-cni", "calico").replace("no ztunnel connection", "no pool")
NO_VOLUME = 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
SANDBOX = "FailedCreatePodSandBox"
NAME = "shop/details-v1-x"
SEE = "kubectl get pods -A -o wide --field-selector spec.nodeName=lab-1"


def creating(reason: str = "ContainerCreating", ready: str | None = "False", **status: Any) -> Object:
    """A pod that has a node and nothing there yet."""
    conditions = [{"type": "PodScheduled", "status": "True"}]
    conditions += [{"type": "PodReadyToStartContainers", "status": ready}] if ready else []
    waiting = {"name": "details", "state": {"waiting": {"reason": reason}}}
    return {
        "metadata": {"name": "details-v1-x", "namespace": "shop", "uid": "u1"},
        "spec": {"nodeName": "lab-1"},
        "status": {"phase": "Pending", "conditions": conditions, "containerStatuses": [waiting], **status},
    }


class Bench:
    """A cluster with events, looked at as time goes by."""

    def __init__(self) -> None:
        self.clock, self.kube, self.asked = ManualClock(), FakeKube(), 0
        self.waits = Waits(self.clock)
        listing = self.kube.list

        def listed(kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Object]:
            assert (kind, namespace, fields) == ("v1/Event", "shop", "involvedObject.kind=Pod")
            self.asked += 1
            return listing(kind, namespace)

        self.kube.list = listed  # type: ignore[method-assign]  # counts

    def event(self, reason: str, message: str, count: int, *, uid: str = "u1", name: str = "details-v1-x") -> None:
        """Let the node say something, now and so many times in all."""
        key = f"{reason}-{uid}"
        stamp = f"2026-11-22T00:{int(self.clock.now) // 60:02}:{int(self.clock.now) % 60:02}Z"
        self.kube.objects["v1/Event", "shop", key] = {
            "metadata": {"name": key, "namespace": "shop"},
            "involvedObject": {"name": name, "uid": uid},
            "reason": reason,
            "message": message,
            "count": count,
            "lastTimestamp": stamp,
        }

    def look(self, pod: Object | None = None) -> str | None:
        """What is said now of a pod that is being made."""
        return self.waits.look(cast(Kube, self.kube), [creating() if pod is None else pod])

    def fails(self, seconds: int, reason: str = SANDBOX, message: str = NO_MESH, pod: Object | None = None) -> None:
        """Let the node try every ten seconds, and look once a second, so long."""
        for _ in range(seconds):
            if self.clock.now % 10 == 0:
                self.event(reason, message, int(self.clock.now) // 10 + 1)
            assert self.look(pod) is None
            self.clock.sleep(1)


@pytest.fixture
def bench() -> Bench:
    """A clock at zero."""
    return Bench()


@pytest.mark.parametrize(
    ("reason", "message", "told"),
    [
        (
            SANDBOX,
            NO_MESH,
            f"gets no sandbox on node lab-1 for 90 s: {SANDBOX}: {NO_MESH}: "
            f"look at ztunnel and istio-cni on node lab-1: {SEE}",
        ),
        (
            SANDBOX,
            NO_MESH.replace("istio", "kmesh"),
            f"gets no sandbox on node lab-1 for 90 s: {SANDBOX}: {NO_MESH.replace('istio', 'kmesh')}: "
            f"look at Kmesh on node lab-1: {SEE}",
        ),
        (
            "NetworkNotReady",
            "network is not ready:\n cni plugin not initialized",
            "gets no sandbox on node lab-1 for 90 s: NetworkNotReady: network is not ready: cni plugin not "
            f"initialized: look at the network plugin on node lab-1: {SEE}",
        ),
        *(
            (
                reason,
                NO_VOLUME,
                f"does not get its volumes on node lab-1 for 90 s: {reason}: {NO_VOLUME}: "
                "bring what is missing: kubectl describe pod -n shop details-v1-x",
            )
            for reason in unstarted.VOLUME
        ),
    ],
)
def test_a_pod_that_a_node_cannot_start_is_given_up(bench: Bench, reason: str, message: str, told: str) -> None:
    """One line: the pod, its node, the newest event and what helps; asked for seldom."""
    bench.fails(90, reason, message)
    assert bench.look() == f"pod {NAME} {told}"
    assert bench.waits.given_up
    assert bench.asked == 9


@pytest.mark.parametrize("reason", unstarted.CREATING)
@pytest.mark.parametrize("ready", ["False", None])
def test_what_is_being_made_is_known_by_its_status(bench: Bench, reason: str, ready: str | None) -> None:
    """With containers that begin first, and where the kubelet does not tell of sandboxes."""
    bench.fails(90, pod=creating(reason, ready))
    assert bench.look(creating(reason, ready))


@pytest.mark.parametrize(
    "pod",
    [
        creating(ready="True"),
        creating(ready=None, podIP="10.0.0.1"),
        creating("ErrImagePull"),
        creating() | {"spec": {}},
        creating() | {"metadata": {"name": "details-v1-x", "namespace": "shop", "deletionTimestamp": "now"}},
    ],
)
def test_others_are_not_asked_about(bench: Bench, pod: Object) -> None:
    """Pods with a sandbox, without a node, on their way out: none costs a request."""
    bench.fails(80, pod=pod)
    assert bench.asked == 0
    assert not bench.waits.word


def test_a_node_that_makes_it_later_is_waited_for(bench: Bench) -> None:
    """The network came a minute after the pod: what pulls images has its sandbox, whatever its status says."""
    bench.fails(60)
    bench.event("Pulling", 'Pulling image "details"', 1)
    for _ in range(300):
        assert bench.look() is None
        bench.clock.sleep(1)
    assert not bench.waits.word


def test_a_node_that_does_not_fail_again_is_waited_for(bench: Bench) -> None:
    """It works at it, or nothing is known: then the deadline says when it is enough."""
    bench.fails(25)
    for _ in range(300):
        assert bench.look() is None
        bench.clock.sleep(1)
    assert bench.waits.word == f"; pod {NAME}: {SANDBOX}: {NO_MESH}"


@pytest.mark.parametrize("count", [1, 2])
def test_a_node_that_failed_once_or_twice_is_waited_for(bench: Bench, count: int) -> None:
    """One try may take a minute."""
    for second in range(300):
        if second >= 80 and second % 40 == 0:
            bench.event(SANDBOX, NO_MESH, count)
        assert bench.look() is None
        bench.clock.sleep(1)


def test_events_of_an_earlier_pod_of_that_name_do_not_count(bench: Bench) -> None:
    """A pod made anew; nor do those of another pod."""
    for second in range(300):
        bench.event(SANDBOX, NO_MESH, second, uid="u0")
        bench.event(SANDBOX, NO_MESH, second, uid="u2", name="details-v1-y")
        assert bench.look() is None
        bench.clock.sleep(1)
    assert not bench.waits.word


def test_a_pod_begins_anew_when_it_has_been_started(bench: Bench) -> None:
    """Its sandbox was lost: that is another wait."""
    bench.fails(80)
    assert bench.look(creating(ready="True")) is None
    bench.clock.sleep(10)
    bench.fails(80)


@pytest.mark.parametrize("error", [Forbidden("events is forbidden"), ServerGone("gone")])
def test_events_that_cannot_be_read_break_nothing(bench: Bench, error: Exception) -> None:
    """There is nothing to say then, and no end before the deadline."""

    def refuse(kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Object]:
        raise error

    bench.kube.list = refuse  # type: ignore[method-assign]  # the double is made to refuse
    bench.fails(200)
    assert not bench.waits.word


def test_the_newest_of_many_is_told(bench: Bench) -> None:
    """Alike ones are put together by the kubelet; newer ways of telling have other fields."""
    bench.fails(20)
    series = {"lastObservedTime": "2026-11-22T00:01:00.500000Z", "count": 4}
    bench.kube.objects["v1/Event", "shop", "new"] = {
        "metadata": {"name": "new", "namespace": "shop"},
        "involvedObject": {"name": "details-v1-x"},
        "reason": "FailedMount",
        "message": f"{unstarted.COMBINED}no such\nvolume",
        "series": series,
    }
    bench.look()
    assert bench.waits.word == f"; pod {NAME}: FailedMount: no such volume"
    bench.kube.objects["v1/Event", "shop", "new"]["message"] = ""
    bench.clock.sleep(10)
    bench.look()
    assert bench.waits.word == f"; pod {NAME}: FailedMount"


@pytest.mark.parametrize(
    ("message", "given_up"), [(NO_MESH, False), (NO_NETWORK, True), (NO_MESH.replace("istio", "kmesh"), False)]
)
def test_where_the_mesh_is_judged_its_own_failures_are_for_the_cases(
    bench: Bench, message: str, *, given_up: bool
) -> None:
    """Only what no mesh can be the cause of ends a rule early; the words are there all the same."""
    bench.waits = Waits(bench.clock, mesh=False)
    bench.fails(90, message=message)
    assert bool(bench.look()) is bench.waits.given_up is given_up
    assert bench.waits.word == f"; pod {NAME}: {SANDBOX}: {message}"


def test_of_many_pods_the_newest_word_is_told(bench: Bench) -> None:
    """Whichever was asked for first."""
    other = creating() | {"metadata": {"name": "ratings-v1-x", "namespace": "shop", "uid": "u2"}}
    for pods in ([creating(), other], [other, creating()]):
        bench.waits = Waits(bench.clock)
        bench.event(SANDBOX, "older", 1)
        bench.clock.sleep(10)
        bench.event(SANDBOX, "newer", 1, uid="u2", name="ratings-v1-x")
        for _ in range(2):
            assert bench.waits.look(cast(Kube, bench.kube), pods) is None
            bench.clock.sleep(10)
        assert bench.waits.word == f"; pod shop/ratings-v1-x: {SANDBOX}: newer"
