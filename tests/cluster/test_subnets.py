"""The network that nodes in containers are in, which an addon gives addresses out of."""

import json
from pathlib import Path

import pytest

from pytest_ambient.cluster import kind
from pytest_ambient.cluster.container import Runtime
from pytest_ambient.cluster.k3d import K3d
from pytest_ambient.cluster.kind import Kind
from pytest_ambient.cluster.kind_made import Made
from pytest_ambient.cluster.minikube import Minikube
from pytest_ambient.cluster.provider import Cluster
from tests.doubles import Doubles

DESCRIBED = json.dumps([{"IPAM": {"Config": [{"Subnet": "fc00:f853::/64"}, {"Subnet": "172.18.0.0/16"}]}}])


@pytest.mark.parametrize(
    ("provider", "network"),
    [(Kind(), "kind"), (K3d(), "k3d-mine"), (Minikube(), "mine")],
    ids=["kind", "k3d", "minikube"],
)
def test_it_is_asked_of_the_container_runtime(
    provider: Kind | K3d | Minikube, network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name, IPv4 first."""
    doubles = Doubles(tmp_path)
    doubles.answer("docker", f"network inspect {network}", DESCRIBED)
    monkeypatch.setenv("PATH", doubles.path)
    monkeypatch.delenv(kind.NETWORK, raising=False)
    begun = Made("mine", tmp_path, Path("kind"), Runtime("docker", str(tmp_path / "docker")))
    monkeypatch.setattr(kind, "_begun", lambda cluster: begun)
    cluster = Cluster("mine", tmp_path / "kubeconfig", "mine", True, "fake", tmp_path)
    assert provider.subnets(cluster) == ["172.18.0.0/16", "fc00:f853::/64"]


def test_kinds_own_variable_names_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As kind itself reads it."""
    doubles = Doubles(tmp_path)
    doubles.answer("docker", "network inspect mine", DESCRIBED)
    monkeypatch.setenv("PATH", doubles.path)
    monkeypatch.setenv(kind.NETWORK, "mine")
    begun = Made("a", tmp_path, Path("kind"), Runtime("docker", str(tmp_path / "docker")))
    monkeypatch.setattr(kind, "_begun", lambda cluster: begun)
    assert Kind().subnets(Cluster("a", tmp_path, "a", True, "kind", tmp_path))[0] == "172.18.0.0/16"
