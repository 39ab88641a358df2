"""Pods that will never start: given up early with what helps, while single failures cost nothing."""

from typing import Any, cast

import pytest

from pytest_ambient import stuck
from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden, NotFound
from pytest_ambient.stuck import Waits
from pytest_ambient.testing import FakeKube, ManualClock

Object = dict[str, Any]
IMAGE = "docker.io/istio/examples-bookinfo-details-v1:1.20.3"
HUB = "take images from a mirror with --ambient-hub, or bring this one to the nodes"
DETAIL = f'failed to pull and unpack image "{IMAGE}": not found'


def pod(reason: str = "", message: str = "", *, restarts: int = 0, ended: Object | None = None, **meta: Any) -> Object:
    """A pod whose container waits for a reason, or runs."""
    state = {"waiting": {"reason": reason, "message": message}} if reason else {"running": {}}
    container: Object = {"name": "details", "image": IMAGE, "state": state, "restartCount": restarts}
    if ended is not None:
        container["lastState"] = {"terminated": ended}
    return {
        "metadata": {"name": "details-v1-x", "namespace": "shop", **meta},
        "status": {"containerStatuses": [container]},
    }


def unscheduled(message: str) -> Object:
    """A pod without a node."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"metadata": {"name": "details-v1-x", "namespace": "shop"}, "status": {"conditions": [condition]}}


class Bench:
    """Looks at pods as time goes by."""

    def __init__(self) -> None:
        self.clock, self.kube = ManualClock(), FakeKube()
        self.waits = Waits(self.clock)

    def look(self, seconds: float, *pods: Object) -> None:
        """Look, and let so much time go by."""
        assert self.waits.look(cast(Kube, self.kube), pods) is None
        self.clock.sleep(seconds)

    def told(self, *pods: Object) -> str:
        """What is said when it gives up, now."""
        told = self.waits.look(cast(Kube, self.kube), pods)
        assert told
        return told


@pytest.fixture
def bench() -> Bench:
    """A clock at zero."""
    return Bench()


def test_an_image_that_does_not_come_is_given_up(bench: Bench) -> None:
    """After the kubelet's fourth try, with what it said when it failed: its back-off says less."""
    bench.look(10, pod("ErrImagePull", DETAIL))
    bench.look(79, pod("ImagePullBackOff", "Back-off"))
    bench.look(1, pod("ImagePullBackOff", "Back-off"))
    assert bench.told(pod("ImagePullBackOff", "Back-off")) == (
        f"pod shop/details-v1-x does not get image {IMAGE} for 90 s: ErrImagePull: {DETAIL}: {HUB}"
    )


def test_one_failure_to_pull_is_no_end(bench: Bench) -> None:
    """A registry that was down for a moment: what begins anew has all its time again."""
    for _ in range(5):
        bench.look(70, pod("ImagePullBackOff", "Back-off"))
        bench.look(1, pod("ContainerCreating"))
    bench.look(89, pod("ErrImagePull", DETAIL))
    bench.look(0, pod())


@pytest.mark.parametrize("reason", stuck.REFUSED)
def test_a_container_that_cannot_be_made_is_given_up_soon(bench: Bench, reason: str) -> None:
    """Nothing that goes by itself; it has no log."""
    bench.kube.lines["shop/details-v1-x before"] = "of another time"
    bench.look(14, pod(reason, "no way"))
    bench.look(1, pod(reason, "no way"))
    assert bench.told(pod(reason, "no way")) == (
        f"pod shop/details-v1-x cannot make container details of {IMAGE} for 15 s: {reason}: no way: "
        "kubectl describe pod -n shop details-v1-x"
    )


def test_a_program_that_always_ends_is_given_up(bench: Bench) -> None:
    """Not one that ended while its surroundings came up."""
    ended = {"exitCode": 1, "reason": "Error"}
    bench.look(500, pod("CrashLoopBackOff", "back-off 20s", restarts=2, ended=ended))
    assert bench.told(pod("CrashLoopBackOff", "back-off 40s", restarts=3, ended=ended)) == (
        f"pod shop/details-v1-x does not keep container details of {IMAGE}: "
        "it ended 4 times, last with exit code 1, Error: kubectl logs -n shop details-v1-x -c details --previous"
    )


