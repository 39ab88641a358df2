"""ReplicaSets: as many pods as they ask for."""

from collections.abc import Iterable

from ..api.copying import copied
from ..api.errors import ApiError
from ..api.names import random_suffix
from ..api.store import Change, Store, find, timestamp
from ..objects import Object, labels_of, name_of, namespace_of
from .claims import claimed, concerned
from .events import Recorder
from .owned import available_in, ready, reference
from .queue import Controller, Key

_SET, _POD = find("ReplicaSet", "apps"), find("Pod")


class ReplicaSets(Controller):
    """Makes and deletes pods."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = Recorder(store, "replicaset-controller")

    def touched(self, change: Change) -> Iterable[Key]:
        """A ReplicaSet itself, and the one whose pod has changed or may be."""
        return concerned(self.store, change, _SET, _POD)

    def reconcile(self, namespace: str, name: str) -> None:
        """Bring the number of pods to the number asked for."""
        owner = self.store.get(_SET, name, namespace)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        pods = [each for each in claimed(self.store, _POD, owner) if _counts(each)]
        missing = int(owner["spec"].get("replicas", 1)) - len(pods)
        failure = ""
        try:
            for _ in range(missing):
                pods.append(self._create(owner))
            for each in sorted(pods, key=_worth)[: max(0, -missing)]:
                self._delete(owner, each)
                pods.remove(each)
        except ApiError as error:
            failure = error.message
            raise
        finally:
            self._report(owner, pods, failure)

    def _create(self, owner: Object) -> Object:
        template = copied(owner["spec"]["template"])
        meta = template.get("metadata") or {}
        stem = f"{name_of(owner)}-"
        pod = {
            "metadata": {
                "generateName": stem,
                "name": stem[:58] + random_suffix(),
                "namespace": namespace_of(owner),
                "labels": meta.get("labels") or {},
                "ownerReferences": [reference(owner)],
                **({"annotations": meta["annotations"]} if meta.get("annotations") else {}),
            },
            "spec": template["spec"],
        }
        try:
            made = self.store.create(_POD, pod)
        except ApiError as error:
            self._events.emit(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        self._events.emit(owner, "Normal", "SuccessfulCreate", f"Created pod: {name_of(made)}")
        return made

    def _delete(self, owner: Object, pod: Object) -> None:
        self.store.delete(_POD, name_of(pod), namespace_of(pod))
        self._events.emit(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _report(self, owner: Object, pods: list[Object], failure: str) -> None:
        wait = int(owner["spec"].get("minReadySeconds", 0))
        remaining = [available_in(each, wait) for each in pods]
        wanted = labels_of(owner["spec"]["template"]).items()
        counts = {
            "availableReplicas": sum(each == 0 for each in remaining),
            "fullyLabeledReplicas": sum(wanted <= labels_of(each).items() for each in pods),
            "readyReplicas": sum(map(ready, pods)),
        }
        status: Object = {key: count for key, count in counts.items() if count}
        status |= {"observedGeneration": owner["metadata"]["generation"], "replicas": len(pods)}
        if failure:
            status["conditions"] = [_failed(failure, owner.get("status", {}).get("conditions") or ())]
        self.store.set_status(_SET, name_of(owner), namespace_of(owner), status)
        pending = [each for each in remaining if 0 < each < float("inf")]
        if pending:
            self.enqueue((namespace_of(owner), name_of(owner)), min(pending))


def _failed(message: str, before: Iterable[Object]) -> Object:
    """What tells that a pod could not be made."""
    since = next((each["lastTransitionTime"] for each in before), timestamp())
    told = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    return {**told, "lastTransitionTime": since}


def _counts(pod: Object) -> bool:
    """Whether the pod is one of those asked for: it neither ends nor has ended."""
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in (
        "Succeeded",
        "Failed",
    )


def _worth(pod: Object) -> tuple[bool, bool, str]:
    """Which pods are given up first: those without a node, those not ready, the newest last of all alike."""
    return bool(pod["spec"].get("nodeName")), ready(pod), str(pod["metadata"]["creationTimestamp"])
