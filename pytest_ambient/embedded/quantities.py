"""Amounts of a resource as Kubernetes writes them."""

import re

_FORM = re.compile(r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)(m|[kMGTPE]i?|Ki)?")
_UNITS = {"": 1.0, "m": 1e-3, "k": 1e3, "Ki": 1024.0} | {
    f"{letter}{end}": float(base ** (power + 2))
    for power, letter in enumerate("MGTPE")
    for end, base in (("", 1000), ("i", 1024))
}


def quantity(text: object) -> float:
    """The number that an amount stands for, 0 for what is none."""
    found = _FORM.fullmatch(str(text))
    return float(found[1]) * _UNITS[found[2] or ""] if found else 0.0
