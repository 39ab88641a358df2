"""A test's facts as properties: pytest's JUnit file prints them, and under xdist they travel to the controller."""

import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

PREFIX = "ambient."


def properties(facts: Mapping[str, Json]) -> list[tuple[str, str]]:
    """One property per fact, its value as JSON; a fact that is None or empty is left out."""
    return [(PREFIX + name, json.dumps(value)) for name, value in facts.items() if value not in (None, "", [])]


def facts(found: Iterable[tuple[str, object]]) -> dict[str, Json]:
    """The facts among a report's properties; a later one of the same name wins."""
    return {name.removeprefix(PREFIX): _value(value) for name, value in found if name.startswith(PREFIX)}


def _value(text: object) -> Json:
    try:
        value: Json = json.loads(str(text))
    except ValueError:
        return str(text)
    return value
