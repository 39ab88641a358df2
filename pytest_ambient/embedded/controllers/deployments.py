"""Deployments: a ReplicaSet per pod template, and the way from one to the next."""

import time
from collections.abc import Iterable, Sequence

from ..api.copying import copied
from ..api.store import Change, Store, find
from ..objects import Object, annotations_of, labels_of, name_of, namespace_of
from . import rollout
from .claims import claimed, concerned
from .deployment_status import REVISION, finished, status
from .events import Recorder
from .owned import HASH, digest, owned_by, owner_key, reference
from .queue import Controller, Key

_DEPLOYMENT, _SET, _POD = find("Deployment", "apps"), find("ReplicaSet", "apps"), find("Pod")
_SIZE, _MOST = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
_HIDDEN = {REVISION, _SIZE, _MOST, "kubectl.kubernetes.io/last-applied-configuration"}


class Deployments(Controller):
    """Makes ReplicaSets and sets their sizes."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = Recorder(store, "deployment-controller")

    def touched(self, change: Change) -> Iterable[Key]:
        """A Deployment itself, and the one whose ReplicaSet or pod has changed."""
        if change.resource == _POD and change.type == "DELETED":  # Recreate waits for the last pod
            set_key = owner_key(change.object, _SET)
            parent = self.store.get(_SET, set_key[1], set_key[0]) if set_key else None
            owner = owner_key(parent, _DEPLOYMENT) if parent else None
            return (owner,) if owner else ()
        return concerned(self.store, change, _DEPLOYMENT, _SET)

    def reconcile(self, namespace: str, name: str) -> None:
        """Take one step of the rollout and report."""
        deployment = self.store.get(_DEPLOYMENT, name, namespace)
        if deployment is None or "deletionTimestamp" in deployment["metadata"]:
            return
        sets = claimed(self.store, _SET, deployment)
        new = self._current(deployment, sets)
        if new is None and not deployment["spec"].get("paused"):
            new = self._create(deployment, sets)
        old = [each for each in sets if new is None or name_of(each) != name_of(new)]
        if new:
            self._step(deployment, new, old)
            self._forget(deployment, old)
        self._report(deployment, new)

    def _current(self, deployment: Object, sets: Sequence[Object]) -> Object | None:
        """The ReplicaSet of the present template, with the newest revision."""
        wanted = digest(deployment["spec"]["template"])
        found = next((each for each in sets if labels_of(each).get(HASH) == wanted), None)
        if found is None:
            return None
        newest = max((_revision(each) for each in sets), default=0)
        if _revision(found) < newest:
            found = self.store.replace(_SET, _annotated(found, {REVISION: str(newest + 1)}))
        return found

    def _create(self, deployment: Object, sets: Sequence[Object]) -> Object:
        spec, word = deployment["spec"], digest(deployment["spec"]["template"])
        template, selector = copied(spec["template"]), copied(spec["selector"])
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[HASH] = word
        selector.setdefault("matchLabels", {})[HASH] = word
        kept = {key: value for key, value in annotations_of(deployment).items() if key not in _HIDDEN}
        made: Object = {
            "metadata": {
                "name": f"{name_of(deployment)}-{word}",
                "namespace": namespace_of(deployment),
                "labels": dict(labels),
                "annotations": kept | {REVISION: str(max(map(_revision, sets), default=0) + 1)},
                "ownerReferences": [reference(deployment)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        }
        if "minReadySeconds" in spec:
            made["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        return self.store.create(_SET, made)

    def _step(self, deployment: Object, new: Object, old: Sequence[Object]) -> None:
        limits = rollout.Limits.of(deployment["spec"])
        old = sorted(old, key=_revision)
        if deployment["spec"].get("paused"):
            active = [each for each in (new, *old) if rollout.size(each)] or [new]
            sizes = {name_of(active[0]): limits.replicas} if len(active) == 1 else {}
        elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            uids = {each["metadata"]["uid"] for each in old}
            left = any(uids & _owners(each) for each in self.store.list(_POD, namespace_of(deployment)))
            sizes = dict(rollout.recreating(limits, new, old, pods_left=left))
        else:
            sizes = dict(rollout.rolling(limits, new, old))
        for each in (new, *old):
            self._resize(deployment, each, sizes.get(name_of(each), rollout.size(each)), limits)

    def _resize(self, deployment: Object, each: Object, size: int, limits: rollout.Limits) -> None:
        before = int(each["spec"].get("replicas", 0))
        notes = {_SIZE: str(limits.replicas), _MOST: str(limits.replicas + limits.surge)}
        changed = _annotated(each, notes)
        changed["spec"]["replicas"] = size
        self.store.replace(_SET, changed)
        if size != before:
            way = "up" if size > before else "down"
            text = f"Scaled {way} replica set {name_of(each)} from {before} to {size}"
            self._events.emit(deployment, "Normal", "ScalingReplicaSet", text)

    def _forget(self, deployment: Object, old: Sequence[Object]) -> None:
        """Delete empty ReplicaSets beyond the history that is kept."""
        kept = int(deployment["spec"].get("revisionHistoryLimit", 10))
        empty = [each for each in old if not each["spec"].get("replicas") and not each["status"].get("replicas")]
        for each in sorted(empty, key=_revision)[: max(0, len(empty) - kept)]:
            self.store.delete(_SET, name_of(each), namespace_of(each))

    def _report(self, deployment: Object, new: Object | None) -> None:
        key = (namespace_of(deployment), name_of(deployment))
        sets = owned_by(deployment, self.store.list(_SET, key[0]))
        fresh = next((each for each in sets if new and name_of(each) == name_of(new)), None)
        if fresh and annotations_of(deployment).get(REVISION) != annotations_of(fresh).get(REVISION):
            deployment = self.store.replace(
                _DEPLOYMENT, _annotated(deployment, {REVISION: annotations_of(fresh)[REVISION]})
            )
        told = status(deployment, fresh, sets, time.time())
        self.store.set_status(_DEPLOYMENT, key[1], key[0], told)
        if not finished(deployment, told):
            self.enqueue(key, float(deployment["spec"].get("progressDeadlineSeconds", 600)) + 1)


def _revision(item: Object) -> int:
    return int(annotations_of(item).get(REVISION, "0"))


def _annotated(item: Object, more: dict[str, str]) -> Object:
    changed = copied(item)
    changed["metadata"]["annotations"] = annotations_of(changed) | more
    return changed


def _owners(pod: Object) -> set[str]:
    return {str(each["uid"]) for each in pod["metadata"].get("ownerReferences") or ()}
