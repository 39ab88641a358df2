"""Field sets: which leaves an object has, as managedFields write them (FieldsV1).

A path is a tuple of `f:name`, `k:{"name":"x"}` and `v:"x"`; it ends in `.` where the thing itself is meant and not what
it holds.
"""

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

from ..objects import Object
from .schema import OPEN, resolved

Path: TypeAlias = tuple[str, ...]
Leaves: TypeAlias = dict[Path, Any]

_IDENTITY = frozenset(
    ("f:metadata", f"f:{name}")
    for name in (
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
        "deletionTimestamp", "deletionGracePeriodSeconds",
    )
)  # fmt: skip
_UNMARKED = frozenset({"spec", "status", "metadata", "template", "strategy", "updateStrategy", "containers"})


class NoKey(Exception):
    """An item of a keyed list lacks its key; the text is the real server's."""


def leaves(schema: Object, obj: Object, *, marks: bool) -> Leaves:
    """The object's leaves with their values; `marks` adds maps and structs themselves, as updates record them.

    What tells the object from others (its name, uid ...) is left out. NoKey when a keyed list cannot be told apart.
    """
    found: Leaves = {}
    body = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    _walk(schema, body, (), found, marks)
    return {path: value for path, value in found.items() if path[:2] not in _IDENTITY and path != ("f:metadata",)}


def _walk(schema: Object, value: Any, path: Path, found: Leaves, marks: bool) -> None:
    shape = resolved(schema)
    if isinstance(value, dict) and value and shape.get("x-kubernetes-map-type") != "atomic" and not _opaque(shape):
        if "x-kubernetes-map-type" in schema:
            found[path] = value
            return
        if marks and path and path[-1][2:] not in _UNMARKED and not path[-1].startswith("k:"):
            found[(*path, ".")] = True
        fields, extra = shape.get("properties", {}), shape.get("additionalProperties")
        for key, each in value.items():
            below = fields.get(key) or (extra if isinstance(extra, dict) else {OPEN: True})
            _walk(below, each, (*path, f"f:{key}"), found, marks)
    elif isinstance(value, list) and value and _keyed(schema):
        if marks and path[-1][2:] not in _UNMARKED:
            found[(*path, ".")] = True
        _walk_list(schema, value, path, found, marks)
    else:
        found[path] = value


def _opaque(shape: Object) -> bool:
    return bool(shape.get(OPEN)) and "properties" not in shape


def _keyed(schema: Object) -> bool:
    return schema.get("x-kubernetes-list-type") in ("map", "set")


def _walk_list(schema: Object, value: list[Any], path: Path, found: Leaves, marks: bool) -> None:
    for number, each in enumerate(value):
        if schema["x-kubernetes-list-type"] == "set":
            found[(*path, item_key(schema, each))] = each
            continue
        try:
            below = (*path, item_key(schema, each))
        except NoKey as fault:
            raise NoKey(f"{text(path)}: element {number}: {fault}") from fault
        found[(*below, ".")] = True
        _walk(schema["items"], each, below, found, marks)


def item_key(schema: Object, item: Any) -> str:
    """The path element of one item of a keyed list or a set."""
    if schema["x-kubernetes-list-type"] == "set":
        return "v:" + _compact(item)
    fields = resolved(schema["items"]).get("properties", {})
    key = {}
    for name in sorted(schema["x-kubernetes-list-map-keys"]):
        if name in item:
            key[name] = item[name]
        elif "default" in fields.get(name, {}):
            key[name] = fields[name]["default"]
        else:
            lacking = f'an element that omits key field "{name}" (and doesn\'t have default value)'
            raise NoKey(f"associative list with keys has {lacking}")
    return "k:" + _compact(key)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def to_fields(paths: Iterable[Path]) -> Object:
    """The FieldsV1 of those paths."""
    tree: Object = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
    return tree


def from_fields(tree: Object) -> set[Path]:
    """The paths of a FieldsV1."""
    found: set[Path] = set()
    _collect(tree, (), found)
    return found


def _collect(node: Object, path: Path, found: set[Path]) -> None:
    for element, below in node.items():
        if not below:
            found.add((*path, element))
        else:
            _collect(below, (*path, element), found)


def text(path: Path) -> str:
    """A path as messages show it: `.spec.containers[name="x"].image`."""
    parts = []
    for element in path:
        kind, _, rest = element.partition(":")
        if kind == "f":
            parts.append(f".{rest}")
        elif kind == "k":
            parts.append("[" + ",".join(f"{key}={_compact(value)}" for key, value in json.loads(rest).items()) + "]")
        elif kind == "v":
            parts.append(f"[={rest}]")
    return "".join(parts)
