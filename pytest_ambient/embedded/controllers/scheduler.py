"""Binds pods to nodes: each to the node that fits and has the fewest."""

from collections import Counter
from collections.abc import Iterable

from ..api.copying import copied
from ..api.store import Change, Store, find, timestamp
from ..objects import Object, labels_of, name_of, namespace_of
from .events import Recorder
from .fitting import NOTHING, SPREAD, obstacle, refusal, used
from .owned import selected
from .queue import Controller, Key, itself

_POD, _NODE = find("Pod"), find("Node")
_NAME = "default-scheduler"


class Scheduler(Controller):
    """Gives pods their `nodeName`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = Recorder(store, _NAME)

    def touched(self, change: Change) -> Iterable[Key]:
        """A pod without a node; all such pods when a node is new or labelled, or a pod makes room."""
        if change.resource == _POD and change.type != "DELETED" and not change.object["spec"].get("nodeName"):
            return (itself(change),)
        if change.resource == _NODE or (change.resource == _POD and change.type == "DELETED"):
            pods = self.store.list(_POD)
            return [(namespace_of(each), name_of(each)) for each in pods if not each["spec"].get("nodeName")]
        return ()

    def reconcile(self, namespace: str, name: str) -> None:
        """Bind one pod, or say why it can't be."""
        pod = self.store.get(_POD, name, namespace)
        if pod is None or pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return
        if pod["spec"].get("schedulerName", _NAME) != _NAME:
            return
        if pod["spec"].get("schedulingGates"):
            self._hold(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
            return
        nodes, pods = self.store.list(_NODE), self.store.list(_POD)
        asked = used(pods)
        against = {name_of(each): obstacle(pod["spec"], each, asked.get(name_of(each), NOTHING)) for each in nodes}
        free = [each for each in nodes if against[name_of(each)] is None]
        fitting = self._spread(pod, free)
        if not fitting:
            obstacles = [each or SPREAD for each in against.values()]
            text = refusal(len(nodes), obstacles)
            self._hold(pod, "Unschedulable", text)
            self._events.emit(pod, "Warning", "FailedScheduling", text)
            return
        load = Counter(str(each["spec"].get("nodeName")) for each in pods)
        node = min(fitting, key=lambda each: (load[each], each))
        bound = copied(pod)
        bound["spec"]["nodeName"] = node
        bound = self.store.replace(_POD, bound)
        text = f"Successfully assigned {namespace}/{name} to {node}"
        self._events.emit(bound, "Normal", "Scheduled", text)

    def _spread(self, pod: Object, nodes: list[Object]) -> list[str]:
        """The nodes on which one more such pod keeps within every spread constraint that must hold."""
        found = {name_of(each): each for each in nodes}
        for each in pod["spec"].get("topologySpreadConstraints") or ():
            if each.get("whenUnsatisfiable") == "DoNotSchedule":
                key, selector = str(each["topologyKey"]), each.get("labelSelector") or {}
                domains = {name: labels_of(node)[key] for name, node in found.items() if key in labels_of(node)}
                counts = Counter(dict.fromkeys(domains.values(), 0))
                for other in self.store.list(_POD, namespace_of(pod)):
                    domain = domains.get(str(other["spec"].get("nodeName", "")))
                    if domain and selected(selector, other) and "deletionTimestamp" not in other["metadata"]:
                        counts[domain] += 1
                most = min(counts.values(), default=0) + int(each.get("maxSkew", 1))
                found = {name: found[name] for name, domain in domains.items() if counts[domain] < most}
        return list(found)

    def _hold(self, pod: Object, reason: str, text: str) -> None:
        before = pod.get("status", {}).get("conditions") or ()
        since = next((each["lastTransitionTime"] for each in before if each["type"] == "PodScheduled"), timestamp())
        condition = {
            "lastProbeTime": None, "lastTransitionTime": since, "message": text, "reason": reason,
            "status": "False", "type": "PodScheduled",
        }  # fmt: skip
        status = {**pod.get("status", {}), "phase": "Pending", "conditions": [condition]}
        self.store.set_status(_POD, name_of(pod), namespace_of(pod), status)
