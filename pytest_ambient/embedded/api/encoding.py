"""Base64 as Go reads it: line ends are skipped, and the first byte that can't be there is named."""

import string

_LETTERS = frozenset((string.ascii_letters + string.digits + "+/").encode())
_PAD = ord("=")
_ENDS = b"\r\n"


def illegal_byte(text: str) -> int | None:
    """The place of the first byte that makes a text no base64, None when it is base64."""
    data = text.encode()
    held = 0
    for place, each in enumerate(data):
        if each in _LETTERS:
            held = (held + 1) % 4
        elif each == _PAD and held > 1:
            return _after_pad(data, place + 1, missing=3 - held)
        elif each not in _ENDS:
            return place
    return len(data) - held if held else None


def _after_pad(data: bytes, place: int, *, missing: int) -> int | None:
    """Likewise, from the byte after the first `=` on; `missing` more must follow."""
    if missing:
        place = _next(data, place)
        if place == len(data):
            return place
        if data[place] != _PAD:
            return place - 1
        place += 1
    place = _next(data, place)
    return place if place < len(data) else None


def _next(data: bytes, place: int) -> int:
    while place < len(data) and data[place] in _ENDS:
        place += 1
    return place
