"""Pods that their nodes cannot start: no sandbox, no volume; told in the words of the node's events, seldom asked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import KubeError

WITHIN, LATELY, FAILURES = 90.0, 60.0, 3
"""A node will not start a pod that it has not started in so many seconds, while it failed within so many and so often.

The kubelet makes a sandbox anew every 10 to 15 seconds, and tries a volume at growing intervals of up to two minutes.
"""
ASKED_AFTER = 10.0
"""Seconds that a pod has before its events are asked for, and between two such questions."""
CREATING = ("ContainerCreating", "PodInitializing")
SANDBOX = ("FailedCreatePodSandBox", "NetworkNotReady")
VOLUME = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
BEYOND = ("Pulling", "Pulled", "Created", "Started")
"""Reasons of events that come when a pod has its sandbox: a status says so only once its images are there."""
MESHES = {"istio": "ztunnel and istio-cni", "kmesh": "Kmesh"}
"""What of a mesh to look at, by a word in what a node says."""
COMBINED = "(combined from similar events): "


@dataclass(frozen=True)
class Unstarted:
    """A pod that its node has not started, in the node's own words."""

    pod: str
    node: str
    reason: str
    message: str
    when: str
    lasted: float
    for_good: bool

    @property
    def mesh(self) -> str:
        """What of a mesh may be the cause; empty when none is."""
        return next((part for word, part in MESHES.items() if word in self.message.lower()), "")

    def __str__(self) -> str:
        what = "gets no sandbox" if self.reason in SANDBOX else "does not get its volumes"
        return f"pod {self.pod} {what} on node {self.node} for {self.lasted:.0f} s: {self.said}: {self._remedy}"

    @property
    def said(self) -> str:
        """Reason and message of the newest event."""
        return f"{self.reason}: {self.message}" if self.message else self.reason

    @property
    def _remedy(self) -> str:
        if self.reason in SANDBOX:
            look = f"kubectl get pods -A -o wide --field-selector spec.nodeName={self.node}"
            return f"look at {self.mesh or 'the network plugin'} on node {self.node}: {look}"
        return f"bring what is missing: kubectl describe pod -n {self.pod.replace('/', ' ')}"


@dataclass
class Nodes:
    """Knows for how long nodes have failed to start pods, over looks at them."""

    _since: dict[str, float] = field(default_factory=dict)
    _heard: dict[str, tuple[object, float]] = field(default_factory=dict)
    _asked: dict[str, tuple[float, list[Object]]] = field(default_factory=dict)

    def look(self, kube: Kube, pods: Iterable[Object], now: float) -> Iterator[Unstarted]:
        """The pods whose events say why they have not started."""
        waiting = {name_of(pod): pod for pod in pods if is_creating(pod)}
        self._since = {name: self._since.get(name, now) for name in waiting}
        for name, pod in waiting.items():
            lasted = now - self._since[name]
            told = self._told(kube, pod, name, now) if lasted >= ASKED_AFTER else []
            failed = [event for event in told if event.get("reason") in (*SANDBOX, *VOLUME)]
            newest = max(failed, key=when, default=None)
            beyond = [event for event in told if event.get("reason") in BEYOND]
            if newest is None or any(when(event) >= when(newest) for event in beyond):
                continue
            times = sum(map(count, failed))
            fails_on = now - self._news(name, (when(newest), times), now) <= LATELY
            for_good = lasted >= WITHIN and times >= FAILURES and fails_on
            message = " ".join(str(newest.get("message") or "").split()).removeprefix(COMBINED)
            node, reason = pod["spec"]["nodeName"], str(newest["reason"])
            yield Unstarted(name, node, reason, message, when(newest), lasted, for_good)

    def _told(self, kube: Kube, pod: Object, name: str, now: float) -> Sequence[Object]:
        """The events of one pod, not those of another one that had its name."""
        namespace = pod["metadata"].get("namespace", "")
        asked, found = self._asked.get(namespace, (None, []))
        if asked is None or now - asked >= ASKED_AFTER:
            found = events(kube, namespace)
            self._asked[namespace] = now, found
        return [event for event in found if is_about(event, pod)]

    def _news(self, name: str, news: object, now: float) -> float:
        """When it was heard first that things are as they are."""
        if self._heard.get(name, (None, 0.0))[0] != news:
            self._heard[name] = news, now
        return self._heard[name][1]


def is_creating(pod: Object) -> bool:
    """Whether a pod has a node but no sandbox there yet, as far as its status tells."""
    status, meta = pod.get("status") or {}, pod["metadata"]
    if "deletionTimestamp" in meta or not (pod.get("spec") or {}).get("nodeName"):
        return False
    conditions = {one.get("type"): one.get("status") for one in status.get("conditions") or []}
    begun = conditions.get("PodReadyToStartContainers", str(bool(status.get("podIP"))))
    each = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    reasons = {((one.get("state") or {}).get("waiting") or {}).get("reason") for one in each}
    return begun != "True" and not reasons.isdisjoint(CREATING)


def events(kube: Kube, namespace: str) -> list[Object]:
    """The events of pods of a namespace; none where they cannot be read: they only explain."""
    try:
        return kube.list("v1/Event", namespace, fields="involvedObject.kind=Pod")
    except KubeError:
        return []


def is_about(event: Object, pod: Object) -> bool:
    """Whether an event is of this very pod."""
    about, meta = event.get("involvedObject") or {}, pod["metadata"]
    uids = {about.get("uid"), meta.get("uid")} - {None, ""}
    return about.get("name") == meta["name"] and len(uids) <= 1


def when(event: Object) -> str:
    """The moment at which an event came last."""
    series = event.get("series") or {}
    times = (event.get("lastTimestamp"), series.get("lastObservedTime"), event.get("eventTime"))
    return str(next(filter(None, times), event["metadata"].get("creationTimestamp") or ""))


def count(event: Object) -> int:
    """How often an event came."""
    return int(event.get("count") or (event.get("series") or {}).get("count") or 1)


def name_of(pod: Object) -> str:
    """`NAMESPACE/NAME`."""
    return f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
