"""Addons beside a mesh that is there already: out of the samples of its own release."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.mesh import addons, release
from pytest_ambient.mesh.installer import MeshSpec
from tests.mesh import fake_mesh
from tests.mesh.fake_mesh import Cluster, target

KEY = ("apps/v1/Deployment", "istio-system", "istiod")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The releases that samples are taken from."""
    versions: list[str] = []
    there = fake_mesh.release(tmp_path)

    def folder(spec: MeshSpec, say: Callable[[str], None]) -> Path:
        versions.append(spec.version)
        return there

    monkeypatch.setattr(release, "folder", folder)
    return versions


def cluster(image: str) -> Cluster:
    """A cluster whose istiod runs that image."""
    made = Cluster()
    containers = [{"name": "discovery", "image": image}]
    made.objects[KEY]["spec"] = {"template": {"spec": {"containers": containers}}}
    return made


def install(made: Cluster, folder: Path, version: str = "1.31.1") -> list[str]:
    """Put Kiali in, the newest version being known; what was said."""
    told: list[str] = []
    spec = replace(fake_mesh.spec(folder), version=version, release=None)
    for group in addons.steps(target(made, say=told.append), spec, ("kiali",)):
        for step in group:
            step.do()
    return told


@pytest.mark.parametrize(
    ("image", "version"),
    [("istio/pilot:1.29.4-distroless", "1.29.4"), ("x/pilot:1.28.3-fips", "1.28.3"), ("x/pilot:v1.31.0", "1.31.0")],
)
def test_samples_are_of_the_release_that_runs(asked: list[str], tmp_path: Path, image: str, version: str) -> None:
    """Not of the newest one; that is said."""
    told = install(cluster(image), tmp_path)
    assert (asked, told) == (
        [version], [f"addon kiali: the sample is that of Istio {version}, {version} runs here"],
    )  # fmt: skip


def test_the_release_that_was_wanted_is_no_news(asked: list[str], tmp_path: Path) -> None:
    """An installer has just put it in."""
    assert install(cluster("istio/pilot:1.30.3"), tmp_path, "1.30.3") == []
    assert asked == ["1.30.3"]


def test_where_nothing_tells_the_release_the_newest_is_taken_and_said(asked: list[str], tmp_path: Path) -> None:
    """An image named by its digest, without Istio's label beside it."""
    told = install(cluster("x/pilot@sha256:ab"), tmp_path)
    assert told == ["addon kiali: istiod does not tell its version, the sample is that of Istio 1.31.1"]
    assert asked == ["1.31.1"]


def test_a_release_in_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    """Whoever names one has decided."""
    made, told = cluster("istio/pilot:1.28.3"), list[str]()
    for group in addons.steps(target(made, say=told.append), fake_mesh.spec(tmp_path), ("kiali",)):
        for step in group:
            step.do()
    assert told == []
    assert ("apps/v1/Deployment", "istio-system", "kiali") in made.objects
