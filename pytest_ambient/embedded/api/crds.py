"""CustomResourceDefinitions: those of the mesh as objects, and kinds that users define."""

from ..objects import Object, name_of
from . import schema
from .copying import copied
from .crd_rules import complete_definition, definition_faults, refuse_unserved
from .errors import invalid
from .openapi import inlined
from .resources import CUSTOM, Resource, find
from .schema import OPEN
from .store import Change, Store, timestamp

DEFINITIONS = find("CustomResourceDefinition", "apiextensions.k8s.io")
_GATEWAY = "gateway.networking.k8s.io"
_BUNDLE = "v1.5.1"
_OWN = {each.key: each for each in CUSTOM}


def seed(store: Store) -> None:
    """Create the definitions of the custom kinds that ship with the cluster, and serve those that users create."""
    schema.load()
    for each in CUSTOM:
        if store.get(DEFINITIONS, f"{each.plural}.{each.group}") is None:
            store.create(DEFINITIONS, _definition(each))
    store.admit(DEFINITIONS, _admit)
    store.subscribe(lambda change: _follow(store, change))


def _definition(resource: Resource) -> Object:
    shape = inlined(schema.of(resource))
    shape["properties"]["metadata"] = {"type": "object"}
    names = {
        "categories": list(resource.categories), "kind": resource.kind, "listKind": f"{resource.kind}List",
        "plural": resource.plural, "shortNames": list(resource.short_names), "singular": resource.singular,
    }  # fmt: skip
    names = {key: value for key, value in names.items() if value}
    versions = [_version(resource, version, shape) for version in resource.versions]
    meta: Object = {"name": f"{resource.plural}.{resource.group}"}
    if resource.group == _GATEWAY:
        channel = "experimental" if "alpha" in resource.version else "standard"
        meta["annotations"] = {f"{_GATEWAY}/bundle-version": _BUNDLE, f"{_GATEWAY}/channel": channel}
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
    complete_definition(new)
    causes = definition_faults(new)
    if causes:
        raise invalid(DEFINITIONS, name_of(new), causes)
    spec = new["spec"]
    if (spec["group"], spec["names"]["plural"]) not in _OWN:
        refuse_unserved(spec)
    if old is None:
        stored = next(each["name"] for each in spec["versions"] if each.get("storage"))
        new["status"] = _status(dict(spec["names"]), stored)


def _follow(store: Store, change: Change) -> None:
    """Serve what a new definition defines, and no longer what a deleted one did."""
    if change.resource.key != DEFINITIONS.key:
        return
    spec = change.object["spec"]
    known = store.registry.of(spec["group"], spec["names"]["kind"])
    own = _OWN.get((spec["group"], spec["names"]["plural"]))
    if own is not None and change.type != "DELETED":
        store.registry.add(own)
        return
    if known is not None:
        store.registry.remove(known)
        if change.type == "DELETED":
            for each in store.list(known):
                store.remove(known, each)
    if change.type != "DELETED":
        store.registry.add(*_defined(change.object))


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
        selector_path=(below.get("scale") or {}).get("labelSelectorPath", ""),
        selectable=tuple(each["jsonPath"].removeprefix(".") for each in stored.get("selectableFields") or ()),
    )  # fmt: skip
    shape = copied(stored["schema"]["openAPIV3Schema"])
    shape.setdefault("type", "object")
    fields = shape.setdefault("properties", {})
    fields["apiVersion"] = fields["kind"] = {"type": "string"}
    fields["metadata"] = {"$ref": schema.OBJECT_META}
    if spec.get("preserveUnknownFields"):
        shape[OPEN] = True
    return resource, shape, stored.get("additionalPrinterColumns") or []
