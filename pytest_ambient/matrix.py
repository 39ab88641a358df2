"""Which versions of Istio, Kubernetes, Gateway API, node image and data plane are tested together: `matrix.toml`."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ambient.cluster import k3d_node, kind_table
from pytest_ambient.errors import Misuse
from pytest_ambient.mesh import versions

if TYPE_CHECKING:
    from pytest_ambient.settings import Settings

TABLE = Path(__file__).with_name("matrix.toml")


@dataclass(frozen=True)
class Combination:
    """One row: what a job installs, and on what."""

    provider: str
    istio: str
    """The newest patch of its minor: `1.30.5`."""
    kubernetes: str
    """The version of the node image: `1.36.4`."""
    gateway_api: str
    dataplane: str
    image: str
    """The node image, for kind pinned by digest."""
    released: str
    """Date of the Istio minor's first release, ISO 8601."""
    istio_end_of_life: str | None
    """Date, ISO 8601; None while none is known."""
    kubernetes_end_of_life: str
    source: str
    """Where it is said that they go together."""

    @property
    def name(self) -> str:
        """The same from night to night while patches change: `istio-1.30-kubernetes-1.36-ztunnel-kind`."""
        pair = f"istio-{versions.minor(self.istio)}-kubernetes-{versions.minor(self.kubernetes)}"
        return f"{pair}-{self.dataplane}-{self.provider}"

    @property
    def options(self) -> tuple[str, ...]:
        """What pytest is called with; a patch that is named would be another build of k3s."""
        kubernetes = versions.minor(self.kubernetes) if self.provider == "k3d" else self.kubernetes
        return (
            f"--ambient-cluster={self.provider}",
            f"--ambient-kubernetes-version={kubernetes}",
            f"--ambient-istio-version={self.istio}",
            f"--ambient-dataplane={self.dataplane}",
        )

    def supported(self, date: str) -> bool:
        """Whether both upstreams still patch it on a day, ISO 8601."""
        ends = (self.istio_end_of_life or "9999", self.kubernetes_end_of_life)
        return self.released <= date <= min(ends)

    def to_json(self) -> dict[str, str | None]:
        """The row for a CI strategy."""
        return {"name": self.name, **asdict(self), "options": " ".join(self.options)}


def _kind(minor: str) -> tuple[str, str]:
    release = kind_table.table().bringing(minor)
    version = release.kubernetes(minor) or minor
    return version, release.image(version)


def _k3d(minor: str) -> tuple[str, str]:
    image = k3d_node.image(minor)
    return image.rpartition(":v")[2].partition("-")[0], image


PROVIDERS: Mapping[str, Callable[[str], tuple[str, str]]] = {"kind": _kind, "k3d": _k3d}
"""Who brings which Kubernetes: the version and the image, by minor; Misuse where there is none."""


@cache
def table() -> tuple[Combination, ...]:
    """All of them, oldest Istio first, ztunnel before kmesh."""
    plain = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    ends = {row["minor"]: row["end_of_life"] for row in plain["kubernetes"]}
    return tuple(
        _combination(provider, row["istio"], kubernetes, row["dataplane"], row["source"], ends[kubernetes])
        for row in plain["combination"]
        for kubernetes in row["kubernetes"]
        for provider in PROVIDERS
    )


def _combination(provider: str, istio: str, minor: str, dataplane: str, source: str, ends: str) -> Combination:
    row, (kubernetes, image) = versions.of(istio), PROVIDERS[provider](minor)
    return Combination(
        provider,
        row.newest,
        kubernetes,
        row.gateway_api,
        dataplane,
        image,
        row.released,
        row.end_of_life,
        ends,
        source,
    )


def chosen(*, provider: str | None = None, supported_on: str | None = None, newest: bool = False) -> list[Combination]:
    """The rows that are asked for; `newest` leaves of each data plane and provider the newest pair.

    Misuse for a provider without rows.
    """
    if provider is not None and provider not in PROVIDERS:
        raise Misuse(f"--provider: the matrix has no {provider}, only {', '.join(PROVIDERS)}")
    rows = [
        row
        for row in table()
        if provider in (None, row.provider) and (supported_on is None or row.supported(supported_on))
    ]
    return list(_newest(rows)) if newest else rows


def _newest(rows: Sequence[Combination]) -> Iterator[Combination]:
    for kind in dict.fromkeys((row.dataplane, row.provider) for row in rows):
        of_kind = (row for row in rows if (row.dataplane, row.provider) == kind)
        yield max(of_kind, key=lambda row: (versions.number(row.istio), versions.number(row.kubernetes)))


def outside(istio: str, kubernetes: str, dataplane: str) -> str | None:
    """Why a pair is not one that is tested, in a line for the head of a report; None when it is."""
    pair = versions.minor(istio), versions.minor(kubernetes)
    mine = [row for row in table() if row.dataplane == dataplane and versions.minor(row.istio) == pair[0]]
    known = dict.fromkeys(versions.minor(row.kubernetes) for row in mine)
    if pair[1] in known:
        return None
    tested = f"which is tested on {', '.join(known)}" if known else "which is tested on none"
    with_kmesh = f" with {dataplane}" if dataplane != "ztunnel" else ""
    return f"Kubernetes {kubernetes} is outside the matrix of Istio {istio}{with_kmesh}, {tested}"


def untested(settings: "Settings") -> str | None:
    """The same of what a run is asked to make; None where that is not known before it is made."""
    kubernetes = settings.kubernetes_version or default(settings.cluster or "")
    if kubernetes is None or settings.installer == "none":
        return None
    try:
        return outside(versions.patch(settings.istio_version), kubernetes, settings.dataplane)
    except Misuse:
        return None  # an Istio that is not known here is another's to tell


def default(provider: str) -> str | None:
    """The Kubernetes that a provider brings when none is asked for; None of one that makes none, or is not known."""
    if provider == "minikube":
        from pytest_ambient.cluster import minikube

        return minikube.DEFAULT
    return {"kind": kind_table.table().default, "k3d": k3d_node.default()}.get(provider)
