"""The published JSON Schema of reports, and a check against it that needs no library: the keywords that it uses."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]

FILE = Path(__file__).parent / "schema.json"

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


@cache
def schema() -> Object:
    """The whole schema."""
    loaded: Object = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


def errors(value: object, part: str = "") -> list[str]:
    """What is wrong with a document, or with a value that `$defs` has under the name `part`; a line each."""
    return list(_errors(value, schema()["$defs"][part] if part else schema(), ""))


def _errors(value: object, shape: Object, where: str) -> Iterator[str]:
    if "$ref" in shape:
        yield from _errors(value, schema()["$defs"][shape["$ref"].rpartition("/")[2]], where)
    if "anyOf" in shape:
        yield from _any(value, shape["anyOf"], where)
    if "type" in shape and not _typed(value, shape["type"]):
        yield f"{_at(where)}wanted {_words(shape['type'])}, got {_shown(value)}"
        return
    for keyword, wrong in CHECKS.items():
        if keyword in shape:
            yield from wrong(value, shape, where)


def _any(value: object, shapes: list[Object], where: str) -> Iterator[str]:
    """The complaints of the shape that fits best: of the right type, or else the last."""
    found = [list(_errors(value, one, where)) for one in shapes]
    if all(found):
        yield from max(found, key=lambda lines: (not lines[0].startswith(f"{_at(where)}wanted "), len(lines)))


def _typed(value: object, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names)


def _const(value: object, shape: Object, where: str) -> Iterator[str]:
    if value != shape["const"]:
        yield f"{_at(where)}wanted {shape['const']!r}, got {_shown(value)}"


def _enum(value: object, shape: Object, where: str) -> Iterator[str]:
    if value not in shape["enum"]:
        yield f"{_at(where)}wanted one of {', '.join(shape['enum'])}, got {_shown(value)}"


def _pattern(value: object, shape: Object, where: str) -> Iterator[str]:
    if isinstance(value, str) and not re.search(shape["pattern"], value):
        yield f"{_at(where)}wanted the form {shape['pattern']}, got {_shown(value)}"


def _least(value: object, shape: Object, where: str) -> Iterator[str]:
    if isinstance(value, int | float) and value < shape["minimum"]:
        yield f"{_at(where)}wanted {shape['minimum']} at least, got {_shown(value)}"


def _filled(value: object, shape: Object, where: str) -> Iterator[str]:
    if isinstance(value, str | list) and not value:
        yield f"{_at(where)}must not be empty"


def _required(value: object, shape: Object, where: str) -> Iterator[str]:
    missing = [name for name in shape["required"] if isinstance(value, dict) and name not in value]
    if missing:
        yield f"{_at(where)}lacks {', '.join(missing)}"


def _items(value: object, shape: Object, where: str) -> Iterator[str]:
    for number, item in enumerate(value if isinstance(value, list) else ()):
        yield from _errors(item, shape["items"], f"{where}[{number}]")


def _properties(value: object, shape: Object, where: str) -> Iterator[str]:
    for name, one in shape["properties"].items():
        if isinstance(value, dict) and name in value:
            yield from _errors(value[name], one, f"{where}.{name}".lstrip("."))


def _additional(value: object, shape: Object, where: str) -> Iterator[str]:
    known, rest = shape.get("properties", {}), shape["additionalProperties"]
    for name, one in value.items() if isinstance(value, dict) else ():
        if name not in known and rest is False:
            yield f"{_at(where)}unknown {name!r}"
        elif name not in known:
            yield from _errors(one, rest, f"{where}.{name}".lstrip("."))


CHECKS: dict[str, Callable[[object, Object, str], Iterator[str]]] = {
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _least,
    "minLength": _filled,
    "minItems": _filled,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
}


def _at(where: str) -> str:
    return f"{where}: " if where else ""


def _words(wanted: str | list[str]) -> str:
    return wanted if isinstance(wanted, str) else " or ".join(wanted)


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
