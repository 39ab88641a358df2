"""Reads the tables of `schemas/` into the form that OpenAPI 3 gives to types.

A table names types and their fields, `name! type ...`: `!` must be given, `[]T` is a list, `[key]T` a list whose items
are told apart by key, `[set]T` a set, `{}T` a map; then `A|B` its values, `1..9` its range, `#1..9` its length, `~name`
a pattern, `=value` its default, and with `*` before it what holds for each item of a list. Lines with `|` are the
printed columns of a kind.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from ..objects import Object
from .patterns import PATTERNS

OPEN = "x-kubernetes-preserve-unknown-fields"
SHARED = "io.k8s.apimachinery.pkg.apis.meta.v1."
CORE = "io.k8s.api.core.v1."
PRIMITIVE: dict[str, Object] = {
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


class Tables:
    """The types that tables define."""

    def __init__(self) -> None:
        self.definitions: dict[str, Object] = {}
        """Every type by its full name; `x-kind` is the kind whose objects it describes, if any."""
        self.columns: dict[str, list[Object]] = {}
        """The printed columns of kinds, by full name."""

    def read(self, text: str, *, custom: bool) -> None:
        """Take a table in; custom kinds know nothing of strategic patches."""
        lines = iter(text.splitlines())
        package = next(lines).split()[1] + "."
        current: Object = {}
        for line in lines:
            if line.startswith("  | "):
                self.columns.setdefault(current["x-name"], []).append(_column(line[4:].split()))
            elif line.startswith("  "):
                for part in line.strip().split("; "):
                    _field(current, package, part, custom=custom)
            elif line:
                current = _heading(package, line.split())
                self.definitions[current["x-name"]] = current

    def settle(self) -> None:
        """Point each reference at its own package, else at the core, else at what all share."""
        for schema in self.definitions.values():
            self._settle(schema)

    def _settle(self, schema: Object) -> None:
        for field in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
            if field is None:
                continue
            if "$ref" in field:
                name = field["$ref"].rpartition(".")[2]
                known = (each for each in (field["$ref"], CORE + name, SHARED + name) if each in self.definitions)
                field["$ref"] = next(known)
            self._settle(field)


def _heading(package: str, words: list[str]) -> Object:
    kind = words[0] == "kind"
    name = package + words[1 if kind else 0]
    new: Object = {"type": "object", "x-name": name, "properties": {}}
    if kind:
        new["x-kind"] = words[1]
        new["properties"] = {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": SHARED + "ObjectMeta"},
        }
    if "atomic" in words:
        new["x-kubernetes-map-type"] = "atomic"
    if "open" in words:
        new[OPEN] = True
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
        return dict(PRIMITIVE[text]) if text in PRIMITIVE else {"$ref": package + text}
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


def _constraint(word: str, field: Object) -> Object:
    if word.startswith("*"):
        return {"items": field["items"] | _constraint(word[1:], field["items"])}
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
