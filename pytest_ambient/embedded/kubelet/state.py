"""How containers and pods look in a pod's status."""

import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..api.store import timestamp
from ..objects import Object


@dataclass
class ContainerState:
    """What the kubelet knows of one container."""

    name: str
    image: str
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: Object = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    started: bool = False
    id: str = ""

    @classmethod
    def pending(cls, spec: Object, *, behind: bool) -> "ContainerState":
        """Of a container whose turn has not come; `behind` others that initialize the pod, it waits for them."""
        reason = "PodInitializing" if behind else "ContainerCreating"
        return cls(str(spec["name"]), str(spec.get("image", "")), {"waiting": {"reason": reason}})

    @property
    def running(self) -> bool:
        """Whether its program runs."""
        return "running" in self.state

    @property
    def succeeded(self) -> bool:
        """Whether it ended well, for good."""
        return bool(self.state.get("terminated", {}).get("exitCode") == 0)

    def run(self) -> None:
        """Its program has started."""
        self.id = f"embedded://{secrets.token_hex(32)}"
        self.state = {"running": {"startedAt": timestamp()}}

    def wait(self, reason: str, message: str = "") -> None:
        """It waits for something."""
        self.state = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
        self.ready = self.started = False

    def end(self, code: int, reason: str, message: str = "") -> None:
        """Its program has ended."""
        began = self.state.get("running", {}).get("startedAt", timestamp())
        ended: Object = {"containerID": self.id, "exitCode": code, "reason": reason}
        ended |= {"message": message} if message else {}
        self.state = {"terminated": ended | {"startedAt": began, "finishedAt": timestamp()}}
        self.ready = self.started = False

    def conclude(self) -> None:
        """No run follows: the last one is what it came to."""
        if "terminated" in self.last and "terminated" not in self.state:
            self.state, self.last = self.last, {}
        elif "terminated" not in self.state:
            self.end(137, "ContainerStatusUnknown", "The container could not be located when the pod was terminated")

    def described(self) -> Object:
        """Its entry in the pod's status."""
        digest = hashlib.sha256(self.image.encode()).hexdigest()
        return {
            **({"containerID": self.id} if self.id else {}),
            "image": self.image,
            "imageID": f"embedded://sha256:{digest}" if self.id else "",
            "lastState": self.last,
            "name": self.name,
            "ready": self.ready,
            "resources": {},
            "restartCount": self.restarts,
            "started": self.started,
            "state": self.state,
        }


def condition(kind: str, holds: bool, generation: int, previous: Sequence[Object], *why: str) -> Object:
    """A condition, with the time of its last change; `why` is reason and message."""
    status = "True" if holds else "False"
    old = next((each for each in previous if each.get("type") == kind), {})
    since = old["lastTransitionTime"] if old.get("status") == status else timestamp()
    told = dict(zip(("message", "reason"), reversed(why), strict=False)) if why and not holds else {}
    return {
        "lastProbeTime": None,
        "lastTransitionTime": since,
        **told,
        "observedGeneration": generation,
        "status": status,
        "type": kind,
    }


_FINAL = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}


def conditions(
    pod: Object, initialized: bool, containers: Sequence[ContainerState], served: bool, phase: str
) -> list[Object]:
    """The conditions of a pod in that phase, in the kubelet's order; those that others set follow as they are."""
    generation = int(pod["metadata"].get("generation", 1))
    previous = pod.get("status", {}).get("conditions") or []
    unready = [each.name for each in containers if not each.ready]
    ready = initialized and served and not unready and phase not in _FINAL
    listed = " ".join(unready or [each.name for each in containers])
    why = ("ContainersNotReady", f"containers with unready status: [{listed}]")
    if phase in _FINAL:
        why = (_FINAL[phase], "")

    closed = _closed(pod["spec"].get("readinessGates") or (), previous)
    gates = ("ReadinessGatesNotReady", ", ".join(closed)) if ready else why

    def stated(kind: str, holds: bool, *reason: str) -> Object:
        return condition(kind, holds, generation, previous, *reason)

    own = [
        stated("PodReadyToStartContainers", True),
        stated("Initialized", initialized, "ContainersNotInitialized", "containers with incomplete status"),
        stated("Ready", ready and not closed, *gates),
        stated("ContainersReady", ready, *why),
        stated("PodScheduled", True),
    ]
    kinds = {each["type"] for each in own}
    return [*own, *(each for each in previous if each.get("type") not in kinds)]


def _closed(gates: Iterable[Object], conditions: Iterable[Object]) -> list[str]:
    """What the kubelet says of each gate whose condition does not hold."""
    told = {each.get("type"): each.get("status") for each in conditions}
    found = []
    for each in gates:
        gate = each["conditionType"]
        if gate not in told:
            found.append(f'corresponding condition of pod readiness gate "{gate}" does not exist.')
        elif told[gate] != "True":
            found.append(f'the status of pod readiness gate "{gate}" is not "True", but {told[gate]}')
    return found


def phase(policy: str, containers: Sequence[ContainerState]) -> str:
    """The pod's phase, from its containers and its restart policy."""
    if any("waiting" in each.state and not each.restarts and not each.last for each in containers):
        return "Pending"
    ended = [each for each in containers if "terminated" in each.state]
    if len(ended) == len(containers) and policy != "Always":
        failed = any(not each.succeeded for each in ended)
        if not failed:
            return "Succeeded"
        if policy == "Never":
            return "Failed"
    return "Running"


def quality(containers: Iterable[Object]) -> str:
    """The quality-of-service class of a pod with these containers."""
    resources = [each.get("resources") or {} for each in containers]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    alike = all(
        _complete(each.get("limits") or {}) and (each.get("requests") or each["limits"]) == each["limits"]
        for each in resources
    )
    return "Guaranteed" if alike else "Burstable"


def _complete(limits: Mapping[str, object]) -> bool:
    return {"cpu", "memory"} <= limits.keys()


class BackOff:
    """How long to wait before a container is started again: not at all, then 10 s, twice as long each time."""

    first, longest, forgiven = 10.0, 300.0, 600.0

    def __init__(self) -> None:
        self._failures = 0
        self._began = time.monotonic()

    def started(self) -> None:
        """The container runs."""
        self._began = time.monotonic()

    def next(self) -> float:
        """Seconds until the next start, now that it has ended."""
        if time.monotonic() - self._began > self.forgiven:
            self._failures = 0
        self._failures += 1
        return 0.0 if self._failures == 1 else min(self.first * 2 ** (self._failures - 2), self.longest)
