"""Which kind brings which Kubernetes: the table `kind.toml`, read once."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pytest_ambient.errors import Misuse


@dataclass(frozen=True)
class Release:
    """One release of kind."""

    version: str
    sha256: Mapping[str, str]
    """Of the binary, by platform: `linux-amd64`."""
    nodes: Mapping[str, str]
    """sha256 of the node image, by Kubernetes version, the newest first."""

    def kubernetes(self, wanted: str) -> str | None:
        """The newest of its Kubernetes versions that is `1.34` or `1.34.3`, as wanted; None when it has none."""
        return next((one for one in self.nodes if one == wanted or one.startswith(f"{wanted}.")), None)

    def image(self, kubernetes: str) -> str:
        """The node image of a version, pinned by digest."""
        return f"kindest/node:v{kubernetes}@sha256:{self.nodes[kubernetes]}"


@dataclass(frozen=True)
class Table:
    """All releases of kind that are known, the newest first."""

    default: str
    """The Kubernetes version to take when none is wanted."""
    url: str
    """Where binaries are, with {version} and {platform} to fill in."""
    releases: tuple[Release, ...]

    def release(self, version: str) -> Release | None:
        """The release of that version; None when it is not known."""
        return next((one for one in self.releases if one.version == version), None)

    def bringing(self, kubernetes: str) -> Release:
        """The newest release with a node image of that version; Misuse lists what there is."""
        found = next((one for one in self.releases if one.kubernetes(kubernetes)), None)
        if found is None:
            minors = {one.rpartition(".")[0] for release in self.releases for one in release.nodes}
            known = ", ".join(sorted(minors, key=_numbers))
            raise Misuse(f"--ambient-kubernetes-version={kubernetes}: kind has no node image of it, known are {known}")
        return found


@cache
def table() -> Table:
    """The table of this package."""
    plain = tomllib.loads((files(__package__) / "kind.toml").read_text())
    return Table(plain["default"], plain["url"], tuple(Release(**one) for one in plain["release"]))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
