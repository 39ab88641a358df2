"""Records events; one that repeats is counted instead of written again."""

import secrets
from collections import OrderedDict

from ..api.copying import copied
from ..api.store import Store, find, timestamp
from ..objects import Object, name_of, namespace_of

_EVENT, _NAMESPACE = find("Event"), find("Namespace")
KEPT = 2000
"""How many events the cluster remembers."""


class Recorder:
    """Writes events in the name of one component."""

    _written: "OrderedDict[tuple[str, ...], tuple[str, str]]"

    def __init__(self, store: Store, component: str) -> None:
        self._store = store
        self._component = component
        self._written = OrderedDict()

    def emit(self, about: Object, kind: str, reason: str, message: str) -> None:
        """Record that something happened to an object; nothing when its namespace has gone."""
        meta = about["metadata"]
        key = (str(meta.get("uid", "")), reason, message)
        known = self._written.get(key)
        before = self._store.get(_EVENT, known[1], known[0]) if known else None
        if before:
            self._store.replace(_EVENT, _again(before))
            return
        namespace = namespace_of(about) or "default"
        if self._store.get(_NAMESPACE, namespace) is None:
            return
        name = f"{name_of(about)[:230]}.{secrets.token_hex(8)}"
        self._store.create(_EVENT, self._event(about, namespace, name, kind, reason, message))
        self._written[key] = (namespace, name)
        if len(self._written) > KEPT:
            _, (old_namespace, old_name) = self._written.popitem(last=False)
            if self._store.get(_EVENT, old_name, old_namespace):
                self._store.delete(_EVENT, old_name, old_namespace)

    def _event(self, about: Object, namespace: str, name: str, kind: str, reason: str, message: str) -> Object:
        meta, now = about["metadata"], timestamp()
        source = {"component": self._component}
        node = about.get("spec", {}).get("nodeName")
        if self._component == "kubelet" and node:
            source["host"] = node
        return {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": name_of(about),
                "namespace": namespace_of(about),
                "resourceVersion": meta.get("resourceVersion", ""),
                "uid": meta.get("uid", ""),
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "source": source,
            "reportingComponent": self._component,
            "reportingInstance": source.get("host", ""),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "eventTime": None,
        }


def _again(event: Object) -> Object:
    return copied(event) | {"count": event.get("count", 1) + 1, "lastTimestamp": timestamp()}
