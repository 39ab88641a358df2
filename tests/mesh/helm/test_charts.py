"""Which Helm and which charts: at hand, in the cache, from the repository or from the registry."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.errors import FetchFailed, InstallerError, Misuse
from pytest_ambient.mesh import charts, releases
from pytest_ambient.mesh.helm import Helm
from tests.doubles import Doubles
from tests.mesh.helm.asked import lines, willing
from tests.mesh.landing import Cluster, release, spec, target


def test_no_helm_is_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is made, with where to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misuse) as error:
        Helm().check(spec(tmp_path))
    assert str(error.value) == "--ambient-installer=helm needs helm on PATH: https://helm.sh/docs/intro/install/"


@pytest.mark.parametrize(("says", "told"), [("v3.12.3", "v3.12.3"), ("v2.17.0", "v2.17.0"), ("", "of unknown version")])
def test_an_old_helm_is_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, told: str) -> None:
    """It puts no labels on releases, so they could not be known again."""
    found = Doubles(tmp_path)
    monkeypatch.setenv("PATH", found.path)
    found.answer("helm", "version .*", says)
    with pytest.raises(Misuse) as error:
        Helm().check(spec(tmp_path))
    assert str(error.value) == f"helm on PATH is {told}, wanted 3.13 or newer"


@pytest.mark.parametrize("says", ["v3.13.0", "v3.19", "v4.0.1"])
def test_a_newer_helm_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    """Also one that was built without its patch number."""
    found = Doubles(tmp_path)
    monkeypatch.setenv("PATH", found.path)
    found.answer("helm", "version .*", says)
    Helm().check(spec(tmp_path, release=release(tmp_path)))


def test_a_release_folder_without_charts_is_misuse(doubles: Doubles, tmp_path: Path) -> None:
    """All missing ones are named."""
    with pytest.raises(
        Misuse, match="is no unpacked Istio release, it has no manifests/charts/base, manifests/charts/"
    ):
        Helm().check(spec(tmp_path, release=tmp_path))


def test_charts_of_another_version_are_refused(doubles: Doubles, tmp_path: Path) -> None:
    """They would install another Istio than the one that was asked for."""
    root = release(tmp_path, "1.29.6")
    with pytest.raises(InstallerError) as error:
        charts.local(spec(tmp_path, release=root), "base")
    assert str(error.value) == f"the charts in {root} are of 1.29.6, wanted 1.30.3"


@pytest.fixture
def pulls(doubles: Doubles) -> Callable[[str], None]:
    """Lets Helm pull a chart of that name from wherever it is asked."""

    def let(name: str) -> None:
        line = rf"pull \S*{name} .*--version (?P<version>\S+) --destination (?P<to>\S+)"
        doubles.answer("helm", line, files={rf"\g<to>/{name}-\g<version>.tgz": "chart"})

    return let


def put(tmp_path: Path, name: str, said: list[str] | None = None, **more: Any) -> None:
    """Install one chart without a local release."""
    wanted, one = spec(tmp_path, **{"within": 5, **more}), target(Cluster(tmp_path), said)
    releases.install(one, wanted, charts.release_of(one, wanted, name), {}, charts.local(wanted, name))


def test_a_chart_is_pulled_once_from_the_repository(
    doubles: Doubles, cluster: Cluster, pulls: Callable[[str], None], tmp_path: Path
) -> None:
    """Without a word in anybody's list of repositories; a second run takes it from the cache."""
    pulls("ztunnel")
    willing(doubles, cluster)
    put(tmp_path, "ztunnel")
    put(tmp_path, "ztunnel")
    path = tmp_path / "cache/pytest-ambient/charts/ztunnel-1.30.3.tgz"
    assert [line.split()[3] for line in lines(doubles, "upgrade")] == [str(path)] * 2
    (line,) = lines(doubles, "pull")
    assert line.startswith(
        "pull ztunnel --repo https://istio-release.storage.googleapis.com/charts --version 1.30.3 --destination "
    )
    assert [found.name for found in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("version", "registry"),
    [("1.30.3", "oci://registry.istio.io/release/charts"), ("1.29.6", "oci://gcr.io/istio-release/charts")],
)
def test_a_chart_is_pulled_from_the_registry_where_the_repository_is_out_of_reach(
    doubles: Doubles, cluster: Cluster, pulls: Callable[[str], None], tmp_path: Path, version: str, registry: str
) -> None:
    """The one that has the charts of that version."""
    doubles.answer("helm", "pull base --repo .*", stderr="Error: looks like it cannot be reached", status=1)
    pulls("base")
    willing(doubles, cluster)
    put(tmp_path, "base", version=version)
    assert lines(doubles, "pull")[1].startswith(f"pull {registry}/base --version {version} --destination ")


def test_a_chart_that_is_nowhere_to_be_had(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Both reasons and the way around, in one line; a pull that brings nothing is no success."""
    doubles.answer("helm", "pull base --repo .*", stderr="Error: no such host\n", status=1)
    doubles.answer("helm", "pull oci:.*")
    willing(doubles, cluster)
    with pytest.raises(FetchFailed) as error:
        put(tmp_path, "base")
    assert ": exit 1: no such host; " in str(error.value)
    assert str(error.value).endswith("; offline, put base-1.30.3.tgz into the folder that --ambient-istio-dir names")
    assert "\n" not in str(error.value)
