"""Reads what objects write as text: durations."""

import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds(duration: object) -> float:
    """The seconds of a duration such as `1m500ms`; 0 for None."""
    found = _DURATION.findall(str(duration or ""))
    return sum(float(count) * _SECONDS[unit] for count, unit in found)
