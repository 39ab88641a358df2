"""What is taken from an object that somebody sends: known fields of the right type.

Unknown fields are taken out and named. For built-in kinds a value of the wrong type stops everything, in the real
server's words; for custom kinds all of them are listed.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ..objects import Object, name_of
from .encoding import illegal_byte
from .errors import ApiError, Cause, bad_request, misshapen
from .resources import Resource
from .schema import OPEN, resolved

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_QUANTITY = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"), (str, "string"), (int, "number"), (float, "number"), (dict, "object"), (list, "array"),
)  # fmt: skip
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "integer": (int,),
    "number": (int, float),
}  # fmt: skip
_GO = {
    "object": "struct", "array": "slice", "string": "string", "boolean": "bool", "integer": "int32",
    "number": "float64",
}  # fmt: skip


def decoded(resource: Resource, schema: Object, obj: Object) -> list[str]:
    """Take what does not belong there out of `obj`; returns the paths of unknown fields. ApiError for wrong types."""
    found = _Decoder(resource, obj)
    found.take(schema, obj, "", resource.kind)
    if found.causes:
        raise misshapen(resource, schema, name_of(obj), found.causes)
    return found.unknown


class _Decoder:
    def __init__(self, resource: Resource, whole: Object) -> None:
        self.resource = resource
        self.unknown: list[str] = []
        self.causes: list[Cause] = []

    def take(self, schema: Object, value: Any, path: str, owner: str) -> bool:
        """Whether the value may stay; what it holds is looked at too."""
        shape = resolved(schema)
        if not _fits(shape, value):
            self._wrong(shape, value, path, owner)
            return False
        if shape.get("format") == "byte" and not self.resource.custom:
            self._check_bytes(value)
        if isinstance(value, dict):
            self._object(shape, value, path, owner)
        elif isinstance(value, list) and "items" in shape:
            for number, each in enumerate(value):
                self.take(shape["items"], each, f"{path}[{number}]", owner)
        return True

    def _object(self, shape: Object, value: Object, path: str, owner: str) -> None:
        fields = shape.get("properties", {})
        extra = shape.get("additionalProperties")
        owner = shape.get("x-name", owner).rpartition(".")[2]
        for key in tuple(value):
            below = f"{path}.{key}" if path else key
            known = fields.get(key, extra if isinstance(extra, dict) else None)
            if value[key] is None and not shape.get(OPEN):
                del value[key]
            elif known is not None:
                self.take(known, value[key], below, owner)
            elif not shape.get(OPEN) and extra is not True:
                self.unknown.append(below)
                del value[key]

    def _check_bytes(self, text: str) -> None:
        place = illegal_byte(text)
        if place is not None:
            raise bad_request(f"{self._head()}: illegal base64 data at input byte {place}")

    def _head(self) -> str:
        kind = self.resource.kind
        return f'{kind} in version "{self.resource.version}" cannot be handled as a {kind}'

    def _wrong(self, shape: Object, value: Any, path: str, owner: str) -> None:
        if not self.resource.custom or path.startswith("metadata"):
            raise self._unmarshal(shape, value, path, owner)
        kind = _word(value) if not isinstance(value, int) or isinstance(value, bool) else "integer"
        kind = {"bool": "boolean"}.get(kind, kind)
        text = f'Invalid value: "{kind}": {path} in body must be of type {shape["type"]}: "{kind}"'
        self.causes.append(Cause(path, text, "FieldValueTypeInvalid"))

    def _unmarshal(self, shape: Object, value: Any, path: str, owner: str) -> ApiError:
        head = self._head()
        if shape.get("format") == "quantity":
            why = (
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                if isinstance(value, str)
                else f"json: cannot unmarshal {_word(value)} into Go value of type string"
            )
            return bad_request(f"{head}: {why}")
        if shape.get("format") == "date-time" and isinstance(value, str):
            layout = "2006-01-02T15:04:05Z07:00"
            return bad_request(f'{head}: parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"')
        field = re.sub(r"\[\d+\]", "", path)
        kind = "string" if shape.get("format") == "int-or-string" else _go(shape)
        return bad_request(
            f"{head}: json: cannot unmarshal {_word(value)} into Go struct field {owner}.{field} of type {kind}"
        )


def _fits(shape: Object, value: Any) -> bool:
    checked = _FORMATS.get(shape.get("format", ""))
    if checked:
        return checked(value)
    if shape.get("x-kubernetes-int-or-string"):
        return isinstance(value, int | str) and not isinstance(value, bool)
    wanted = shape.get("type")
    if wanted is None or (value is None and shape.get("nullable")):
        return True
    if isinstance(value, bool):
        return bool(wanted == "boolean")
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[wanted])


def _is_quantity(value: Any) -> bool:
    return not isinstance(value, bool) and (
        isinstance(value, int | float) or (isinstance(value, str) and bool(_QUANTITY.fullmatch(value)))
    )


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(_TIME.fullmatch(value))


_FORMATS: dict[str, Callable[[Any], bool]] = {
    "quantity": _is_quantity,
    "date-time": _is_time,
    "int-or-string": lambda value: isinstance(value, int | str) and not isinstance(value, bool),
}


def _word(value: Any) -> str:
    return next((word for kind, word in _WORDS if isinstance(value, kind)), "null")


def _go(shape: Object) -> str:
    if shape.get("type") == "object" and "additionalProperties" in shape:
        return "map[string]string"
    if shape.get("type") == "array":
        item = resolved(shape["items"])
        return "[]" + (item["x-name"].rpartition(".")[2] if "x-name" in item else _GO[item.get("type", "string")])
    if "x-name" in shape:
        package, _, name = shape["x-name"].rpartition(".")
        return f"{package.rpartition('.')[2]}.{name}"
    return _GO[shape.get("type", "string")]


def quoted(value: Any) -> str:
    """A value as messages show it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
