"""DaemonSets: one pod on every node that fits."""

from collections.abc import Iterable

from ..api.copying import copied
from ..api.names import random_suffix
from ..api.store import Change, Store, find
from ..objects import Object, labels_of, name_of, namespace_of
from .claims import claimed, concerned
from .events import Recorder
from .fitting import fits
from .owned import digest, ready, reference
from .queue import Controller, Key
from .revisions import record

_SET, _POD, _NODE = find("DaemonSet", "apps"), find("Pod"), find("Node")
_HASH = "controller-revision-hash"


class DaemonSets(Controller):
    """Makes and deletes pods, replaces those of an older template one at a time."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = Recorder(store, "daemonset-controller")

    def touched(self, change: Change) -> Iterable[Key]:
        """A DaemonSet itself, the one whose pod has changed, all of them when a node comes or goes."""
        if change.resource == _NODE and change.type != "MODIFIED":
            return [(namespace_of(each), name_of(each)) for each in self.store.list(_SET)]
        return concerned(self.store, change, _SET, _POD)

    def reconcile(self, namespace: str, name: str) -> None:
        """Bring every node's pod to the present template."""
        owner = self.store.get(_SET, name, namespace)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        word = digest(owner["spec"]["template"])
        record(self.store, owner, word, {_HASH: word})
        pods = claimed(self.store, _POD, owner)
        alive = {each["spec"].get("nodeName"): each for each in pods if "deletionTimestamp" not in each["metadata"]}
        busy = {each["spec"].get("nodeName") for each in pods} - alive.keys()
        wanted = [name_of(each) for each in self.store.list(_NODE) if fits(owner["spec"]["template"]["spec"], each)]
        for node in wanted:
            if node not in alive and node not in busy:
                alive[node] = self._create(owner, node, word)
        for node, pod in list(alive.items()):
            if node not in wanted:
                self._delete(owner, pod)
                del alive[node]
        self._replace_one(owner, list(alive.values()), word, settled=not busy)
        self._report(owner, list(alive.values()), wanted, word)

    def _replace_one(self, owner: Object, pods: list[Object], word: str, *, settled: bool) -> None:
        old = [each for each in pods if labels_of(each).get(_HASH) != word]
        rolls = (owner["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
        if not rolls or not old or not settled:
            return
        broken = [each for each in pods if not ready(each)]
        if not broken or broken[0] in old:
            victim = broken[0] if broken else old[0]
            self._delete(owner, victim)

    def _create(self, owner: Object, node: str, word: str) -> Object:
        template = copied(owner["spec"]["template"])
        meta = template.get("metadata") or {}
        pod = {
            "metadata": {
                "generateName": f"{name_of(owner)}-",
                "name": f"{name_of(owner)[:57]}-{random_suffix()}",
                "namespace": namespace_of(owner),
                "labels": (meta.get("labels") or {})
                | {_HASH: word, "pod-template-generation": str(owner["metadata"]["generation"])},
                "annotations": meta.get("annotations") or {},
                "ownerReferences": [reference(owner)],
            },
            "spec": template["spec"] | {"nodeName": node},
        }
        made = self.store.create(_POD, pod)
        self._events.emit(owner, "Normal", "SuccessfulCreate", f"Created pod: {name_of(made)}")
        return made

    def _delete(self, owner: Object, pod: Object) -> None:
        self.store.delete(_POD, name_of(pod), namespace_of(pod))
        self._events.emit(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _report(self, owner: Object, pods: list[Object], wanted: list[str], word: str) -> None:
        serving = sum(map(ready, pods))
        status = {
            "currentNumberScheduled": len(pods),
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": 0,
            "numberReady": serving,
            "observedGeneration": owner["metadata"]["generation"],
        }
        optional = {
            "numberAvailable": serving,
            "numberUnavailable": len(wanted) - serving,
            "updatedNumberScheduled": sum(labels_of(each).get(_HASH) == word for each in pods),
        }
        status |= {key: count for key, count in optional.items() if count}
        self.store.set_status(_SET, name_of(owner), namespace_of(owner), status)
