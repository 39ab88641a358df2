"""OpenAPI 3 documents, one for each group and version, for `kubectl explain`, apply and validation."""

import hashlib
import json
from typing import Any

from ..objects import Object
from .discovery import groups
from .registry import Registry
from .resources import Resource
from .schema import DEFINITIONS, fingerprint, load, resolved
from .writes import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH

_ACTIONS = {"get": "get", "put": "put", "patch": "patch", "delete": "delete"}
_ALL = "io.k8s.apimachinery.pkg.apis.meta.v1."
_EITHER = {"int-or-string": ("integer", "string"), "quantity": ("string", "number")}
_NAMED = {
    "int-or-string": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
}


def index(registry: Registry) -> Object:
    """The answer to `/openapi/v3`: where each document is."""
    names = [
        "api/v1",
        *(f"apis/{group}/{version}" for group, versions in groups(registry).items() for version in versions),
    ]
    paths = {}
    for name in names:
        group, version = _parts(name)
        shapes = [registry.own(each) or each.kind for each in _served(registry, group, version)]
        digest = hashlib.sha256(f"{fingerprint()} {name} {json.dumps(shapes)}".encode()).hexdigest()[:32].upper()
        paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash={digest}"}
    return {"paths": paths}


def document(registry: Registry, name: str) -> Object | None:
    """The document of `api/v1` or `apis/GROUP/VERSION`, None when there is none."""
    load()
    group, version = _parts(name)
    kinds = _served(registry, group, version)
    if not kinds:
        return None
    schemas: Object = {_NAMED[form]: {"oneOf": [{"type": each} for each in kinds]} for form, kinds in _EITHER.items()}
    paths: Object = {}
    for each in kinds:
        full = _add(registry, each, version, schemas)
        paths |= _paths(each, version, full)
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.34.4"}, "paths": paths,
            "components": {"schemas": schemas}}  # fmt: skip


def swagger(registry: Registry, version: str) -> Object:
    """All documents in one, as OpenAPI 2."""
    definitions: Object = {}
    for name in index(registry)["paths"]:
        found = document(registry, name)
        definitions |= found["components"]["schemas"] if found else {}
    text = json.dumps(definitions).replace("#/components/schemas/", "#/definitions/")
    info = {"title": "Kubernetes", "version": version}
    return {"swagger": "2.0", "info": info, "paths": {}, "definitions": json.loads(text)}


def inlined(schema: Object) -> Object:
    """A schema without references, as a CustomResourceDefinition carries it."""
    shape = resolved(schema)
    if shape.get("format") == "int-or-string":
        return {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    mixed = {**shape, **{key: value for key, value in schema.items() if key != "$ref"}}
    return _clean(mixed, inlined)


def _parts(name: str) -> tuple[str, str]:
    words = name.split("/")
    return ("", words[1]) if words[0] == "api" else (words[1], words[2]) if len(words) == 3 else ("", "")


def _served(registry: Registry, group: str, version: str) -> list[Resource]:
    return [each for each in registry if each.group == group and version in each.versions]


def _add(registry: Registry, resource: Resource, version: str, schemas: Object) -> str:
    """Put the kind's schema and all that it refers to into `schemas`; returns its name."""
    schema = registry.schema(resource)
    gvk = {"group": resource.group, "kind": resource.kind, "version": version}
    if "x-name" in schema and not resource.custom:
        name = str(schema["x-name"])
        _collect(name, schemas)
    else:
        name = ".".join(reversed(resource.group.split("."))) + f".{version}.{resource.kind}"
        schemas[name] = inlined(schema) if resource.custom else _clean(schema, _linked)
        _metadata(schemas, name)
    schemas[name]["x-kubernetes-group-version-kind"] = [gvk]
    _lists(schemas, name, gvk)
    return name


def _metadata(schemas: Object, name: str) -> None:
    _collect(_ALL + "ObjectMeta", schemas)
    fields = schemas[name].setdefault("properties", {})
    fields.update({"apiVersion": {"type": "string"}, "kind": {"type": "string"}})
    fields["metadata"] = {"allOf": [_link(_ALL + "ObjectMeta")], "default": {}}


def _lists(schemas: Object, name: str, gvk: Object) -> None:
    fields = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "items": {"type": "array", "items": _link(name)},
        "metadata": {"type": "object"},
    }
    kind = [gvk | {"kind": gvk["kind"] + "List"}]
    schemas[name + "List"] = {
        "type": "object", "required": ["items"], "properties": fields, "x-kubernetes-group-version-kind": kind,
    }  # fmt: skip


def _collect(name: str, schemas: Object) -> None:
    if name in schemas:
        return
    schemas[name] = _clean(DEFINITIONS[name], _linked)
    for each in _references(DEFINITIONS[name]):
        _collect(each, schemas)


def _references(schema: Object) -> list[str]:
    found = [schema["$ref"]] if "$ref" in schema else []
    for field in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(field, dict):
            found += _references(field)
    return found


def _link(name: str) -> Object:
    return {"$ref": f"#/components/schemas/{name}"}


def _linked(schema: Object) -> Object:
    if schema.get("format") in _NAMED:
        rest = {key: value for key, value in schema.items() if key not in ("format", "type")}
        return {"allOf": [_link(_NAMED[schema["format"]])]} | rest if rest else _link(_NAMED[schema["format"]])
    if "$ref" not in schema:
        return _clean(schema, _linked)
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    return {"allOf": [_link(schema["$ref"])]} | rest if rest else _link(schema["$ref"])


def _clean(schema: Object, below: Any) -> Object:
    """The schema without our own marks, `below` applied to what it holds."""
    kept = {key: value for key, value in schema.items() if key not in ("x-name", "x-kind")}
    if "properties" in kept:
        kept["properties"] = {key: below(value) for key, value in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = below(kept[key])
    return kept


def _paths(resource: Resource, version: str, schema: str) -> Object:
    root = f"/apis/{resource.group}/{version}" if resource.group else f"/api/{version}"
    where = f"{root}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    gvk = {"group": resource.group, "kind": resource.kind, "version": version}
    patches = [JSON_PATCH, MERGE_PATCH, *([] if resource.custom else [STRATEGIC_PATCH]), APPLY_PATCH]
    post = _operation("post", gvk, schema, ["*/*"])
    one = {verb: _operation(verb, gvk, schema, patches if verb == "patch" else ["*/*"]) for verb in _ACTIONS}
    listing = _operation("list", gvk, schema + "List", ["*/*"])
    many = {"get": listing, "post": post} if "create" in resource.verbs else {"get": listing}
    return {where: many, f"{where}/{{name}}": one}


def _operation(action: str, gvk: Object, schema: str, consumed: list[str]) -> Object:
    names = ["pretty"]
    if action in ("post", "put", "patch"):
        names += ["dryRun", "fieldManager", "fieldValidation", *(["force"] if action == "patch" else [])]
    operation: Object = {
        "parameters": [
            {"name": each, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for each in names
        ],
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": _link(schema)}}}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk,
    }
    if action in ("post", "put", "patch"):
        operation["requestBody"] = {"content": {each: {"schema": _link(schema)} for each in consumed}}
    return operation
