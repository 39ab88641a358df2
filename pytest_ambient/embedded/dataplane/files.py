"""What an Envoy reads: a file for each kind of its configuration, another one whenever it changed."""

from collections.abc import Iterator
from pathlib import Path

from ..objects import Object
from .encoding import encoded, response

Encoded = dict[str, tuple[Object, bytes]]
"""What an Envoy is given of one kind, by name: as it was made, and as the bytes that Envoy reads."""
_KINDS = {
    "listeners": "envoy.config.listener.v3.Listener",
    "clusters": "envoy.config.cluster.v3.Cluster",
    "routes": "envoy.config.route.v3.RouteConfiguration",
}


class Files:
    """The files of one Envoy in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, Encoded] = {}
        self._version = 0

    def encoded(self, kind: str, items: list[Object]) -> Encoded:
        """What is to be written of that kind, most of it as it was; Unwritable where it can't be."""
        return dict(self._each(kind, items))

    def write(self, kind: str, after: Encoded) -> str | None:
        """The version that these are from now on; None when they are what is there already."""
        before = self._written.get(kind)
        if before is not None and before.keys() == after.keys() and all(after[name] is before[name] for name in after):
            return None
        self._version += 1
        there = file(self._folder, kind)
        fresh = there.with_suffix(".new")
        ordered = (data for _, (_, data) in sorted(after.items()))
        fresh.write_bytes(response(str(self._version), _KINDS[kind], ordered))
        fresh.rename(there)  # Envoy sees nothing but a rename
        self._written[kind] = after
        return str(self._version)

    def _each(self, kind: str, items: list[Object]) -> Iterator[tuple[str, tuple[Object, bytes]]]:
        before = self._written.get(kind, {})
        for each in items:
            name = str(each["name"])
            known = before.get(name)
            yield name, known if known is not None and known[0] == each else (each, encoded(_KINDS[kind], each))


def file(folder: Path, kind: str) -> Path:
    """What an Envoy with that folder reads a kind of configuration from; its ending says that it is protobuf."""
    return folder / f"{kind}.pb"
