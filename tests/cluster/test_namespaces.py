"""What is removed from a cluster that is not ours: the namespaces of one run, by their label, and nothing else."""

from pathlib import Path

import pytest

from pytest_ambient.cluster.namespaces import remove_namespaces
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.testing import FakeKube


def test_only_the_namespaces_of_the_run_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other runs and of other people stay, whatever they are called; so does the mesh, for its installer."""
    kube = FakeKube()
    labels = {"bookinfo-r1": {"pytest-ambient/run": "r1"}, "bookinfo-r2": {"pytest-ambient/run": "r2"}}
    labels |= {"bookinfo-r1-gw0": {"pytest-ambient/run": "r1"}, "bookinfo": {}, "r1": {"run": "r1"}}
    labels["istio-system"] = {"pytest-ambient/run": "r1", "pytest-ambient/part": "istio"}
    for name, own in labels.items():
        kube.objects["v1/Namespace", "", name] = {"metadata": {"name": name, "labels": own}}
    monkeypatch.setattr("pytest_ambient._kube.Kube", lambda *_where: kube)
    remove_namespaces(Cluster("c", Path("config"), "c", owned=False, provider="existing"), "r1")
    assert [name for _, _, name in kube.objects] == ["bookinfo-r2", "bookinfo", "r1", "istio-system"]
