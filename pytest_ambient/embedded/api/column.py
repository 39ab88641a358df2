"""What a printed column is, and the ones that many kinds share."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..objects import Object, name_of
from .ages import age

Cell = Callable[[Object], Any]


@dataclass(frozen=True)
class Column:
    """One column: its head and how to fill a cell; `wide` ones are only shown when asked for."""

    name: str
    cell: Cell
    kind: str = "string"
    wide: bool = False
    format: str = ""

    def definition(self) -> Object:
        """The head as the API sends it."""
        return {
            "name": self.name, "type": self.kind, "format": self.format, "description": "", "priority": int(self.wide),
        }  # fmt: skip


def compact(value: Any) -> str:
    """A structure in one line."""
    return json.dumps(value, separators=(",", ":"))


def field(*path: str, none: Any = "") -> Cell:
    """A cell that shows the field at that path."""

    def cell(obj: Object) -> Any:
        value: Any = obj
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return none if value is None else value

    return cell


def count(*path: str) -> Cell:
    """A cell that shows a number, 0 when there is none."""
    return field(*path, none=0)


NAME = Column("Name", name_of, format="name")
AGE = Column("Age", lambda obj: age(obj["metadata"].get("creationTimestamp", "")))
CREATED = Column("Created At", lambda obj: obj["metadata"].get("creationTimestamp", ""))
