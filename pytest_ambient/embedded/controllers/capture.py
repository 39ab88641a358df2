"""Which pods ztunnel captures, and the annotation that says so: the part of istio-cni in this cluster."""

import time
from collections.abc import Iterable

from ..api.copying import copied
from ..api.store import Change, Store, find
from ..faults import Fault
from ..objects import Object, annotations_of, labels_of, name_of, namespace_of
from .queue import Controller, Key, itself

_POD, _NAMESPACE = find("Pod"), find("Namespace")
REDIRECTION = "ambient.istio.io/redirection"
MODE = "istio.io/dataplane-mode"
WAYPOINT = "gateway.networking.k8s.io/gateway-name"
EXCLUDED = frozenset({"kube-system"})
LATE = 6.0
"""Seconds by which capture is late under the fault late-capture."""
_SIDECAR = "sidecar.istio.io/status"


def enrolled(pod: Object, namespace: Object, *, asked: bool = True) -> bool:
    """Whether the pod is to be captured: its own label, where it is asked, beats its namespace's; some are never."""
    if namespace_of(pod) in EXCLUDED or pod["spec"].get("hostNetwork") or _SIDECAR in annotations_of(pod):
        return False
    own = labels_of(pod).get(MODE) if asked or WAYPOINT in labels_of(pod) else None
    return own == "ambient" or (labels_of(namespace).get(MODE) == "ambient" and own != "none")


class Capture(Controller):
    """Annotates pods as they start and whenever a label changes."""

    def __init__(self, store: Store, faults: frozenset[Fault] = frozenset()) -> None:
        super().__init__(store)
        self._faults = faults
        self._wanted: dict[str, float] = {}
        """Under the fault late-capture: since when each pod, known by its uid, is to be captured."""

    def touched(self, change: Change) -> Iterable[Key]:
        """A pod that has an address; all those of a namespace whose labels have changed."""
        if change.type == "DELETED":
            return ()
        if change.resource == _POD and change.object.get("status", {}).get("podIP"):
            return (itself(change),)
        if change.resource == _NAMESPACE and change.old and labels_of(change.old) != labels_of(change.object):
            pods = self.store.list(_POD, name_of(change.object))
            return [(namespace_of(each), name_of(each)) for each in pods if each.get("status", {}).get("podIP")]
        return ()

    def reconcile(self, namespace: str, name: str) -> None:
        """Bring a running pod's annotation to what its labels ask for."""
        pod = self.store.get(_POD, name, namespace)
        if pod and "deletionTimestamp" not in pod["metadata"]:
            self.capture(pod)

    def capture(self, pod: Object) -> None:
        """Take a pod in, or let it go; called once more by its node before its containers start."""
        known = self.store.get(_POD, name_of(pod), namespace_of(pod))
        space = self.store.get(_NAMESPACE, namespace_of(pod)) or {}
        if known is None or known["metadata"]["uid"] != pod["metadata"]["uid"]:
            return
        asked = Fault.OPT_OUT_IGNORED not in self._faults
        wanted = enrolled(known, space, asked=asked) and not self._missed(known)
        if self._too_early(known, wanted=wanted):
            return
        if wanted == (annotations_of(known).get(REDIRECTION) == "enabled"):
            return
        changed = copied(known)
        notes = changed["metadata"].setdefault("annotations", {})
        if wanted:
            notes[REDIRECTION] = "enabled"
        else:
            notes.pop(REDIRECTION, None)
        if not notes:
            del changed["metadata"]["annotations"]
        self.store.replace(_POD, changed)

    def _too_early(self, pod: Object, *, wanted: bool) -> bool:
        """The fault late-capture: a pod is passed over for some seconds."""
        if Fault.LATE_CAPTURE not in self._faults or not wanted:
            self._wanted.pop(pod["metadata"]["uid"], None)
            return False
        now = time.monotonic()
        since = self._wanted.setdefault(pod["metadata"]["uid"], now)
        if early := now - since < LATE:
            self.enqueue((namespace_of(pod), name_of(pod)), since + LATE - now + 0.01)
        return early

    def _missed(self, pod: Object) -> bool:
        """The fault pod-not-captured: details-v1 is passed over."""
        labels = labels_of(pod)
        return (
            Fault.POD_NOT_CAPTURED in self._faults and labels.get("app") == "details" and labels.get("version") == "v1"
        )
