"""What tests of k3d and minikube share: doubles of the tool and of docker, and an API that has only nodes."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_ambient.cluster.provider import Cluster, ClusterSpec, Provider
from pytest_ambient.errors import ProviderError
from pytest_ambient.testing import FakeKube
from tests.doubles import Doubles

OFF = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"

INFO = {
    "ServerVersion": "28.2.2", "Architecture": "x86_64", "KernelVersion": "6.8.0", "CgroupVersion": "2",
    "DockerRootDir": "/",
}  # fmt: skip


class Nodes(FakeKube):
    """The API of a cluster that has only nodes."""

    def close(self) -> None:
        """Nothing is open."""

    def node(self, name: str, *, ready: bool = True, runtime: str = "containerd://2.1.5") -> None:
        """One node."""
        conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
        status = {"conditions": conditions, "nodeInfo": {"containerRuntimeVersion": runtime}}
        self.objects["v1/Node", "", name] = {"metadata": {"name": name}, "status": status}


@dataclass
class Desk:
    """A provider to be tried, what is wanted of it, and the doubles under it."""

    provider: Provider
    tool: str
    doubles: Doubles
    spec: ClusterSpec
    kube: Nodes = field(default_factory=Nodes)

    @classmethod
    def of(cls, provider: Provider, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Desk":
        """An empty folder, nothing to answer yet, and a docker that runs."""
        doubles, folder = Doubles(tmp_path / "bin"), tmp_path / "state" / "bench"
        for one in (doubles.folder, folder, tmp_path / "home"):
            one.mkdir(parents=True)
        monkeypatch.setenv("PATH", doubles.path)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        for name in ("KUBECONFIG", "DOCKER_HOST", "XDG_CONFIG_HOME", "MINIKUBE_HOME"):
            monkeypatch.delenv(name, raising=False)
        desk = cls(provider, tool, doubles, ClusterSpec("bench", folder, nodes=2, within=20.0))
        monkeypatch.setattr("pytest_ambient._kube.Kube", lambda path, context: desk.kube)
        return desk

    @property
    def folder(self) -> Path:
        """The cluster's own."""
        return self.spec.folder

    @property
    def cluster(self) -> Cluster:
        """As the life cycle claims it before it is made."""
        return Cluster("bench", self.folder / "kubeconfig", "bench", True, self.tool, self.folder)

    def docker(self, *listings: str) -> None:
        """Docker answers; each listing of containers that follows gives one of these."""
        self.doubles.answer("docker", "info --format .*", json.dumps(INFO))
        for names in listings:
            self.doubles.answer("docker", r"ps --all --filter .* --format \{\{\.Names\}\}", names, times=1)

    def failing(self) -> str:
        """What a creation that fails says, in one line."""
        with pytest.raises(ProviderError) as caught:
            self.provider.create(self.spec)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def listed(self, verb: str) -> list[str]:
        """The lines of the tool that open with a verb."""
        return [line for line in self.doubles.lines(self.tool) if line.startswith(verb)]
