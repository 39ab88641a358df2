"""Objects as typed clients send them: Kubernetes' protobuf, read by the field numbers of `schemas/wire.txt`.

Only reading: whoever sends protobuf also takes JSON.
"""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from ..objects import Object
from ..wire import entries
from .errors import bad_request
from .schema import DEFINITIONS, full_name, load, resolved

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_MEANT = frozenset({
    "replicas", "revisionHistoryLimit", "terminationGracePeriodSeconds", "runAsUser", "runAsGroup", "fsGroup",
    "runAsNonRoot", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "privileged", "enableServiceLinks",
    "automountServiceAccountToken", "gracePeriodSeconds", "orphanDependents", "tolerationSeconds", "hostUsers",
    "maxSurge", "maxUnavailable", "shareProcessNamespace", "progressDeadlineSeconds", "expirationSeconds",
    "backoffLimit", "completions", "parallelism", "partition", "ttlSecondsAfterFinished",
})  # fmt: skip
"""Fields whose zero says something; that of all others means that nothing was said."""
_EMPTY: Any = object()


def decoded(data: bytes) -> Object:
    """The object; 400 when it can't be read or its kind has no table."""
    if not data.startswith(_MAGIC):
        raise bad_request("the request body is no Kubernetes protobuf")
    try:
        envelope = dict(_fields(data[len(_MAGIC) :]))
        meta = dict(_fields(envelope.get(1, b"")))
        version, kind = meta.get(1, b"").decode(), meta.get(2, b"").decode()
        name = _type(version, kind)
        content = _message(name, DEFINITIONS[name], envelope.get(2, b""))
    except (KeyError, IndexError, ValueError) as fault:
        raise bad_request(f"the request body can't be read as protobuf: {fault!r}") from fault
    return {"apiVersion": version, "kind": kind} | content


def _type(version: str, kind: str) -> str:
    load()
    if kind == "DeleteOptions":
        return "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
    found = full_name(version.rpartition("/")[0], kind)
    if not found:
        raise KeyError(f"{version} {kind}")
    return found


@cache
def _numbers() -> dict[str, dict[int, str]]:
    """Field names by type and number; `+Type` stands for the fields of another message."""
    return {
        f"{package}.{name}": {int(number): field for number, field in listed}
        for package, name, listed in entries(files(__package__).joinpath("schemas", "wire.txt"))
    }


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _varint(data, place)
            yield number, value
        elif kind == 2:
            length, place = _varint(data, place)
            yield number, data[place : place + length]
            place += length
        else:
            width = {1: 8, 5: 4}[kind]
            yield number, data[place : place + width]
            place += width


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value - (1 << 64) if value >> 63 else value), place
        shift += 7


def _message(name: str, shape: Object, data: bytes) -> Object:
    numbers = _numbers().get(name, {})
    result: Object = {}
    for number, raw in _fields(data):
        field = numbers.get(number, "")
        if field.startswith("+"):
            result |= _message(name.rpartition(".")[0] + "." + field[1:], shape, raw)
        elif field:
            _put(result, field, shape["properties"][field], raw)
    return result


def _put(result: Object, field: str, schema: Object, raw: Any) -> None:
    if schema.get("type") == "array":
        result.setdefault(field, []).append(_value(schema["items"], raw))
    elif "additionalProperties" in schema:
        entry = dict(_fields(raw))
        value = _mapped(schema["additionalProperties"], entry.get(2, b""))
        result.setdefault(field, {})[entry.get(1, b"").decode()] = value
    else:
        value = _value(schema, raw)
        if value is not _EMPTY and (value or isinstance(value, dict) or field in _MEANT):
            result[field] = value


def _mapped(schema: Object, raw: bytes) -> Any:
    if schema.get("type") == "array":
        return [each.decode() for number, each in _fields(raw) if number == 1]
    return _value(schema, raw)


def _value(schema: Object, raw: Any) -> Any:
    kind, form = schema.get("type"), schema.get("format")
    if form in ("quantity", "date-time", "int-or-string"):
        return _special(form, dict(_fields(raw)))
    if form == "byte":
        return base64.b64encode(raw).decode()
    if kind == "boolean":
        return bool(raw)
    if kind == "string":
        return raw.decode()
    if kind == "integer":
        return raw
    shape = resolved(schema)
    return _message(shape["x-name"], shape, raw) if "x-name" in shape else {}


def _special(form: str, parts: dict[int, Any]) -> Any:
    if form == "quantity":
        return parts.get(1, b"").decode()
    if form == "date-time":
        seconds = parts.get(1)
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else _EMPTY
    return parts.get(3, b"").decode() if parts.get(1) else parts.get(2, 0)
