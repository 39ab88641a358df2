"""What the API fills in where a writer said nothing."""

import base64
from typing import Any

from ..objects import Object
from .copying import copied, copied_list
from .resources import Resource
from .schema import resolved


def fill(schema: Object, value: Any) -> None:
    """Add the schema's defaults to what is there, in place."""
    shape = resolved(schema)
    if isinstance(value, dict):
        for key, field in shape.get("properties", {}).items():
            if key not in value and "default" in field:
                value[key] = _fresh(field["default"])
            if key in value and isinstance(value[key], dict | list):
                fill(field, value[key])
        extra = shape.get("additionalProperties")
        if isinstance(extra, dict):
            for each in value.values():
                fill(extra, each)
    elif isinstance(value, list) and "items" in shape:
        for each in value:
            fill(shape["items"], each)


def _fresh(value: Any) -> Any:
    if isinstance(value, dict):
        return copied(value)
    return copied_list(value) if isinstance(value, list) else value


def complete(resource: Resource, schema: Object, obj: Object) -> None:
    """Add the schema's defaults and those that depend on other fields, in place."""
    more = _MORE.get(resource.kind) if not resource.custom else None
    if more is not None:
        more(obj)
    fill(schema, obj)


def _pod(spec: Object) -> None:
    if "serviceAccount" in spec:
        spec.setdefault("serviceAccountName", spec["serviceAccount"])
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for each in spec.get(kind) or ():
            image = str(each.get("image", ""))
            each.setdefault("imagePullPolicy", "Always" if _floating(image) else "IfNotPresent")
    for each in spec.get("volumes") or ():
        if set(each) == {"name"}:
            each["emptyDir"] = {}


def _floating(image: str) -> bool:
    if "@" in image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag in ("", "latest")


def _a_pod(obj: Object) -> None:
    spec = obj.get("spec")
    if spec:
        _pod(spec)
        spec.setdefault("enableServiceLinks", True)
        _ask(spec)
    status = obj.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", _quality(spec or {}))


def _ask(spec: Object) -> None:
    """A pod asks for its limits, where it does not say for what else; a template does not."""
    for each in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = each.get("resources") or {}
        if resources.get("limits"):
            resources["requests"] = resources["limits"] | (resources.get("requests") or {})


def _quality(spec: Object) -> str:
    """How much of its resources a pod is promised: the API's own classes."""
    asked = [each.get("resources", {}) for each in spec.get("containers", ())]
    if not any(each.get("requests") or each.get("limits") for each in asked):
        return "BestEffort"
    whole = all({"cpu", "memory"} <= each.get("limits", {}).keys() for each in asked)
    equal = all(each.get("requests", each.get("limits")) == each.get("limits") for each in asked)
    return "Guaranteed" if whole and equal else "Burstable"


def _template(obj: Object) -> None:
    spec = obj.get("spec", {}).get("template", {}).get("spec")
    if spec:
        _pod(spec)


def _deployment(obj: Object) -> None:
    _template(obj)
    strategy = obj.get("spec", {}).setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {})


def _job(obj: Object) -> None:
    _template(obj)
    spec, uid = obj.get("spec", {}), obj["metadata"].get("uid")
    if "parallelism" not in spec:
        spec.setdefault("completions", 1)
        spec["parallelism"] = 1
    if not uid or spec.get("manualSelector") or "selector" in spec:
        return
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    labels = spec.setdefault("template", {}).setdefault("metadata", {}).setdefault("labels", {})
    for prefix in ("batch.kubernetes.io/", ""):
        labels[f"{prefix}controller-uid"], labels[f"{prefix}job-name"] = uid, obj["metadata"].get("name", "")
    if not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _service(obj: Object) -> None:
    for each in obj.get("spec", {}).get("ports") or ():
        each.setdefault("targetPort", each.get("port"))
    if obj.get("spec", {}).get("sessionAffinity") == "ClientIP":
        obj["spec"].setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {}).setdefault(
            "timeoutSeconds", 10800
        )
    obj.setdefault("status", {}).setdefault("loadBalancer", {})


def _namespace(obj: Object) -> None:
    if "deletionTimestamp" not in obj["metadata"]:
        obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
        obj.setdefault("status", {}).setdefault("phase", "Active")
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")


def _binding(obj: Object) -> None:
    for each in obj.get("subjects") or ():
        if each.get("kind") in ("User", "Group"):
            each.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _secret(obj: Object) -> None:
    plain = obj.pop("stringData", None) or {}
    if plain:
        data = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        obj["data"] = (obj.get("data") or {}) | data


_MORE = {
    "Secret": _secret,
    "Pod": _a_pod,
    "Deployment": _deployment,
    "ReplicaSet": _template,
    "DaemonSet": _template,
    "StatefulSet": _template,
    "Job": _job,
    "Service": _service,
    "Namespace": _namespace,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}
