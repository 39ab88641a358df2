"""What an Envoy reads: a file for each kind of its configuration, another one whenever it changed."""

from collections.abc import Iterator
from pathlib import Path

from ..objects import Object
from .encoding import encoded, response

_KINDS = {
    "listeners": "envoy.config.listener.v3.Listener",
    "clusters": "envoy.config.cluster.v3.Cluster",
    "routes": "envoy.config.route.v3.RouteConfiguration",
}


class Files:
    """The files of one Envoy in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, dict[str, tuple[Object, bytes]]] = {}
        """By kind and name: what was written last, and as which bytes."""
        self._version = 0

    def write(self, kind: str, items: list[Object]) -> str | None:
        """The version that these are from now on; None when they are what is there already."""
        before = self._known.get(kind)
        after = dict(self._encoded(kind, items, before or {}))
        if before is not None and before.keys() == after.keys() and all(after[name] is before[name] for name in after):
            return None
        self._version += 1
        there = file(self._folder, kind)
        fresh = there.with_suffix(".new")
        fresh.write_bytes(response(str(self._version), _KINDS[kind], (each for _, each in after.values())))
        fresh.rename(there)  # Envoy sees nothing but a rename
        self._known[kind] = after
        return str(self._version)

    def _encoded(
        self, kind: str, items: list[Object], before: dict[str, tuple[Object, bytes]]
    ) -> Iterator[tuple[str, tuple[Object, bytes]]]:
        """Each in order of their names; most are what they were, and comparing them costs less."""
        for each in sorted(items, key=lambda item: str(item["name"])):
            name = str(each["name"])
            known = before.get(name)
            if known is None or known[0] != each:
                known = each, encoded(_KINDS[kind], each)
            yield name, known


def file(folder: Path, kind: str) -> Path:
    """What an Envoy with that folder reads a kind of configuration from; its ending says that it is protobuf."""
    return folder / f"{kind}.pb"
