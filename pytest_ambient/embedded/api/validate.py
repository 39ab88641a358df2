"""Whether the fields of an object have the values that its schema allows, in the words of the real server."""

import re
from functools import cache
from typing import Any

from ..objects import Object
from .decode import quoted
from .errors import Cause
from .schema import resolved


def faults(schema: Object, obj: Object, *, custom: bool) -> list[Cause]:
    """Every field of the object that is missing or has a value that its schema does not allow."""
    found: list[Cause] = []
    _Walk(found, custom).value(schema, obj, "")
    return found


class _Walk:
    def __init__(self, found: list[Cause], custom: bool) -> None:
        self._found = found
        self._custom = custom

    def value(self, schema: Object, value: Any, path: str) -> None:
        shape = resolved(schema)
        if isinstance(value, dict):
            self._object(shape, value, path)
        elif isinstance(value, list):
            self._list(schema, shape, value, path)
        elif isinstance(value, str):
            self._string(schema, value, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._number(schema, value, path)
        if "enum" in schema and value not in schema["enum"]:
            listed = ", ".join(quoted(each) for each in schema["enum"])
            text = f"Unsupported value: {quoted(value)}: supported values: {listed}"
            self._found.append(Cause(path, text, "FieldValueNotSupported"))

    def _object(self, shape: Object, value: Object, path: str) -> None:
        for name in shape.get("required", ()):
            if name not in value and not (name == "metadata" and not path):
                self._found.append(Cause(_join(path, name), "Required value", "FieldValueRequired"))
        fields = shape.get("properties", {})
        extra = shape.get("additionalProperties")
        for key, each in value.items():
            known = fields.get(key, extra if isinstance(extra, dict) else None)
            if known is not None and not (not path and key in ("metadata", "status")):
                self.value(known, each, _join(path, key))

    def _list(self, schema: Object, shape: Object, value: list[Any], path: str) -> None:
        if "maxItems" in schema and len(value) > schema["maxItems"]:
            text = f"Too many: {len(value)}: must have at most {schema['maxItems']} items"
            self._found.append(Cause(path, text, "FieldValueTooMany"))
        if len(value) < schema.get("minItems", 0):
            self._body(path, len(value), f"should have at least {schema['minItems']} items")
        if self._custom:
            self._doubles(schema, value, path)
        for number, each in enumerate(value):
            self.value(shape.get("items", {}), each, f"{path}[{number}]")

    def _doubles(self, schema: Object, value: list[Any], path: str) -> None:
        keys = schema.get("x-kubernetes-list-map-keys")
        if keys is None and schema.get("x-kubernetes-list-type") != "set":
            return
        seen: set[str] = set()
        for number, each in enumerate(value):
            name = quoted({key: each.get(key) for key in keys} if keys else each)
            if name in seen:
                self._found.append(Cause(f"{path}[{number}]", f"Duplicate value: {name}", "FieldValueDuplicate"))
            seen.add(name)

    def _string(self, schema: Object, value: str, path: str) -> None:
        if len(value) > schema.get("maxLength", len(value)):
            text = f"Too long: may not be more than {schema['maxLength']} bytes"
            self._found.append(Cause(path, text, "FieldValueTooLong"))
        elif len(value) < schema.get("minLength", 0):
            self._body(path, value, f"should be at least {schema['minLength']} chars long")
        elif "pattern" in schema and not _compiled(schema["pattern"]).search(value):
            self._body(path, value, f"should match '{schema['pattern']}'")

    def _number(self, schema: Object, value: float, path: str) -> None:
        low, high = schema.get("minimum"), schema.get("maximum")
        if not self._custom and low and high and not low <= value <= high:
            self._plain(path, value, f"must be between {low} and {high}, inclusive")
        elif low is not None and value < low:
            self._limit(path, value, f"greater than or equal to {low}")
        elif high is not None and value > high:
            self._limit(path, value, f"less than or equal to {high}")

    def _limit(self, path: str, value: float, text: str) -> None:
        if self._custom:
            self._body(path, value, f"should be {text}")
        else:
            self._plain(path, value, f"must be {text}")

    def _body(self, path: str, value: Any, text: str) -> None:
        self._plain(path, value, f"{path} in body {text}")

    def _plain(self, path: str, value: Any, text: str) -> None:
        self._found.append(Cause(path, f"Invalid value: {quoted(value)}: {text}"))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
