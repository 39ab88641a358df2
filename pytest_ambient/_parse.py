"""Reads what people write as values of options; ValueError says what was wanted and what came."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pytest_ambient.verdict import profiles as sets

Value = str | int | bool | Path | tuple[str, ...] | dict[str, float] | None

TIMEOUTS: Final[dict[str, float]] = {
    "cluster": 600.0,
    "installer": 600.0,
    "mesh": 120.0,
    "bookinfo": 360.0,
    "setup": 240.0,
    "control": 10.0,
    "becomes": 30.0,
    "hold": 1.0,
    "undo": 30.0,
    "request": 5.0,
    "witness": 2.0,
    "spans": 20.0,
}
"""Every wait that `--ambient-timeout NAME=SECONDS` can change, with its default in seconds.

Those for clusters, meshes, Bookinfo and what a rule brings leave time for images over a slow line, about a gigabyte for
a cluster, half of one for Bookinfo, and a waypoint's on a node that has none; they count only where something does not
come at all.
"""

PROFILES: Final = sets.PROFILES

# Words, not compiled patterns: most runs use none of them.
LABEL = r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?"
VERSION = r"\d+\.\d+(\.\d+)?(-[0-9A-Za-z.-]+)?"
RELEASE = r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?"
KUBERNETES = r"1\.\d+(\.\d+)?"
HUB = r"[a-z0-9][-a-z0-9.]*(:\d+)?(/[a-z0-9._-]+)*"


def text(pattern: str, wanted: str) -> Callable[[str], str]:
    """A parser for words of one form."""

    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"wanted {wanted}, got {value!r}")
        return value

    return parse


def one_of(*known: str) -> Callable[[str], str]:
    """A parser for a word out of a closed list."""

    def parse(value: str) -> str:
        if value not in known:
            raise ValueError(f"wanted one of {', '.join(known)}, got {value!r}")
        return value

    return parse


def nodes(value: str) -> int:
    """How many nodes."""
    if not re.fullmatch(r"[1-9]\d?", value):
        raise ValueError(f"wanted a number from 1 to 99, got {value!r}")
    return int(value)


def lanes(value: str) -> int:
    """How many modules at a time."""
    if not re.fullmatch(r"[1-8]", value):
        raise ValueError(f"wanted a number from 1 to 8, got {value!r}")
    return int(value)


def flag(value: str) -> bool:
    """True or false."""
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"wanted true or false, got {value!r}")


def words(value: str) -> tuple[str, ...]:
    """Words separated by commas or blanks, each once."""
    return tuple(dict.fromkeys(re.split(r"[,\s]+", value.strip(", \n")))) if value.strip(", \n") else ()


def profiles(value: str) -> tuple[str, ...]:
    """Names of profiles."""
    return tuple(one_of(*PROFILES)(word) for word in words(value))


def seconds(value: str) -> dict[str, float]:
    """Waits by name, in seconds."""
    return dict(_second(word) for word in words(value))


def _second(word: str) -> tuple[str, float]:
    name, equals, text = word.partition("=")
    if not equals:
        raise ValueError(f"wanted NAME=SECONDS, got {word!r}")
    if name not in TIMEOUTS:
        raise ValueError(f"unknown name {name!r}, known are {', '.join(TIMEOUTS)}")
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not float(text):
        raise ValueError(f"wanted seconds above 0 for {name}, got {text!r}")
    return name, float(text)