ENDED = (
    f"pod shop/details-v1-x does not keep container details of {IMAGE}: "
    "it ended 4 times, last with exit code 1, Error%s: kubectl logs -n shop details-v1-x -c details --previous"
)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("\n  \n", ""),
        ("starting\n\n  no   such file\n", ", its last words: starting | no such file"),
        ("token: abcdefghij\nno way", ", its last words: token: <redacted> | no way"),
        (f"{'x' * 500}\nno way", f", its last words: …{'x' * 391} | no way"),
    ],
)
def test_a_program_that_ends_is_told_with_its_last_words(bench: Bench, log: str, words: str) -> None:
    """Of its life before, in one line without secrets."""
    asked = list[tuple[object, ...]]()

    def logs(namespace: str, pod: str, container: str, *, since_time: str | None = None, tail: int | None = None,
             previous: bool = False) -> str:  # fmt: skip
        asked.append((namespace, pod, container, tail, previous))
        return log

    bench.kube.logs = logs  # type: ignore[method-assign]  # a double
    crashed = pod("CrashLoopBackOff", "back-off 40s", restarts=3, ended={"exitCode": 1, "reason": "Error"})
    assert bench.told(crashed) == ENDED % words
    assert asked == [("shop", "details-v1-x", "details", 3, True)]


@pytest.mark.parametrize("error", [Forbidden("pods/log is forbidden"), NotFound("no previous container")])
def test_a_log_that_cannot_be_read_is_left_out(bench: Bench, error: Exception) -> None:
    """The ending itself is told all the same."""

    def refuse(*arguments: object, **options: object) -> str:
        raise error

    bench.kube.logs = refuse  # type: ignore[method-assign]  # the double is made to refuse
    crashed = pod("CrashLoopBackOff", "back-off 40s", restarts=3, ended={"exitCode": 1, "reason": "Error"})
    assert bench.told(crashed) == ENDED % ""


def test_a_pod_without_a_node_is_given_up(bench: Bench) -> None:
    """In the scheduler's words, which may be many lines."""
    bench.look(119, unscheduled("0/3 nodes"))
    bench.look(1, unscheduled("0/3 nodes"))
    assert bench.told(unscheduled("0/3 nodes are available:\n3 Insufficient cpu.")) == (
        "pod shop/details-v1-x finds no node for 120 s: 0/3 nodes are available: 3 Insufficient cpu.: "
        "make room in the cluster, or add a node"
    )


@pytest.mark.parametrize("reason", stuck.SCALERS)
def test_a_node_that_is_being_made_is_waited_for(bench: Bench, reason: str) -> None:
    """Autoscalers say so in an event of the pod; another pod's is none."""
    event = {"reason": reason, "involvedObject": {"name": "details-v1-y"}}
    bench.kube.objects["v1/Event", "shop", "e"] = {"metadata": {"name": "e", "namespace": "shop"}, **event}
    bench.look(120, unscheduled("0/3 nodes"))
    bench.told(unscheduled("0/3 nodes"))
    event["involvedObject"] = {"name": "details-v1-x"}
    bench.kube.objects["v1/Event", "shop", "e"] |= event
    bench.look(500, unscheduled("0/3 nodes"))


def test_who_may_not_see_events_gives_up_all_the_same(bench: Bench) -> None:
    """An account without rights on them."""

    def refuse(kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Object]:
        raise Forbidden("events is forbidden")

    bench.kube.list = refuse  # type: ignore[method-assign]  # the double is made to refuse
    bench.look(120, unscheduled("0/3 nodes"))
    assert "finds no node for 120 s" in bench.told(unscheduled("0/3 nodes"))


def test_pods_that_run_or_go_are_not_stuck(bench: Bench) -> None:
    """Nor is one that is only slow: the deadline is for those."""
    for _ in range(10):
        bench.look(
            100,
            pod(),
            pod("ImagePullBackOff", "x", deletionTimestamp="now"),
            pod("ContainerCreating"),
            {"metadata": {"name": "new", "namespace": "shop"}},
        )


def test_containers_that_start_first_count_too(bench: Bench) -> None:
    """Somebody's webhook may have put one in."""
    one = pod("ErrImagePull", DETAIL)
    one["status"]["initContainerStatuses"] = one["status"].pop("containerStatuses")
    bench.look(90, one)
    assert "does not get image" in bench.told(one)
