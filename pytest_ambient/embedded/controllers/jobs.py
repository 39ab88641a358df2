"""Jobs: pods that are to end well so many times."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from ..api.copying import copied
from ..api.errors import Cause, invalid
from ..api.names import random_suffix
from ..api.store import Change, Store, find, timestamp
from ..objects import Object, name_of, namespace_of
from .claims import concerned
from .events import Recorder
from .owned import owned_by, ready, reference
from .queue import Controller, Key

_JOB, _POD = find("Job", "batch"), find("Pod")
_FIRST, _LONGEST = 10.0, 600.0
_UNSERVED = ("podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes", "managedBy", "suspend")
_Verdict = tuple[str, str, str, str]
"""Type, earlier type, reason and message of how a Job ended."""
_DONE: _Verdict = (
    "Complete", "SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods",
)  # fmt: skip
_BROKEN: _Verdict = (
    "Failed", "FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit",
)  # fmt: skip
_LATE: _Verdict = (
    "Failed", "FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline",
)  # fmt: skip


class Jobs(Controller):
    """Makes pods until enough of them have ended well or too many have not."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._events = Recorder(store, "job-controller")
        self._next: dict[str, float] = {}
        """When a Job, known by its uid, may make its next pod after a failure."""
        store.admit(_JOB, _refuse)

    def touched(self, change: Change) -> Iterable[Key]:
        """A Job itself, and the one whose pod has changed."""
        return concerned(self.store, change, _JOB, _POD)

    def reconcile(self, namespace: str, name: str) -> None:
        """Bring one Job nearer to its end."""
        job = self.store.get(_JOB, name, namespace)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        if any(each["type"] in ("Complete", "Failed") for each in job.get("status", {}).get("conditions") or ()):
            self._retire(job)
            return
        pods = owned_by(job, self.store.list(_POD, namespace))
        active = [each for each in pods if _phase(each) not in ("Succeeded", "Failed") and not _leaving(each)]
        succeeded, failed = (sum(_phase(each) == word for each in pods) for word in ("Succeeded", "Failed"))
        verdict = self._verdict(job, pods, succeeded, failed)
        if verdict is None:
            active += self._more(job, len(active), succeeded, failed)
        else:
            for each in active:
                self.store.delete(_POD, name_of(each), namespace)
                self._events.emit(job, "Normal", "SuccessfulDelete", f"Deleted pod: {name_of(each)}")
            failed, active = failed + len(active), []
        self._report(job, active, succeeded, failed, verdict)

    def _verdict(self, job: Object, pods: list[Object], succeeded: int, failed: int) -> _Verdict | None:
        spec, limit = job["spec"], int(job["spec"]["backoffLimit"])
        enough = succeeded >= int(spec.get("completions", max(1, succeeded)))
        if enough and succeeded and ("completions" in spec or not any(map(_runs, pods))):
            return _DONE
        again = sum(map(_restarts, pods)) if spec["template"]["spec"].get("restartPolicy") == "OnFailure" else 0
        if failed > limit or (again and again >= limit):
            return _BROKEN
        left = _left(job)
        if left is not None and left <= 0:
            return _LATE
        if left is not None:
            self.enqueue((namespace_of(job), name_of(job)), left)
        return None

    def _more(self, job: Object, active: int, succeeded: int, failed: int) -> list[Object]:
        spec, uid = job["spec"], job["metadata"]["uid"]
        wanted = int(spec.get("parallelism", 1))
        if "completions" in spec:
            wanted = min(wanted, int(spec["completions"]) - succeeded)
        elif succeeded:
            wanted = active
        if failed > int(job.get("status", {}).get("failed", 0)):
            self._next[uid] = time.monotonic() + min(_FIRST * 2 ** (failed - 1), _LONGEST)
        wait = self._next.get(uid, 0.0) - time.monotonic()
        if wait > 0 and wanted > active:
            self.enqueue((namespace_of(job), name_of(job)), wait)
            return []
        return [self._create(job) for _ in range(wanted - active)]

    def _create(self, job: Object) -> Object:
        template = copied(job["spec"]["template"])
        meta, stem = template.get("metadata") or {}, f"{name_of(job)}-"
        made = self.store.create(
            _POD,
            {
                "metadata": {
                    **{key: meta[key] for key in ("labels", "annotations") if meta.get(key)},
                    "generateName": stem,
                    "name": stem[:58] + random_suffix(),
                    "namespace": namespace_of(job),
                    "ownerReferences": [reference(job)],
                },
                "spec": template["spec"],
            },
        )
        self._events.emit(job, "Normal", "SuccessfulCreate", f"Created pod: {name_of(made)}")
        return made

    def _report(self, job: Object, active: list[Object], succeeded: int, failed: int, verdict: _Verdict | None) -> None:
        old, now = job.get("status", {}), timestamp()
        status: Object = {"startTime": old.get("startTime", now), "terminating": 0, "uncountedTerminatedPods": {}}
        counts = {"active": len(active), "succeeded": succeeded, "failed": failed}
        status |= {key: count for key, count in counts.items() if count} | {"ready": sum(map(ready, active))}
        if verdict:
            kind, earlier, reason, message = verdict
            said = {"lastProbeTime": now, "lastTransitionTime": now, "message": message, "reason": reason}
            status["conditions"] = [{**said, "status": "True", "type": each} for each in (earlier, kind)]
            if verdict is _DONE:
                status["completionTime"] = now
                self._events.emit(job, "Normal", "Completed", "Job completed")
            else:
                self._events.emit(job, "Warning", reason, message)
            self._next.pop(job["metadata"]["uid"], None)
        self.store.set_status(_JOB, name_of(job), namespace_of(job), status)

    def _retire(self, job: Object) -> None:
        if (kept := job["spec"].get("ttlSecondsAfterFinished")) is None:
            return
        last = max(datetime.fromisoformat(each["lastTransitionTime"]) for each in job["status"]["conditions"])
        left = kept - (datetime.now(UTC) - last).total_seconds()
        if left > 0:
            self.enqueue((namespace_of(job), name_of(job)), left)
        else:
            self.store.delete(_JOB, name_of(job), namespace_of(job))


def _refuse(new: Object, old: Object | None) -> None:
    spec = new["spec"]
    wrong = [each for each in _UNSERVED if spec.get(each)]
    wrong += ["completionMode"] if spec.get("completionMode") == "Indexed" else []
    causes = [
        Cause(f"spec.{each}", f"Forbidden: the embedded cluster does not implement {each}", "FieldValueForbidden")
        for each in wrong
    ]
    if causes:
        raise invalid(_JOB, name_of(new), causes)


def _phase(pod: Object) -> str:
    return str(pod.get("status", {}).get("phase", ""))


def _leaving(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _runs(pod: Object) -> bool:
    return _phase(pod) not in ("Succeeded", "Failed") and not _leaving(pod)


def _restarts(pod: Object) -> int:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return sum(int(each.get("restartCount", 0)) for each in statuses)


def _left(job: Object) -> float | None:
    """Seconds until its deadline; None without one."""
    allowed, began = job["spec"].get("activeDeadlineSeconds"), job.get("status", {}).get("startTime")
    if allowed is None:
        return None
    since = (datetime.now(UTC) - datetime.fromisoformat(began)).total_seconds() if began else 0.0
    return float(allowed) - since
