"""StatefulSets: pods that keep their names, made and replaced one after another."""

import time
from collections.abc import Iterable

from ..api.copying import copied
from ..api.errors import Cause, invalid
from ..api.store import Change, Store, find
from ..objects import Object, labels_of, name_of, namespace_of
from .claims import claimed, concerned
from .events import Recorder
from .owned import digest, ready, reference
from .queue import Controller, Key, itself
from .revisions import record

_SET, _POD = find("StatefulSet", "apps"), find("Pod")
_HASH = "controller-revision-hash"
_NAME = "statefulset.kubernetes.io/pod-name"
PAUSE = 1.0
"""Seconds that a name is free before it is used again: `kubectl delete` looks twice whether the pod has gone, and would
wait for ever for the end of one that has come in between."""


class StatefulSets(Controller):
    """Makes pods from the first to the last, takes them away and replaces them from the last to the first."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = Recorder(store, "statefulset-controller")
        store.admit(_SET, _refuse)
        self._gone: dict[Key, float] = {}
        """When pods of StatefulSets went that are not made again yet."""

    def touched(self, change: Change) -> Iterable[Key]:
        """A StatefulSet itself, and the one whose pod has changed."""
        if change.type == "DELETED" and change.resource == _POD and _NAME in labels_of(change.object):
            self._gone[itself(change)] = time.monotonic()
        return concerned(self.store, change, _SET, _POD)

    def reconcile(self, namespace: str, name: str) -> None:
        """Bring one StatefulSet a step nearer to what it asks for."""
        owner = self.store.get(_SET, name, namespace)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        short = digest(owner["spec"]["template"])
        word = f"{name}-{short}"
        record(self.store, owner, short, {"controller.kubernetes.io/hash": short})
        members = claimed(self.store, _POD, owner, lambda pod: name_of(pod).rpartition("-")[0] == name)
        pods = {name_of(each): each for each in members}
        wanted = _names(owner)
        self._step(owner, wanted, pods, word)
        self._report(owner, [pods[each] for each in wanted if each in pods], word)

    def _step(self, owner: Object, wanted: list[str], pods: dict[str, Object], word: str) -> None:
        """Make, end or replace pods; in order nothing more is done before what comes first is ready."""
        in_order = owner["spec"].get("podManagementPolicy") != "Parallel"
        for each in wanted:
            pod = pods.get(each)
            if pod and pod.get("status", {}).get("phase") in ("Succeeded", "Failed") and not _leaves(pod):
                self._delete(owner, pod)
            if pod is None and (left := self._pause(namespace_of(owner), each)) > 0:
                self.enqueue((namespace_of(owner), name_of(owner)), left)
                return
            if pod is None:
                pods[each] = pod = self._create(owner, each, word)
            if in_order and not ready(pod):
                return
        spare = sorted((each for each in pods if each not in wanted), key=_ordinal, reverse=True)
        for each in spare:
            if not _leaves(pods[each]):
                self._delete(owner, pods[each])
            if in_order:
                return
        if all(ready(pods[each]) for each in wanted):
            self._replace(owner, wanted, pods, word)

    def _pause(self, namespace: str, name: str) -> float:
        """For how many seconds the name must stay free."""
        gone = self._gone.get((namespace, name))
        left = 0.0 if gone is None else gone + PAUSE - time.monotonic()
        if left <= 0:
            self._gone.pop((namespace, name), None)
        return left

    def _replace(self, owner: Object, wanted: list[str], pods: dict[str, Object], word: str) -> None:
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        first = int((strategy.get("rollingUpdate") or {}).get("partition", 0))
        old = [each for each in wanted if labels_of(pods[each]).get(_HASH) != word and _ordinal(each) >= first]
        if old:
            self._delete(owner, pods[old[-1]])

    def _create(self, owner: Object, name: str, word: str) -> Object:
        template = copied(owner["spec"]["template"])
        meta = template.get("metadata") or {}
        own = {
            _HASH: word,
            _NAME: name,
            "apps.kubernetes.io/pod-index": str(_ordinal(name)),
        }
        made = self.store.create(
            _POD,
            {
                "metadata": {
                    **({"annotations": meta["annotations"]} if meta.get("annotations") else {}),
                    "generateName": f"{name_of(owner)}-",
                    "name": name,
                    "namespace": namespace_of(owner),
                    "labels": (meta.get("labels") or {}) | own,
                    "ownerReferences": [reference(owner)],
                },
                "spec": template["spec"] | {"hostname": name, "subdomain": owner["spec"].get("serviceName", "")},
            },
        )
        self._told(owner, "SuccessfulCreate", "create", name)
        return made

    def _delete(self, owner: Object, pod: Object) -> None:
        self.store.delete(_POD, name_of(pod), namespace_of(pod))
        self._told(owner, "SuccessfulDelete", "delete", name_of(pod))

    def _told(self, owner: Object, reason: str, verb: str, pod: str) -> None:
        self._events.emit(owner, "Normal", reason, f"{verb} Pod {pod} in StatefulSet {name_of(owner)} successful")

    def _report(self, owner: Object, pods: list[Object], word: str) -> None:
        serving = sum(map(ready, pods))
        new = sum(labels_of(each).get(_HASH) == word for each in pods)
        whole = new == len(pods) == int(owner["spec"].get("replicas", 1)) == serving
        current = word if whole else owner.get("status", {}).get("currentRevision", word)
        counts = {"availableReplicas": serving, "readyReplicas": serving, "updatedReplicas": new}
        counts["currentReplicas"] = sum(labels_of(each).get(_HASH) == current for each in pods)
        status: Object = {key: count for key, count in counts.items() if count} | {"availableReplicas": serving}
        status |= {"collisionCount": 0, "currentRevision": current, "updateRevision": word, "replicas": len(pods)}
        status["observedGeneration"] = owner["metadata"]["generation"]
        self.store.set_status(_SET, name_of(owner), namespace_of(owner), status)


def _names(owner: Object) -> list[str]:
    first = int((owner["spec"].get("ordinals") or {}).get("start", 0))
    return [f"{name_of(owner)}-{first + number}" for number in range(int(owner["spec"].get("replicas", 1)))]


def _ordinal(name: str) -> int:
    word = name.rpartition("-")[2]
    return int(word) if word.isdecimal() else -1


def _leaves(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _refuse(new: Object, old: Object | None) -> None:
    if new["spec"].get("volumeClaimTemplates"):
        text = "Forbidden: the embedded cluster does not implement volumes that outlive a pod"
        raise invalid(_SET, name_of(new), [Cause("spec.volumeClaimTemplates", text, "FieldValueForbidden")])
