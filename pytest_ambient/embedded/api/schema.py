"""What objects look like: the tables of `schemas/`, read into the form that OpenAPI 3 gives them.

A table names types and their fields, `name! type ...`: `!` must be given, `[]T` is a list, `[key]T` a list whose items
are told apart by key, `[set]T` a set, `{}T` a map; then `A|B` its values, `1..9` its range, `#1..9` its length, `~name`
a pattern, `=value` its default.
A schema may be a `$ref` to another type by its full name; `resolved` follows it.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from ..objects import Object
from .patterns import PATTERNS
from .resources import Resource

OPEN = "x-kubernetes-preserve-unknown-fields"
_PRIMITIVE: dict[str, Object] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "time": {"type": "string", "format": "date-time"},
    "bytes": {"type": "string", "format": "byte"},
    "quantity": {"type": "string", "format": "quantity"},
    "intstr": {"type": "string", "format": "int-or-string"},
    "any": {OPEN: True},
    "object": {"type": "object", OPEN: True},
}
_OUTER = re.compile(r"(?:\[([\w,]*)\]|\{(\w*)\})(.+)")
_BUILT = (
    "meta", "core", "apps", "discovery", "coordination", "rbac", "authentication", "authorization", "policy",
    "autoscaling", "apiextensions",
)  # fmt: skip
_CUSTOM = ("gateway", "istio")
_SHARED = "io.k8s.apimachinery.pkg.apis.meta.v1."
OBJECT_META = _SHARED + "ObjectMeta"
_CORE = "io.k8s.api.core.v1."

DEFINITIONS: dict[str, Object] = {}
"""Every type by its full name, once `load` has run."""
COLUMNS: dict[str, list[Object]] = {}
"""The printed columns of custom kinds, by full name."""


@cache
def load() -> None:
    """Read the tables; later calls do nothing."""
    for table in (*_BUILT, *_CUSTOM):
        text = files(__package__).joinpath("schemas", f"{table}.txt").read_text("utf-8")
        _read(text, custom=table in _CUSTOM)
    for schema in DEFINITIONS.values():
        _settle(schema)


def resolved(schema: Object) -> Object:
    """The schema itself where it is a reference."""
    while "$ref" in schema:
        schema = DEFINITIONS[schema["$ref"]]
    return schema


@cache
def full_name(group: str, kind: str) -> str:
    """The type's name in OpenAPI for a kind that ships with the cluster, empty when no table has it."""
    load()
    found = (each for each, schema in DEFINITIONS.items() if schema.get("x-kind") == kind and _group(each) == group)
    return next(found, "")


def of(resource: Resource) -> Object:
    """The schema of a kind of the tables; one that takes anything when no table has it."""
    name = full_name(resource.group, resource.kind)
    return DEFINITIONS[name] if name else {"type": "object", OPEN: True}


def columns(resource: Resource) -> list[Object]:
    """The columns with which a custom kind of the tables is printed."""
    return COLUMNS.get(full_name(resource.group, resource.kind), [])


def _group(name: str) -> str:
    package = name.rsplit(".", 2)[0].rsplit(".", 1)[-1]
    suffix = {
        "core": "", "meta": "", "gateway": "gateway.networking.k8s.io", "security": "security.istio.io",
        "apps": "apps", "policy": "policy", "autoscaling": "autoscaling", "rbac": "rbac.authorization.k8s.io",
    }  # fmt: skip
    return suffix.get(package, f"{package}.k8s.io")


def _read(text: str, *, custom: bool) -> None:
    lines = iter(text.splitlines())
    package = next(lines).split()[1] + "."
    current: Object = {}
    for line in lines:
        if line.startswith("  | "):
            COLUMNS.setdefault(current["x-name"], []).append(_column(line[4:].split()))
        elif line.startswith("  "):
            for part in line.strip().split("; "):
                _field(current, package, part, custom=custom)
        elif line:
            current = _heading(package, line.split())


def _heading(package: str, words: list[str]) -> Object:
    kind = words[0] == "kind"
    name = package + words[1 if kind else 0]
    new: Object = {"type": "object", "x-name": name, "properties": {}}
    if kind:
        new["x-kind"] = words[1]
        new["properties"] = {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": _SHARED + "ObjectMeta"},
        }
    if "atomic" in words:
        new["x-kubernetes-map-type"] = "atomic"
    if "open" in words:
        new[OPEN] = True
    DEFINITIONS[name] = new
    return new


def _column(words: list[str]) -> Object:
    column: Object = {"name": words[0], "type": words[1], "jsonPath": words[2]}
    return column | ({"priority": int(words[3])} if len(words) > 3 else {})


def _field(owner: Object, package: str, text: str, *, custom: bool) -> None:
    name, kind, *rest = _words(text)
    if name.endswith("!"):
        name = name[:-1]
        owner.setdefault("required", []).append(name)
    field = _typed(package, kind, custom=custom)
    if "retain" in rest:
        field["x-kubernetes-patch-strategy"] = "merge,retainKeys" if "items" in field else "retainKeys"
        rest.remove("retain")
    for word in rest:
        field.update(_constraint(word, field))
    owner["properties"][name] = field


def _words(text: str) -> Iterator[str]:
    head, equals, default = text.partition(" =")
    tail = ""
    if equals and not default.startswith(("{", "[")):
        default, _, tail = default.partition(" ")
    elif default.endswith(" retain"):
        default, tail = default.removesuffix(" retain"), "retain"
    yield from head.split()
    yield from tail.split()
    if equals:
        yield "=" + default


def _typed(package: str, text: str, *, custom: bool) -> Object:
    outer = _OUTER.fullmatch(text)
    if outer is None:
        return dict(_PRIMITIVE[text]) if text in _PRIMITIVE else {"$ref": package + text}
    keys, mapped, inner = outer.groups()
    item = _typed(package, inner, custom=custom)
    if keys is not None:
        return {"type": "array", "items": item} | _list_type(keys, custom=custom)
    extra = {"x-kubernetes-map-type": "atomic"} if mapped == "atomic" else {}
    return {"type": "object", "additionalProperties": item} | extra


def _list_type(keys: str, *, custom: bool) -> Object:
    if not keys:
        return {"x-kubernetes-list-type": "atomic"}
    patched: Object = {} if custom else {"x-kubernetes-patch-strategy": "merge"}
    if keys == "set":
        return {"x-kubernetes-list-type": "set"} | patched
    names = keys.split(",")
    if not custom:
        patched["x-kubernetes-patch-merge-key"] = names[0]
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": names} | patched


def _settle(schema: Object) -> None:
    """Point each reference at its own package, else at the core, else at what all share."""
    for field in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if field is None:
            continue
        if "$ref" in field:
            name = field["$ref"].rpartition(".")[2]
            known = (each for each in (field["$ref"], _CORE + name, _SHARED + name) if each in DEFINITIONS)
            field["$ref"] = next(known)
        _settle(field)


def _constraint(word: str, field: Object) -> Object:
    if word.startswith("="):
        return {"default": _value(word[1:])}
    if word.startswith("~"):
        return {"pattern": PATTERNS[word[1:]]}
    if word.startswith("#"):
        low, high = ("minItems", "maxItems") if field.get("type") == "array" else ("minLength", "maxLength")
        return _range(word[1:], low, high)
    if "|" in word:
        return {"enum": word.split("|")}
    return _range(word, "minimum", "maximum")


def _range(word: str, low: str, high: str) -> Object:
    first, last = word.split("..")
    ends: dict[str, Any] = {low: first, high: last}
    return {key: int(value) for key, value in ends.items() if value}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
