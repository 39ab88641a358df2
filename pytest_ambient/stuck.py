"""Pods that will not start however long one waits: no image, node or sandbox, a program that ends; and what helps."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import KubeError
from pytest_ambient.redact import redacted
from pytest_ambient.unstarted import Nodes, Unstarted, events, name_of

PULLING = ("ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed")
REFUSED = ("InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError")
PULLED_WITHIN, TAKEN_WITHIN, PLACED_WITHIN = 90.0, 15.0, 120.0
"""Seconds without a good moment after which an image, a container's configuration, a node for a pod will not come.

The kubelet tries an image again after 10, 20 and 40 seconds: up to three failures are no reason to give up.
"""
ENDINGS = 4
"""How often a program may end before it is taken for one that always will."""
PROGRAM = "program"
"""In what a pod is stuck whose program ends."""
WORDS = (3, 400)
"""Lines and characters of its log that a program which ends is told with."""
SCALERS = ("TriggeredScaleUp", "Nominated")
"""Events of those who bring a node for a pod."""

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Stuck:
    """Why one pod does not run at this moment."""

    key: Key
    """The pod, its container and in what it is stuck: the same at the next look while that goes on."""
    what: str
    """In words that seconds follow."""
    within: float
    message: str
    remedy: str


@dataclass
class Waits:
    """Knows for how long pods have been stuck, over looks at them."""

    clock: Callable[[], float] = time.monotonic
    mesh: bool = True
    """Whether that counts of which the mesh may be the cause, such as a program that keeps ending: not where the mesh
    is judged."""
    given_up: bool = field(default=False, init=False)
    """Whether one was found stuck for good."""
    word: str = field(default="", init=False)
    """What a node said last of a pod that it has not started, to stand behind other words."""
    _since: dict[Key, float] = field(default_factory=dict)
    _told: dict[Key, str] = field(default_factory=dict)
    _nodes: Nodes = field(default_factory=Nodes)

    def look(self, kube: Kube, pods: Sequence[Object]) -> str | None:
        """Take the pods as they are now; why one of them is stuck for good, in one line with what helps."""
        now, found = self.clock(), [one for pod in pods for one in stuck(pod) if self.mesh or one.key[2] != PROGRAM]
        self._since = {one.key: self._since.get(one.key, now) for one in found}
        for one in found:
            # a back-off says less than the failure before it
            self._told[one.key] = max(one.message, self._told.get(one.key, ""), key=len)
            lasted = now - self._since[one.key]
            if lasted >= one.within and not _node_comes(kube, one.key):
                seconds = f" for {lasted:.0f} s" if one.within else ""
                self.given_up = True
                told = " ".join(self._told[one.key].split()) + _last_words(kube, one.key)
                return f"pod {one.key[0]} {one.what}{seconds}: {told or 'nobody says why'}: {one.remedy}"
        return self._unstarted(list(self._nodes.look(kube, pods, now)))

    def _unstarted(self, found: Sequence[Unstarted]) -> str | None:
        newest = max(found, key=lambda one: one.when, default=None)
        self.word = f"; pod {newest.pod}: {newest.said}" if newest else ""
        never = next((one for one in found if one.for_good and (self.mesh or not one.mesh)), None)
        self.given_up |= never is not None
        return str(never) if never else None


def stuck(pod: Object) -> Iterator[Stuck]:
    """What keeps a pod from running; nothing for one that is about to go."""
    meta, status = pod["metadata"], pod.get("status") or {}
    if "deletionTimestamp" in meta:
        return
    name = name_of(pod)
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            remedy = "make room in the cluster, or add a node"
            yield Stuck((name, "", "node"), "finds no node", PLACED_WITHIN, str(condition.get("message", "")), remedy)
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        yield from _container(name, each)


def _container(pod: str, status: Object) -> Iterator[Stuck]:
    waiting = (status.get("state") or {}).get("waiting") or {}
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    name, image = str(status.get("name", "")), str(status.get("image", ""))
    if reason in PULLING:
        remedy = "take images from a mirror with --ambient-hub, or bring this one to the nodes"
        yield Stuck((pod, name, "image"), f"does not get image {image}", PULLED_WITHIN, f"{reason}: {message}", remedy)
    elif reason in REFUSED:
        what, remedy = f"cannot make container {name} of {image}", f"kubectl describe pod -n {pod.replace('/', ' ')}"
        yield Stuck((pod, name, "container"), what, TAKEN_WITHIN, f"{reason}: {message}", remedy)
    elif reason == "CrashLoopBackOff" and status.get("restartCount", 0) >= ENDINGS - 1:
        namespace, _, own = pod.partition("/")
        remedy = f"kubectl logs -n {namespace} {own} -c {name} --previous"
        what = f"does not keep container {name} of {image}"
        yield Stuck((pod, name, PROGRAM), what, 0.0, _ending(status, message), remedy)


def _ending(status: Object, message: str) -> str:
    last = (status.get("lastState") or {}).get("terminated")
    if not last:
        return message
    how = f"exit code {last.get('exitCode')}, {last.get('reason') or 'no reason given'}"
    return f"it ended {status.get('restartCount', 0) + 1} times, last with {how}"


def _last_words(kube: Kube, key: Key) -> str:
    """What a program wrote last before it ended, without secrets; empty where it is not known."""
    pod, container, stuck_in = key
    if stuck_in != PROGRAM:
        return ""
    namespace, _, name = pod.partition("/")
    try:
        log = redacted(kube.logs(namespace, name, container, tail=WORDS[0], previous=True))
    except KubeError:  # it only explains
        return ""
    text = " | ".join(filter(None, (" ".join(line.split()) for line in log.splitlines())))
    cut = f"…{text[-WORDS[1] :]}" if len(text) > WORDS[1] else text
    return f", its last words: {cut}" if cut else ""


def _node_comes(kube: Kube, key: Key) -> bool:
    """Whether somebody has said that he brings a node for a pod."""
    if key[2] != "node":
        return False
    namespace, _, name = key[0].partition("/")
    told = (e for e in events(kube, namespace) if (e.get("involvedObject") or {}).get("name") == name)
    return any(event.get("reason") in SCALERS for event in told)
