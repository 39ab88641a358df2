"""A kept cluster is used again only when it is of the configuration that is asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.cluster.kept import fingerprint, keep, kept, reusable
from pytest_ambient.cluster.provider import ClusterSpec
from pytest_ambient.errors import ProviderError

SPEC = ClusterSpec("bench", Path("here"), nodes=2, kubernetes_version="1.34")


def test_what_makes_a_cluster_counts_and_what_names_it_does_not() -> None:
    """Nodes and what the provider takes the version for; not name, folder, owner or deadline."""
    one = fingerprint(SPEC, "k3d", "image")
    assert one == fingerprint(replace(SPEC, name="x", folder=Path("there"), owner=1, within=5.0), "k3d", "image")
    assert one == fingerprint(replace(SPEC, kubernetes_version="1.34.3"), "k3d", "image")
    others = (
        fingerprint(replace(SPEC, nodes=3), "k3d", "image"),
        fingerprint(SPEC, "k3d", "another"),
        fingerprint(SPEC, "k3dimage"),
        fingerprint(SPEC),
        fingerprint(replace(SPEC, kubernetes_version=None)),
    )
    assert len({one, *others}) == 6
    assert len(one) == 16


def test_a_cluster_is_kept_from_when_its_fingerprint_is_written(tmp_path: Path) -> None:
    """A folder that is not there, or of a cluster that was not made to its end, holds none."""
    assert kept(tmp_path / "nowhere") is None
    assert not reusable("bench", tmp_path, "a")
    keep(tmp_path, "a")
    assert kept(tmp_path) == "a"
    assert reusable("bench", tmp_path, "a")
    assert [path.name for path in tmp_path.iterdir()] == ["configuration"]
    with pytest.raises(ProviderError, match=r"/nowhere/configuration.new: cannot be written: No such file"):
        keep(tmp_path / "nowhere", "a")


def test_another_configuration_is_told_with_both_ways_out(tmp_path: Path) -> None:
    """It is neither used nor deleted: somebody kept it."""
    keep(tmp_path, "a")
    with pytest.raises(ProviderError) as caught:
        reusable("bench", tmp_path, "b")
    assert str(caught.value) == (
        "cluster bench was kept and is of another configuration (nodes, Kubernetes version or node image): "
        "pytest-ambient down --ambient-name=bench, or give another --ambient-name"
    )
