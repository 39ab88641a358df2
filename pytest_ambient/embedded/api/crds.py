"""CustomResourceDefinitions: those of the mesh as objects, and kinds that users define."""

from typing import Any

from ..objects import Object, name_of
from . import schema
from .copying import copied
from .decode import quoted
from .errors import Cause, invalid
from .openapi import inlined
from .resources import CUSTOM, Resource, find
from .schema import OPEN
from .store import Change, Store, timestamp

DEFINITIONS = find("CustomResourceDefinition", "apiextensions.k8s.io")
_GATEWAY = {"gateway.networking.k8s.io/bundle-version": "v1.5.1", "gateway.networking.k8s.io/channel": "standard"}
_OWN = {each.key for each in CUSTOM}


def seed(store: Store) -> None:
    """Create the definitions of the custom kinds that ship with the cluster, and serve those that users create."""
    schema.load()
    for each in CUSTOM:
        if store.get(DEFINITIONS, f"{each.plural}.{each.group}") is None:
            store.create(DEFINITIONS, _definition(each))
    store.admit(DEFINITIONS, _admit)
    store.subscribe(lambda change: _follow(store, change))


def _definition(resource: Resource) -> Object:
    gateway = resource.group.startswith("gateway")
    shape = inlined(schema.of(resource))
    shape["properties"]["metadata"] = {"type": "object"}
    names = {
        "categories": list(resource.categories), "kind": resource.kind, "listKind": f"{resource.kind}List",
        "plural": resource.plural, "shortNames": list(resource.short_names), "singular": resource.singular,
    }  # fmt: skip
    names = {key: value for key, value in names.items() if value}
    versions = [_version(resource, version, shape) for version in resource.versions]
    meta: Object = {"name": f"{resource.plural}.{resource.group}"}
    if gateway:
        meta["annotations"] = dict(_GATEWAY)
    else:
        meta["labels"] = {"app.kubernetes.io/part-of": "istio", "release": "istio"}
    scope = "Namespaced" if resource.namespaced else "Cluster"
    spec = {
        "group": resource.group,
        "names": names,
        "scope": scope,
        "versions": versions,
        "conversion": {"strategy": "None"},
    }
    return {"metadata": meta, "spec": spec, "status": _status(names, resource.version)}


def _version(resource: Resource, version: str, shape: Object) -> Object:
    columns = schema.columns(resource)
    found: Object = {
        "name": version, "served": True, "storage": version == resource.version,
        "schema": {"openAPIV3Schema": shape},
    }  # fmt: skip
    if columns:
        found["additionalPrinterColumns"] = columns
    if resource.status:
        found["subresources"] = {"status": {}}
    return found


def _status(names: Object, stored: str) -> Object:
    now = timestamp()
    conditions = [
        {"lastTransitionTime": now, "message": "no conflicts found", "reason": "NoConflicts", "status": "True",
         "type": "NamesAccepted"},
        {"lastTransitionTime": now, "message": "the initial names have been accepted", "reason": "InitialNamesAccepted",
         "status": "True", "type": "Established"},
    ]  # fmt: skip
    return {"acceptedNames": names, "conditions": conditions, "storedVersions": [stored]}


def _admit(new: Object, old: Object | None) -> None:
    spec = new["spec"]
    names = spec["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", names["kind"] + "List")
    spec.setdefault("conversion", {"strategy": "None"})
    causes = []
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
    if causes:
        raise invalid(DEFINITIONS, name_of(new), causes)
    if old is None:
        stored = next(each["name"] for each in spec["versions"] if each.get("storage"))
        new["status"] = _status(dict(names), stored)


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


def _follow(store: Store, change: Change) -> None:
    """Serve what a new definition defines, and no longer what a deleted one did."""
    if change.resource.key != DEFINITIONS.key:
        return
    spec = change.object["spec"]
    known = store.registry.of(spec["group"], spec["names"]["kind"])
    if (spec["group"], spec["names"]["plural"]) in _OWN and change.type != "DELETED":
        return
    if known is not None:
        store.registry.remove(known)
    if change.type == "DELETED":
        for each in store.list(known) if known else ():
            store.remove(known, each)  # type: ignore[arg-type]  # there are none when it is unknown
        return
    resource, shape, columns = _defined(change.object)
    store.registry.add(resource, shape, columns)


def _defined(definition: Object) -> tuple[Resource, Object, list[Object]]:
    spec = definition["spec"]
    names = spec["names"]
    stored = next(each for each in spec["versions"] if each.get("storage"))
    others = [each["name"] for each in spec["versions"] if each.get("served") and each is not stored]
    below = stored.get("subresources") or {}
    resource = Resource(
        spec["group"], stored["name"], names["kind"], names["plural"], spec["scope"] == "Namespaced",
        tuple(names.get("shortNames") or ()), tuple(names.get("categories") or ()), status="status" in below,
        scale="scale" in below, generation=True, also=tuple(others), custom=True,
    )  # fmt: skip
    shape = copied(stored["schema"]["openAPIV3Schema"])
    shape.setdefault("type", "object")
    fields = shape.setdefault("properties", {})
    fields["apiVersion"] = fields["kind"] = {"type": "string"}
    fields["metadata"] = {"$ref": schema.OBJECT_META}
    if spec.get("preserveUnknownFields"):
        shape[OPEN] = True
    return resource, shape, stored.get("additionalPrinterColumns") or []
