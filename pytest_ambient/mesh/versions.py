"""What is known of Istio's versions: what each needs of a cluster, and which images it brings."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pytest_ambient.errors import InstallerError, Misuse

TABLE = Path(__file__).with_name("istio.toml")


@dataclass(frozen=True)
class Istio:
    """One minor version of Istio."""

    minor: str
    """`1.30`"""
    newest: str
    """Its newest patch known here: `1.30.5`."""
    released: str
    """Date of its first release, ISO 8601."""
    kubernetes: tuple[str, str]
    """Oldest and newest Kubernetes minor that its documentation lists."""
    kubernetes_minimum: str
    """The Kubernetes minor below which its installer refuses to work."""
    gateway_api: str
    """The Gateway API bundle that it is built with: `v1.5.1`."""
    hub: str
    """Registry path of pilot, proxyv2, ztunnel and install-cni."""
    samples_hub: str
    """Registry path of Bookinfo's images."""
    bookinfo: str
    """Tag of Bookinfo's images."""
    curl: str
    """The curl sample's image."""
    httpbin: str
    """The httpbin sample's image."""
    source: str
    """Where the row is from."""
    addons: Mapping[str, str] = field(hash=False)
    """Images by addon: kiali, prometheus, grafana, jaeger."""
    addons_beside: Mapping[str, str] = field(hash=False)
    """Images by addon that run in the same pods."""
    end_of_life: str | None = None
    """Date, ISO 8601; None while none is known."""

    def lists(self, kubernetes: str) -> bool:
        """Whether the documentation lists a Kubernetes version such as `v1.34.4` or `1.34`."""
        return number(self.kubernetes[0]) <= number(minor(kubernetes)) <= number(self.kubernetes[1])


def table() -> tuple[Istio, ...]:
    """Every minor version known, oldest first."""
    return tuple(_rows().values())


def of(version: str) -> Istio:
    """The row of `1.30.3`, `v1.30` or `1.31.0-rc.0`; Misuse names the known ones."""
    try:
        return _rows()[minor(version)]
    except KeyError:
        known = list(_rows())
        raise Misuse(
            f"Istio {version} is not known here, only {known[0]} to {known[-1]}: "
            "install it by other means and use --ambient-installer=none"
        ) from None


def newest() -> Istio:
    """The row of the newest minor version."""
    return table()[-1]


def patch(version: str | None) -> str:
    """A version with its patch: the newest one for None or a minor, any other as it is, without a leading v."""
    if version is None:
        return newest().newest
    bare = version.removeprefix("v")
    return of(bare).newest if bare.count(".") == 1 else bare


def refuse_old(kubernetes: str, version: str) -> None:
    """InstallerError when a Kubernetes version is below what an Istio version takes at all."""
    minimum = of(version).kubernetes_minimum
    if number(minor(kubernetes)) < number(minimum):
        raise InstallerError(f"Kubernetes {kubernetes} is too old for Istio {version}, which takes {minimum} and newer")


def minor(version: str) -> str:
    """The first two numbers of a version: `1.34` for `v1.34.4+k3s1`; Misuse when it has none."""
    found = re.match(r"v?(\d+\.\d+)", version)
    if found is None:
        raise Misuse(f"{version!r} is no version")
    return found[1]


def number(version: str) -> tuple[int, ...]:
    """The numbers of a version, to be compared: (1, 30, 3) for `v1.30.3-rc.0`."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


@cache
def _rows() -> Mapping[str, Istio]:
    rows = tomllib.loads(TABLE.read_text())["istio"]
    return {row["minor"]: Istio(**{**row, "kubernetes": tuple(row["kubernetes"])}) for row in rows}
