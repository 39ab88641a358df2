"""Which versions, options and surroundings of two reports differ."""

from collections.abc import Iterator
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]

SUITE = ("version", "commit", "digest", "python", "pytest")
PLACES = ("report", "name", "kubeconfig")
"""Options that only say where something is."""


def versions(old: Object, new: Object) -> list[tuple[str, str, str]]:
    """Name, old and new value of each that differs, in the document's order; `-` where one has none."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        (name, before.get(name, "-"), after.get(name, "-"))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _flat(document: Object) -> Iterator[tuple[str, str]]:
    """What is worth naming, by dotted name."""
    for name in SUITE:
        yield f"suite.{name}", str(document["suite"][name])
    yield "provider", str(document["run"]["provider"])
    chosen = {name: value for name, value in document["options"]["chosen"].items() if name not in PLACES}
    for part in (document["environment"], {"options": chosen}):
        yield from _leaves("", {name: value for name, value in part.items() if name != "unknown"})
    yield from _leaves("timeout", document["options"]["timeouts"])
    yield from _leaves("implementation", document["implementation"] or {})


def _leaves(where: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(f"{where}.{name}".lstrip("."), one)
    elif isinstance(value, list):
        yield where, ", ".join(map(str, value))
    else:
        yield where, str(value)
