"""Reads what objects write as text: durations."""

import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|us|ns|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def is_duration(text: str) -> bool:
    """Whether it is a duration, written as Go reads it."""
    return re.fullmatch(rf"[-+]?(?:0|(?:{_DURATION.pattern})+)", text) is not None


def is_exact(lasting: float) -> bool:
    """Whether so many seconds are whole milliseconds, which is as exact as Istio takes them."""
    return round(lasting * 1e9) % 10**6 == 0


def seconds(duration: object) -> float:
    """The seconds of a duration such as `1m500ms`; 0 for None."""
    found = _DURATION.findall(str(duration or ""))
    sign = -1 if str(duration).startswith("-") else 1
    return sign * sum(float(count) * _SECONDS[unit] for count, unit in found)
