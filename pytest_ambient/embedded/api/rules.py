"""What the API checks beyond types: selectors, what may never change, contents that must agree."""

from collections.abc import Callable

from ..objects import Object
from .decode import quoted
from .errors import Cause
from .metadata import metadata_faults
from .pod_rules import pod_faults
from .resources import Resource

Rule = Callable[[Object, Object | None], list[Cause]]


def broken(resource: Resource, new: Object, old: Object | None) -> list[Cause]:
    """What the object breaks; `old` is what it replaces."""
    found = metadata_faults(new, old)
    rule = _RULES.get((resource.group, resource.kind))
    return found + (rule(new, old) if rule else [])


def _workload(new: Object, old: Object | None) -> list[Cause]:
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


def _deployment(new: Object, old: Object | None) -> list[Cause]:
    strategy = new.get("spec", {}).get("strategy") or {}
    path, rolling = "spec.strategy.rollingUpdate", strategy.get("rollingUpdate")
    found = []
    if strategy.get("type") == "Recreate" and rolling is not None:
        text = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        found.append(Cause(path, text, "FieldValueForbidden"))
    if rolling and all(str(rolling.get(each, "25%")).rstrip("%") == "0" for each in ("maxSurge", "maxUnavailable")):
        value = quoted(rolling["maxUnavailable"])
        found.append(Cause(f"{path}.maxUnavailable", f"Invalid value: {value}: may not be 0 when `maxSurge` is 0"))
    return _workload(new, old) + found


def _job(new: Object, old: Object | None) -> list[Cause]:
    pod, found = new.get("spec", {}).get("template", {}).get("spec") or {}, []
    if pod.get("restartPolicy", "Always") == "Always":
        text = 'Required value: valid values: "OnFailure", "Never"'
        found.append(Cause("spec.template.spec.restartPolicy", text, "FieldValueRequired"))
    for field in ("template", "selector", "completions"):
        if old is not None and old["spec"].get(field) != new["spec"].get(field):
            value = quoted(new["spec"].get(field))
            found.append(Cause(f"spec.{field}", f"Invalid value: {value}: field is immutable"))
    return found + pod_faults(pod, "spec.template.spec")


def _pod(new: Object, old: Object | None) -> list[Cause]:
    found = pod_faults(new.get("spec") or {}, "spec")
    if old is not None and _fixed(new.get("spec") or {}) != _fixed(old.get("spec") or {}):
        text = (
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` "
            "(allow it to be set to 1 if it was previously negative)"
        )
        found.append(Cause("spec", text, "FieldValueForbidden"))
    return found


def _fixed(spec: Object) -> Object:
    left = {
        key: value for key, value in spec.items() if key not in ("activeDeadlineSeconds", "tolerations", "nodeName")
    }
    for kind in ("containers", "initContainers"):
        left[kind] = [{key: value for key, value in each.items() if key != "image"} for each in spec.get(kind) or ()]
    return left


def _service(new: Object, old: Object | None) -> list[Cause]:
    spec = new.get("spec") or {}
    found = []
    ports = spec.get("ports") or []
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        found.append(Cause("spec.ports", "Required value", "FieldValueRequired"))
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        found.append(Cause("spec.externalName", "Required value", "FieldValueRequired"))
    seen: set[str] = set()
    for number, each in enumerate(ports):
        name = each.get("name", "")
        if len(ports) > 1 and not name:
            found.append(Cause(f"spec.ports[{number}].name", "Required value", "FieldValueRequired"))
        elif name and name in seen:
            found.append(Cause(f"spec.ports[{number}].name", f'Duplicate value: "{name}"', "FieldValueDuplicate"))
        seen.add(name)
    before = (old or {}).get("spec", {}).get("clusterIP")
    if before and spec.get("clusterIP") and spec["clusterIP"] != before and spec.get("type") != "ExternalName":
        text = f"Invalid value: {quoted([spec['clusterIP']])}: may not change once set"
        found.append(Cause("spec.clusterIPs[0]", text))
    return found


def _data(new: Object, old: Object | None) -> list[Cause]:
    found = []
    if old is not None and old.get("immutable"):
        for field in ("data", "binaryData"):
            if new.get(field) != old.get(field):
                found.append(
                    Cause(field, "Forbidden: field is immutable when `immutable` is set", "FieldValueForbidden")
                )
        if not new.get("immutable"):
            found.append(
                Cause("immutable", "Forbidden: field is immutable when `immutable` is set", "FieldValueForbidden")
            )
    if old is not None and "type" in old and new.get("type") != old["type"]:
        found.append(Cause("type", f'Invalid value: "{new.get("type")}": field is immutable'))
    return found


def _config_map(new: Object, old: Object | None) -> list[Cause]:
    both = sorted((new.get("data") or {}).keys() & (new.get("binaryData") or {}).keys())
    text = 'Invalid value: "{}": duplicate of key present in binaryData'
    return [Cause(f"data[{key}]", text.format(key)) for key in both] + _data(new, old)


def _secret(new: Object, old: Object | None) -> list[Cause]:
    wanted = ("tls.crt", "tls.key") if new.get("type") == "kubernetes.io/tls" else ()
    missing = [key for key in wanted if key not in (new.get("data") or {})]
    return [Cause(f"data[{key}]", "Required value", "FieldValueRequired") for key in missing] + _data(new, old)


def _binding(new: Object, old: Object | None) -> list[Cause]:
    if old is not None and new.get("roleRef") != old.get("roleRef"):
        return [Cause("roleRef", f"Invalid value: {quoted(new.get('roleRef'))}: cannot change roleRef")]
    found = []
    for number, each in enumerate(new.get("subjects") or ()):
        if each.get("kind") == "ServiceAccount" and not each.get("namespace"):
            found.append(Cause(f"subjects[{number}].namespace", "Required value", "FieldValueRequired"))
    return found


def _gateway_class(new: Object, old: Object | None) -> list[Cause]:
    wanted = new.get("spec", {}).get("controllerName")
    if old is not None and old["spec"].get("controllerName") != wanted:
        return [Cause("spec.controllerName", "Invalid value: " + quoted(wanted) + ": Value is immutable")]
    return []


def _go_map(labels: Object) -> str:
    return "map[string]string{" + ", ".join(f"{quoted(key)}:{quoted(labels[key])}" for key in sorted(labels)) + "}"


_RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _workload,
    ("apps", "DaemonSet"): _workload,
    ("apps", "StatefulSet"): _workload,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "ConfigMap"): _config_map,
    ("", "Secret"): _secret,
    ("rbac.authorization.k8s.io", "RoleBinding"): _binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _binding,
    ("gateway.networking.k8s.io", "GatewayClass"): _gateway_class,
}
