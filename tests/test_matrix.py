"""The matrix: every pair is one that both sides allow, every image is pinned, and filters leave what they say."""

import re
import tomllib
from datetime import date

import pytest

from pytest_ambient import matrix
from pytest_ambient.cluster.kind_table import table as kind
from pytest_ambient.errors import Misuse
from pytest_ambient.matrix import Combination
from pytest_ambient.mesh import kmesh, versions
from pytest_ambient.settings import Settings

PLAIN = tomllib.loads(matrix.TABLE.read_text())


def objections(row: Combination) -> list[str]:
    """What speaks against a row in the tables that it is made of."""
    istio, minor = versions.of(row.istio), versions.number(versions.minor(row.kubernetes))
    found = [] if istio.lists(row.kubernetes) else [f"Istio {istio.minor} does not list Kubernetes {row.kubernetes}"]
    if minor < versions.number(istio.kubernetes_minimum):
        found.append(f"Istio {istio.minor} refuses Kubernetes {row.kubernetes}")
    if row.dataplane == "kmesh":
        oldest, newest = (versions.number(end) for end in kmesh.row_for(row.istio).kubernetes)
        if not oldest <= minor <= newest:
            found.append(f"Kmesh does not list Kubernetes {row.kubernetes}")
    return found


@pytest.mark.parametrize("row", matrix.table(), ids=lambda row: row.name)
def test_both_sides_allow_every_pair(row: Combination) -> None:
    """Istio lists the Kubernetes and does not refuse it; Kmesh's own table has both."""
    assert objections(row) == []


def test_no_pair_is_left_out() -> None:
    """Whatever Istio lists and kind has an image for is in the matrix."""
    minors = {versions.minor(node) for release in kind().releases for node in release.nodes}
    wanted = {(row.minor, minor) for row in versions.table() for minor in minors if row.lists(minor)}
    rows = matrix.chosen(provider="kind")
    assert {(versions.minor(row.istio), versions.minor(row.kubernetes)) for row in rows} == wanted


def test_every_image_of_kind_is_pinned_and_of_the_release_that_brings_it() -> None:
    """With the whole digest that the release's notes list."""
    for row in matrix.chosen(provider="kind"):
        found = re.fullmatch(r"kindest/node:v(\d+\.\d+\.\d+)@sha256:([0-9a-f]{64})", row.image)
        assert found is not None
        assert found[1] == row.kubernetes
        assert found[2] in kind().bringing(row.kubernetes).nodes.values()


def test_rows_are_whole() -> None:
    """Dates are dates, sources are there, and no combination or Kubernetes stands twice."""
    for row in matrix.table():
        assert row.source
        assert row.gateway_api.startswith("v1.")
        for day in (row.released, row.kubernetes_end_of_life, row.istio_end_of_life or row.released):
            assert date.fromisoformat(day)
    names = [row.name for row in matrix.table()]
    assert len(set(names)) == len(names)
    minors = [row["minor"] for row in PLAIN["kubernetes"]]
    assert minors == sorted(set(minors))
    assert all(row["source"] for row in PLAIN["kubernetes"])


def test_no_fact_of_another_table_is_copied() -> None:
    """The file names minors only: patches, images and bundles are looked up."""
    rows = matrix.TABLE.read_text().split("[[combination]]")
    assert set(PLAIN["combination"][0]) == {"istio", "dataplane", "kubernetes", "source"}
    assert not any("sha256" in row or "gateway_api" in row for row in rows)


def test_a_row_says_how_it_is_run() -> None:
    """The options of a job, with patches where a patch decides on the image; its name stays as patches go by."""
    row = next(row for row in matrix.table() if row.name == "istio-1.30-kubernetes-1.36-ztunnel-kind")
    assert row.options == (
        "--ambient-cluster=kind",
        f"--ambient-kubernetes-version={kind().bringing('1.36').kubernetes('1.36')}",
        f"--ambient-istio-version={versions.of('1.30').newest}",
        "--ambient-dataplane=ztunnel",
    )
    k3d = next(row for row in matrix.table() if row.name == "istio-1.30-kubernetes-1.36-ztunnel-k3d")
    assert k3d.options[1] == "--ambient-kubernetes-version=1.36"


@pytest.mark.parametrize(
    ("day", "istio"),
    [("2025-06-24", {"1.24", "1.25", "1.26"}), ("2026-11-30", {"1.30", "1.31"}), ("2026-12-01", {"1.31"})],
)
def test_what_is_supported_on_a_day_is_so_by_both_upstreams(day: str, istio: set[str]) -> None:
    """The last day counts, the days before a release do not."""
    rows = matrix.chosen(provider="kind", supported_on=day)
    assert {versions.minor(row.istio) for row in rows} == istio
    assert all(row.kubernetes_end_of_life >= day for row in rows)


def test_the_newest_is_one_of_each_kind() -> None:
    """The newest Istio, on the newest Kubernetes that it has, for each data plane."""
    found = matrix.chosen(provider="kind", newest=True)
    assert [(row.dataplane, versions.minor(row.istio)) for row in found] == [
        ("ztunnel", versions.newest().minor),
        ("kmesh", kmesh.rows()[-1].istio[1]),
    ]
    assert [versions.minor(row.kubernetes) for row in found] == [versions.newest().kubernetes[1], "1.31"]


def test_a_provider_without_rows_is_told() -> None:
    """With those that have some."""
    with pytest.raises(Misuse, match=r"^--provider: the matrix has no podman, only kind, k3d$"):
        matrix.chosen(provider="podman")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(cluster="kind", istio_version="1.30.3", kubernetes_version="1.34"), None),
        (Settings(cluster="kind"), None),
        (Settings(cluster="embedded", istio_version="1.24"), None),
        (Settings(cluster="existing", istio_version="1.24"), None),
        (Settings(cluster="kind", installer="none", kubernetes_version="1.37"), None),
        (Settings(cluster="kind", istio_version="1.9"), None),
        (
            Settings(cluster="kind", istio_version="1.29", kubernetes_version="1.37.0"),
            "Kubernetes 1.37.0 is outside the matrix of Istio 1.29.7, which is tested on 1.31, 1.32, 1.33, 1.34, 1.35",
        ),
        (
            Settings(cluster="minikube", istio_version="1.24.6"),
            "Kubernetes 1.34 is outside the matrix of Istio 1.24.6, which is tested on 1.30, 1.31",
        ),
        (
            Settings(cluster="k3d", istio_version="1.30.3", kubernetes_version="1.34", dataplane="kmesh"),
            "Kubernetes 1.34 is outside the matrix of Istio 1.30.3 with kmesh, which is tested on none",
        ),
    ],
)
def test_a_pair_outside_is_told_where_it_is_known_before(settings: Settings, said: str | None) -> None:
    """Of clusters that are made, with the versions that they would get; of others nothing is known yet."""
    assert matrix.untested(settings) == said
