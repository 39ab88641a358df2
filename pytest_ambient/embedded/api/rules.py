"""What the API checks beyond types: contents that must agree, what may never change."""

from collections.abc import Callable

from ..objects import Object
from .decode import quoted
from .errors import Cause
from .metadata import metadata_faults
from .resources import Resource
from .workload_rules import a_pod_faults, deployment_faults, job_faults, stateful_set_faults, workload_faults

Rule = Callable[[Object, Object | None], list[Cause]]


def broken(resource: Resource, new: Object, old: Object | None) -> list[Cause]:
    """What the object breaks; `old` is what it replaces."""
    found = metadata_faults(new, old)
    rule = _RULES.get((resource.group, resource.kind))
    return found + (rule(new, old) if rule else [])


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
    found += _same_ports(ports)
    before = (old or {}).get("spec", {}).get("clusterIP")
    if before and spec.get("clusterIP") and spec["clusterIP"] != before and spec.get("type") != "ExternalName":
        text = f"Invalid value: {quoted([spec['clusterIP']])}: may not change once set"
        found.append(Cause("spec.clusterIPs[0]", text))
    return found


def _same_ports(ports: list[Object]) -> list[Cause]:
    """Ports that others have with the same protocol, each shown as the API's own record of it."""
    found, seen = [], set()
    for number, each in enumerate(ports):
        key = (each.get("protocol"), each.get("port"))
        if key in seen:
            value: Object = {"Name": "", "Protocol": key[0], "AppProtocol": None, "Port": key[1]}
            text = f"Duplicate value: {quoted(value | {'TargetPort': 0, 'NodePort': 0})}"
            found.append(Cause(f"spec.ports[{number}]", text, "FieldValueDuplicate"))
        seen.add(key)
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


def _role(new: Object, old: Object | None) -> list[Cause]:
    text = "Required value: verbs must contain at least one value"
    return [
        Cause(f"rules[{number}].verbs", text, "FieldValueRequired")
        for number, each in enumerate(new.get("rules") or ())
        if not each.get("verbs")
    ]


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


_RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): deployment_faults,
    ("apps", "ReplicaSet"): workload_faults,
    ("apps", "DaemonSet"): workload_faults,
    ("apps", "StatefulSet"): stateful_set_faults,
    ("batch", "Job"): job_faults,
    ("", "Pod"): a_pod_faults,
    ("", "Service"): _service,
    ("", "ConfigMap"): _config_map,
    ("", "Secret"): _secret,
    ("rbac.authorization.k8s.io", "Role"): _role,
    ("rbac.authorization.k8s.io", "ClusterRole"): _role,
    ("rbac.authorization.k8s.io", "RoleBinding"): _binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _binding,
    ("gateway.networking.k8s.io", "GatewayClass"): _gateway_class,
}
