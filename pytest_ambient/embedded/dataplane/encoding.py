"""Envoy's configuration as protobuf, which it reads in a fifth of the time that the same takes as JSON.

Everywhere else a message is a JSON object; `wire.txt` has the numbers and types of the fields that are named there.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from importlib.resources import files
from typing import Any, TypeAlias

from ..wire import entries

_VARINT, _EIGHT_BYTES, _DELIMITED = 0, 1, 2
_NANOSECONDS = 10**9
_MOST = 2**32 - 1
"""No field asks for a larger number; Envoy would take what is left of it in silence."""
_SIXTY_FOUR_BITS = 2**64
_WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_ENUM = "enum "

_Write: TypeAlias = Callable[[Any], bytes]


class Unwritable(ValueError):
    """The configuration has a field that `wire.txt` lacks, or a value that its field can't have; the text names it."""


@dataclass(frozen=True)
class _Entry:
    """A message or an enum as the table has it: number, name and perhaps type of each field or value."""

    package: str
    enum: bool
    listed: list[list[str]]


def encoded(message: str, content: Mapping[str, Any]) -> bytes:
    """A message, called by its full name; a list is a repeated field. Raises Unwritable for what can't be written."""
    fields = _fields(message)
    pieces: list[bytes] = []
    for name, value in content.items():
        write = fields.get(name)
        if write is None:
            raise Unwritable(f"{message} has no field {name} in wire.txt")
        try:
            pieces += map(write, value) if isinstance(value, list) else (write(value),)
        except Unwritable:
            raise
        except _WRONG as fault:
            raise Unwritable(f"{message}.{name} can't be {value!r}") from fault
    return b"".join(pieces)


def response(version: str, message: str, resources: Iterable[bytes]) -> bytes:
    """What Envoy reads from a file: such messages, encoded, as a DiscoveryResponse of that version."""
    kind = _scalar(1, f"type.googleapis.com/{message}")
    return _scalar(1, version) + b"".join(_delimited(2, kind + _delimited(2, each)) for each in resources)


@cache
def _fields(message: str) -> dict[str, _Write]:
    """What writes each field's value, the field's key before it."""
    entry = _table().get(message)
    if entry is None:
        raise Unwritable(f"there is no message {message} in wire.txt")
    return {name: _field(entry.package, int(number), of) for number, name, *of in entry.listed}


def _field(package: str, number: int, of: list[str]) -> _Write:
    match of:
        case []:
            return partial(_scalar, number)
        case ["double"]:
            return partial(_double, number)
        case ["map", *inner]:
            return partial(_map, number, _field(package, 2, inner))
        case [name] if name in _WELL_KNOWN:
            return partial(_nested, number, _WELL_KNOWN[name])
    name = f"{package}.{of[0]}" if f"{package}.{of[0]}" in _table() else of[0]
    found = _table()[name]
    if found.enum:
        return partial(_chosen, number, {word: int(value) for value, word in found.listed})
    return partial(_nested, number, partial(encoded, name))


def _scalar(number: int, value: str | float) -> bytes:
    """A string, a boolean or a whole number: JSON tells which, where `5.0` is whole, too."""
    if isinstance(value, str):
        return _delimited(number, value.encode())
    if not 0 <= value <= _MOST or value != int(value):
        raise ValueError
    return _whole(number, int(value))


def _whole(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value % _SIXTY_FOUR_BITS)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | _EIGHT_BYTES) + struct.pack("<d", value)


def _chosen(number: int, values: Mapping[str, int], word: str) -> bytes:
    return _whole(number, values[word])


def _nested(number: int, content: _Write, value: Any) -> bytes:
    return _delimited(number, content(value))


def _map(number: int, write: _Write, value: Mapping[str, Any]) -> bytes:
    return b"".join(_delimited(number, _scalar(1, key) + write(each)) for key, each in value.items())


def _delimited(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    if value < 0x80:
        return _SHORT[value]
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


_SHORT = [bytes((value,)) for value in range(0x80)]


def _any(value: Mapping[str, Any]) -> bytes:
    url = str(value["@type"])
    name = url.rpartition("/")[2]
    rest = {field: each for field, each in value.items() if field != "@type"}
    content = _scalar(1, rest["value"]) if name in _WRAPPERS else encoded(name, rest)
    return _scalar(1, url) + _delimited(2, content)


def _duration(value: str) -> bytes:
    """Seconds as JSON has them, such as `0.25s`."""
    found = int(Decimal(value.removesuffix("s")) * _NANOSECONDS)
    sign = -1 if found < 0 else 1  # of both parts
    seconds, fraction = divmod(abs(found), _NANOSECONDS)
    return _whole(1, sign * seconds) + _whole(2, sign * fraction)


def _struct(value: Mapping[str, Any]) -> bytes:
    return _map(1, partial(_nested, 2, _value), value)


def _value(value: Any) -> bytes:
    """Any JSON as a google.protobuf.Value."""
    match value:
        case None:
            return _scalar(1, 0)
        case bool():
            return _scalar(4, value)
        case int() | float():
            return _double(2, value)
        case str():
            return _scalar(3, value)
        case dict():
            return _delimited(5, _struct(value))
    return _delimited(6, b"".join(_delimited(1, _value(each)) for each in value))


_WELL_KNOWN: Mapping[str, _Write] = {
    "Any": _any,
    "Duration": _duration,
    "Struct": _struct,
    "Wrapped": partial(_scalar, 1),
}
_WRAPPERS = frozenset({"google.protobuf.StringValue"})


@cache
def _table() -> dict[str, _Entry]:
    return {
        f"{package}.{head.removeprefix(_ENUM)}": _Entry(package, head.startswith(_ENUM), listed)
        for package, head, listed in entries(files(__package__).joinpath("wire.txt"))
    }
