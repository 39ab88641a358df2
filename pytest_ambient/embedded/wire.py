"""Tables of protobuf's numbers: `package NAME`, then lines `Message: NUMBER FIELD, …`, indented where they go on."""

from collections.abc import Iterator
from importlib.resources.abc import Traversable


def entries(table: Traversable) -> Iterator[tuple[str, str, list[list[str]]]]:
    """Package, name and fields (the words of each) of all messages of a table."""
    package = ""
    for line in table.read_text("utf-8").replace("\n  ", " ").splitlines():
        if line.startswith("package "):
            package = line.split()[1]
        elif line:
            name, _, listed = line.partition(":")
            yield package, name, [each.split() for each in listed.split(",") if each.strip()]
