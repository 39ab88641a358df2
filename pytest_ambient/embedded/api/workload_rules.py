"""What the API checks of workloads beyond types: selectors, what may never change, the pods that they make."""

from ..objects import Object
from .decode import quoted
from .errors import Cause
from .pod_rules import pod_faults

_OTHER_FIELDS = (
    "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
    "forbidden"
)
_FREE = ("activeDeadlineSeconds", "tolerations", "nodeName", "schedulingGates")
"""What may change of a pod, or is looked at elsewhere."""
_CHANGING = frozenset({
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
})  # fmt: skip


def workload_faults(new: Object, old: Object | None) -> list[Cause]:
    """What a Deployment, ReplicaSet or DaemonSet breaks; `old` is what it replaces."""
    spec = new.get("spec", {})
    selector, template = spec.get("selector") or {}, spec.get("template") or {}
    found = []
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        text = "Invalid value: {}: empty selector is invalid for deployment"
        found.append(Cause("spec.selector", text))
    wanted = selector.get("matchLabels") or {}
    labels = template.get("metadata", {}).get("labels") or {}
    if not wanted.items() <= labels.items():
        text = f"Invalid value: {_go_map(labels)}: `selector` does not match template `labels`"
        found.append(Cause("spec.template.metadata.labels", text))
    if old is not None and old["spec"].get("selector") != spec.get("selector"):
        found.append(Cause("spec.selector", f"Invalid value: {quoted(selector)}: field is immutable"))
    pod = template.get("spec") or {}
    if pod.get("restartPolicy", "Always") != "Always":
        text = f'Unsupported value: "{pod["restartPolicy"]}": supported values: "Always"'
        found.append(Cause("spec.template.spec.restartPolicy", text, "FieldValueNotSupported"))
    return found + pod_faults(pod, "spec.template.spec")


def deployment_faults(new: Object, old: Object | None) -> list[Cause]:
    """Likewise, and what its strategy breaks."""
    strategy = new.get("spec", {}).get("strategy") or {}
    path, rolling = "spec.strategy.rollingUpdate", strategy.get("rollingUpdate")
    found = []
    if strategy.get("type") == "Recreate" and rolling is not None:
        text = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        found.append(Cause(path, text, "FieldValueForbidden"))
    if rolling and all(str(rolling.get(each, "25%")).rstrip("%") == "0" for each in ("maxSurge", "maxUnavailable")):
        value = quoted(rolling["maxUnavailable"])
        found.append(Cause(f"{path}.maxUnavailable", f"Invalid value: {value}: may not be 0 when `maxSurge` is 0"))
    return workload_faults(new, old) + found


def stateful_set_faults(new: Object, old: Object | None) -> list[Cause]:
    """Likewise; little of its spec may change."""
    found = workload_faults(new, None)
    if old is not None and _lasting(new) != _lasting(old):
        found.append(Cause("spec", _OTHER_FIELDS, "FieldValueForbidden"))
    return found


def _lasting(stateful_set: Object) -> Object:
    """What can't change."""
    spec = stateful_set.get("spec") or {}
    return {key: value for key, value in spec.items() if key not in _CHANGING and value}


def job_faults(new: Object, old: Object | None) -> list[Cause]:
    """What a Job breaks."""
    pod, found = new.get("spec", {}).get("template", {}).get("spec") or {}, []
    if pod.get("restartPolicy", "Always") == "Always":
        text = 'Required value: valid values: "OnFailure", "Never"'
        found.append(Cause("spec.template.spec.restartPolicy", text, "FieldValueRequired"))
    for field in ("template", "selector", "completions"):
        if old is not None and old["spec"].get(field) != new["spec"].get(field):
            value = quoted(new["spec"].get(field))
            found.append(Cause(f"spec.{field}", f"Invalid value: {value}: field is immutable"))
    return found + pod_faults(pod, "spec.template.spec")


def a_pod_faults(new: Object, old: Object | None) -> list[Cause]:
    """What a pod of its own breaks; hardly anything of its spec may change."""
    found = pod_faults(new.get("spec") or {}, "spec")
    if old is not None and _fixed(new.get("spec") or {}) != _fixed(old.get("spec") or {}):
        text = (
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` "
            "(allow it to be set to 1 if it was previously negative)"
        )
        found.append(Cause("spec", text, "FieldValueForbidden"))
    if old is not None:
        before = _gates(old)
        text = "Forbidden: only deletion is allowed, but found new scheduling gate '{}'"
        added = [each for each in _gates(new) if each not in before]
        found += [Cause("spec.schedulingGates", text.format(each), "FieldValueForbidden") for each in added]
    return found


def _gates(pod: Object) -> list[str]:
    return [str(each.get("name")) for each in (pod.get("spec") or {}).get("schedulingGates") or ()]


def _fixed(spec: Object) -> Object:
    left = {key: value for key, value in spec.items() if key not in _FREE}
    for kind in ("containers", "initContainers"):
        left[kind] = [{key: value for key, value in each.items() if key != "image"} for each in spec.get(kind) or ()]
    return left


def _go_map(labels: Object) -> str:
    return "map[string]string{" + ", ".join(f"{quoted(key)}:{quoted(labels[key])}" for key in sorted(labels)) + "}"
