"""Which CustomResourceDefinitions are taken, and what their writers are told."""

from typing import Any

from ..objects import Object, name_of
from .decode import quoted
from .errors import Cause, not_implemented

_MESH = ("gateway.networking.k8s.io", "gateway.networking.x-k8s.io", "istio.io")
_UNCHECKED = ("x-kubernetes-validations", "allOf", "anyOf", "oneOf", "not")


def complete_definition(new: Object) -> None:
    """Fill in what a definition may leave out."""
    names = new["spec"]["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", names["kind"] + "List")
    new["spec"].setdefault("conversion", {"strategy": "None"})


def definition_faults(new: Object) -> list[Cause]:
    """What is wrong with a definition."""
    spec = new["spec"]
    names = spec["names"]
    causes: list[Cause] = []
    wanted = f"{names['plural']}.{spec['group']}"
    if name_of(new) != wanted:
        text = f'Invalid value: "{name_of(new)}": must be spec.names.plural+"."+spec.group'
        causes.append(Cause("metadata.name", text))
    if sum(1 for each in spec["versions"] if each.get("storage")) != 1:
        text = "Invalid value: null: must have exactly one version marked as storage version"
        causes.append(Cause("spec.versions", text))
    for number, each in enumerate(spec["versions"]):
        if not (each.get("schema") or {}).get("openAPIV3Schema"):
            where = f"spec.versions[{number}].schema.openAPIV3Schema"
            causes.append(Cause(where, "Required value: schemas are required", "FieldValueRequired"))
        else:
            causes += _shape_faults(
                each["schema"]["openAPIV3Schema"], f"spec.versions[{number}].schema.openAPIV3Schema"
            )
    return causes


def refuse_unserved(spec: Object) -> None:
    """501 for kinds of the mesh that nothing here would act on, and for what a served kind can't have."""
    group = spec["group"]
    if any(group == each or group.endswith("." + each) for each in _MESH):
        raise not_implemented(f"{spec['names']['kind']} objects ({group})")
    if spec["conversion"].get("strategy") == "Webhook":
        raise not_implemented("conversion between versions by a webhook")
    for each in spec["versions"]:
        scale = (each.get("subresources") or {}).get("scale")
        if scale and (scale["specReplicasPath"], scale["statusReplicasPath"]) != (".spec.replicas", ".status.replicas"):
            raise not_implemented("scale subresources with other paths than .spec.replicas and .status.replicas")


def unchecked(definition: Object) -> list[str]:
    """Warnings about rules in a user's definition that nobody here evaluates."""
    if definition.get("kind") != "CustomResourceDefinition":
        return []
    found: set[str] = set()
    for each in definition["spec"]["versions"]:
        _collect((each.get("schema") or {}).get("openAPIV3Schema"), found)
    return [f"the embedded cluster does not evaluate {each}" for each in sorted(found)]


def _collect(shape: Any, found: set[str]) -> None:
    if not isinstance(shape, dict):
        return
    if not shape.get("x-kubernetes-int-or-string"):
        found.update(each for each in _UNCHECKED if each in shape)
    for below in (*(shape.get("properties") or {}).values(), shape.get("items"), shape.get("additionalProperties")):
        _collect(below, found)


def _shape_faults(shape: Any, path: str) -> list[Cause]:
    """What can't be a schema in there; an array of schemas is none that a definition may use."""
    if not isinstance(shape, dict):
        return [Cause(path, f"Invalid value: {quoted(shape)}: must be a schema")]
    found: list[Cause] = []
    for key, below in (shape.get("properties") or {}).items():
        found += _shape_faults(below, f"{path}.properties[{key}]")
    if "items" in shape:
        found += _shape_faults(shape["items"], f"{path}.items")
    if not isinstance(shape.get("additionalProperties", True), bool):
        found += _shape_faults(shape["additionalProperties"], f"{path}.additionalProperties")
    return found
