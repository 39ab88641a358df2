"""A desk with doubles of kind and docker, and the API that a cluster of theirs would have."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_ambient.cluster import container, kind
from pytest_ambient.cluster.kind import Kind
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import ProviderError
from pytest_ambient.testing import FakeKube, Object
from tests.doubles import Doubles

IMAGE = "kindest/node:v1.34.3@sha256:08497ee19eace7b4b5348db5c6a1591d7752b164530a36f855cb0f2bdcbadd48"
PS = r"ps --all --filter label=io\.x-k8s\.kind\.cluster=bench --format \{\{\.Names\}\}"
QUIET = r"ps --all --quiet --filter label=io\.x-k8s\.kind\.cluster=bench"
NODES = "bench-control-plane\nbench-worker\n"
CREATE = r"create cluster --retain --name=bench --kubeconfig=(?P<kubeconfig>\S+) --image=(\S+) --config (?P<config>\S+)"
USING = "using docker due to KIND_EXPERIMENTAL_PROVIDER\n"
OFF = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
KUBECONFIG = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "kind-bench",
        "clusters": [{"name": "kind-bench", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "kind-bench", "context": {"cluster": "kind-bench", "user": "kind-bench"}}],
        "users": [{"name": "kind-bench", "user": {"token": "t"}}],
    }
)


class Nodes(FakeKube):
    """The API of a cluster that has only nodes."""

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Bench:
    """One cluster's spec, the doubles under it and the API that it would have."""

    doubles: Doubles
    spec: ClusterSpec
    kube: Nodes = field(default_factory=Nodes)

    def node(self, name: str, *, ready: bool = True, taints: list[Object] | None = None) -> None:
        """One node of the API."""
        status = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
        spec = {"taints": taints} if taints else {}
        self.kube.objects["v1/Node", "", name] = {"metadata": {"name": name}, "spec": spec, "status": status}

    def runs(self) -> None:
        """kind and docker do what they are asked."""
        self.docker_runs()
        self.doubles.answer(
            "kind", CREATE, stderr=f"{USING}Creating cluster ...\n", files={r"\g<kubeconfig>": KUBECONFIG}
        )
        self.doubles.answer("kind", "delete cluster --name=bench --kubeconfig=.*", stderr='Deleted nodes: ["…"]\n')
        self.node("bench-control-plane", taints=[{"key": kind.TAINT, "effect": "NoSchedule"}])
        self.node("bench-worker")

    def docker_runs(self, before: int = 1) -> None:
        """Docker answers; its nodes are there when they were asked for `before` times."""
        told = {
            "ServerVersion": "28.2.2", "Architecture": "x86_64", "KernelVersion": "6.8.0", "CgroupVersion": "2",
            "DockerRootDir": "/",
        }  # fmt: skip
        self.doubles.answer("docker", "info --format .*", json.dumps(told))
        if before:
            self.doubles.answer("docker", PS, "", times=before)

    @property
    def cluster(self) -> Cluster:
        """As the life cycle claims it before it is made."""
        return Cluster("bench", self.spec.folder / "kubeconfig", "bench", True, "kind", self.spec.folder)


def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """kind v0.31.0 and docker on PATH, a working directory of the test's own, nothing to answer yet."""
    doubles, folder, here = Doubles(tmp_path / "bin"), tmp_path / "state" / "bench", tmp_path / "here"
    for path in (doubles.folder, folder, here):
        path.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", doubles.path)
    for name in (container.VARIABLE, "KUBECONFIG", "KIND_VERSION"):
        monkeypatch.delenv(name, raising=False)
    doubles.answer("kind", "version", "kind v0.31.0 go1.26.8 linux/amd64\n")
    doubles.answer("kind", "get clusters", "", stderr=f"{USING}No kind clusters found.\n")
    doubles.answer("docker", "--version", "Docker version 28.2.2, build e6534b4\n")
    one = Bench(doubles, ClusterSpec("bench", folder, nodes=2, kubernetes_version="1.34", within=20.0))
    monkeypatch.setattr("pytest_ambient._kube.Kube", lambda path, context: one.kube)
    return one


def failing(bench: Bench) -> str:
    """What a creation that fails says."""
    with pytest.raises(ProviderError) as caught:
        Kind().create(bench.spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)
