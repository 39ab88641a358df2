"""What an Envoy is configured with."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..objects import Object


@dataclass
class Resources:
    """An Envoy's configuration; each part is read from one file."""

    listeners: list[Object] = field(default_factory=list)
    clusters: list[Object] = field(default_factory=list)
    routes: list[Object] = field(default_factory=list)

    @property
    def files(self) -> dict[str, list[Object]]:
        """The parts by the name of their file."""
        return {"clusters": self.clusters, "routes": self.routes, "listeners": self.listeners}

    def once(self) -> "Resources":
        """The same with each name once, as Envoy wants it: pods on their node's network may share address and port."""
        return Resources(_once(self.listeners), _once(self.clusters), self.routes)


def _once(parts: Iterable[Object]) -> list[Object]:
    return list({str(each["name"]): each for each in parts}.values())
