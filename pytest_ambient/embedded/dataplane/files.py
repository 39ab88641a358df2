"""What an Envoy reads: a file for each kind of its configuration, another one whenever it changed."""

import json
from collections.abc import Iterator
from pathlib import Path

from ..objects import Object
from .xds import typed

_KINDS = {
    "listeners": "config.listener.v3.Listener",
    "clusters": "config.cluster.v3.Cluster",
    "routes": "config.route.v3.RouteConfiguration",
}


class Files:
    """The files of one Envoy in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, str] = {}
        self._texts: dict[str, dict[str, tuple[Object, str]]] = {}
        """By kind and name: what was written last, and as which text."""
        self._version = 0

    def path(self, kind: str) -> Path:
        """Where a kind of configuration is read."""
        return self._folder / f"{kind}.json"

    def write(self, kind: str, items: list[Object]) -> str | None:
        """The version that these are from now on; None when they are what is there already."""
        text = f"[{','.join(self._written_out(kind, items))}]"
        if self._written.get(kind) == text:
            return None
        self._written[kind] = text
        self._version += 1
        path = self.path(kind)
        fresh = path.with_suffix(".new")
        fresh.write_text(f'{{"version_info": "{self._version}", "resources": {text}}}')
        fresh.rename(path)  # Envoy sees nothing but a rename
        return str(self._version)

    def _written_out(self, kind: str, items: list[Object]) -> Iterator[str]:
        """Each as JSON, in order of their names; most are what they were, and comparing them costs less."""
        before, self._texts[kind] = self._texts.get(kind, {}), {}
        for each in sorted(items, key=lambda item: str(item["name"])):
            name = str(each["name"])
            known = before.get(name)
            if known is None or known[0] != each:
                known = each, json.dumps(typed(_KINDS[kind]) | each, separators=(",", ":"))
            self._texts[kind][name] = known
            yield known[1]
