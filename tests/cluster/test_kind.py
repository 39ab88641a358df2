"""The provider of kind clusters against doubles of kind and docker: what it runs, and what it says when that fails.

Outputs of kind are those of v0.31.0, run without a container runtime or read from its source; pytest-kind is real.
"""

import json
import re
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pytest_ambient._halt import Halt, under
from pytest_ambient._run import Ran
from pytest_ambient.cluster import container, kind, nodes
from pytest_ambient.cluster.kept import kept
from pytest_ambient.cluster.kind import Kind
from pytest_ambient.cluster.kind_made import made, reason
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import Misuse, ProviderError
from pytest_ambient.mesh.dataplane import KMESH
from pytest_ambient.testing import FakeKube, Object
from tests.doubles import Doubles

pytest.importorskip("pytest_kind")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at what Linux has")

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


@pytest.fixture
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


def test_a_cluster_is_made_with_pinned_image_and_own_kubeconfig(bench: Bench) -> None:
    """The arguments are those of pytest-kind, and --retain, without which a failure leaves nothing to look at."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    folder = bench.spec.folder
    assert cluster == Cluster("bench", folder / "kubeconfig", "kind-bench", True, "kind", folder)
    assert bench.doubles.lines("kind")[-2:] == [
        "get clusters",
        f"create cluster --retain --name=bench --kubeconfig={folder}/kubeconfig --image={IMAGE} "
        f"--config {folder}/kind.yaml",
    ]
    assert json.loads((folder / "kind.yaml").read_text()) == {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane"}, {"role": "worker"}],
    }
    assert bench.doubles.calls("kind")[-1].env[container.VARIABLE] == "docker"
    assert (folder / "kubeconfig").stat().st_mode & 0o077 == 0
    assert kept(folder) is not None


def test_nothing_is_made_where_the_user_works(bench: Bench) -> None:
    """pytest-kind makes a folder where it runs; that is not there."""
    bench.runs()
    Kind().create(bench.spec)
    assert list(Path.cwd().iterdir()) == []


def test_all_nodes_run_pods(bench: Bench) -> None:
    """Two nodes are two that pods can be on: the control plane's taint goes, others stay."""
    bench.runs()
    other = {"key": "mine", "effect": "NoSchedule"}
    bench.node("bench-control-plane", taints=[{"key": kind.TAINT, "effect": "NoSchedule"}, other])
    Kind().create(bench.spec)
    assert bench.kube.objects["v1/Node", "", "bench-control-plane"]["spec"] == {"taints": [other]}
    assert bench.kube.objects["v1/Node", "", "bench-worker"]["spec"] == {}


def test_another_runtime_is_taken_by_the_variable_of_kind(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """kind is told the same, and so is the one that deletes later."""
    monkeypatch.setenv(container.VARIABLE, "podman")
    bench.runs()
    said = {"host": {"arch": "amd64", "kernel": "6.8", "cgroupVersion": "v2"}, "version": {"Version": "5.3.1"}}
    bench.doubles.answer("podman", "info --format json", json.dumps(said))
    bench.doubles.answer("podman", f"{PS}|{QUIET}", "")
    cluster = Kind().create(bench.spec)
    assert bench.doubles.calls("kind")[-1].env[container.VARIABLE] == "podman"
    monkeypatch.delenv(container.VARIABLE)
    Kind().delete(cluster)
    assert bench.doubles.calls("kind")[-1].env[container.VARIABLE] == "podman"
    assert bench.doubles.lines("podman")[-1].startswith("ps ")


def test_nodes_that_do_not_become_ready_are_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is awaited, and all that were asked for."""
    bench.runs()
    bench.node("bench-worker", ready=False)
    monkeypatch.setattr(kind, "_made", lambda *_: None)
    monkeypatch.setattr(nodes, "LEAST", 0.3)
    bench.spec = replace(bench.spec, within=0.0)
    assert failing(bench).endswith("; last: not ready: bench-worker")
    bench.node("bench-worker")
    bench.spec = replace(bench.spec, nodes=3)
    assert failing(bench).endswith("; last: 2 of 3 are there")
    assert kept(bench.spec.folder) is None


def test_without_docker_nothing_is_begun(bench: Bench) -> None:
    """Missing, or off: one line with what to do, and no trace."""
    (bench.doubles.folder / "docker").unlink()
    assert failing(bench) == (
        "container runtime: no container runtime on PATH: install docker, nerdctl or podman, "
        "or test on --ambient-cluster=embedded"
    )
    bench.doubles.answer("docker", "info .*", '{"ID":""}\n', stderr=OFF, status=1)
    assert failing(bench) == (
        "container runtime: docker does not answer: Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
        " Is the docker daemon running?: start it, or test a cluster that is there with --ambient-cluster=existing"
    )
    assert made("bench", bench.spec.folder) is None
    Kind().delete(bench.cluster)
    assert not bench.spec.folder.exists()


def test_without_the_extra_the_line_installs_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest-kind is no dependency, for its licence."""
    bench.runs()
    monkeypatch.setattr(kind, "find_spec", lambda name: None)
    assert failing(bench) == "pytest-kind: not installed: pip install 'pytest-ambient[kind]'"


def test_a_creation_that_fails_is_told_in_the_words_of_kind(bench: Bench) -> None:
    """With what helps, where that is known; all that kind said is kept for the logs."""
    bench.docker_runs()
    said = (
        f'{USING}Creating cluster "bench" ...\n • Ensuring node image ({IMAGE.partition("@")[0]}) 🖼  ...\n'
        f' ✗ Ensuring node image\nERROR: failed to create cluster: failed to pull image "{IMAGE}": command '
        f'"docker pull {IMAGE}" failed with error: exit status 1\n\nCommand Output: Error response from daemon: '
        "Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host\n"
    )
    bench.doubles.answer("kind", CREATE, stderr=said, status=1)
    assert failing(bench) == (
        f'kind create bench: exit 1: failed to create cluster: failed to pull image "{IMAGE}": command '
        f'"docker pull {IMAGE}" failed with error: exit status 1: Error response from daemon: '
        "Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host: "
        "without a network, bring the image here before (docker load), or fix the proxy of docker"
    )
    assert said in (bench.spec.folder / "tool.log").read_text()
    assert kept(bench.spec.folder) is None


def test_a_creation_has_a_deadline(bench: Bench) -> None:
    """kind and all that it started end with it; the line says what it did last."""
    bench.docker_runs()
    bench.spec = replace(bench.spec, within=2.0)
    bench.doubles.answer("kind", CREATE, seconds=60)
    start = time.monotonic()
    told = r"kind create bench: not done within [12] s.*: give it longer with --ambient-timeout cluster=SECONDS"
    assert re.fullmatch(told, failing(bench))
    assert time.monotonic() - start < 20


def test_an_interrupted_creation_leaves_what_delete_finds(bench: Bench) -> None:
    """Nodes are found by their label, with or without kind's own word for them."""
    bench.docker_runs()
    bench.doubles.answer("kind", CREATE, seconds=60)
    bench.doubles.answer("kind", "delete cluster .*", stderr="ERROR: failed to delete cluster\n", status=1)
    halt, caught = Halt(), list[BaseException]()

    def work() -> None:
        try:
            with under(halt):
                Kind().create(bench.spec)
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not any(line.startswith("create") for line in bench.doubles.lines("kind")):
        time.sleep(0.02)
    halt.set()
    thread.join(30)
    assert [type(error) for error in caught] == [KeyboardInterrupt]
    bench.doubles.answer("docker", PS, "")
    bench.doubles.answer("docker", QUIET, "c0ffee\nbeef\n")
    bench.doubles.answer("docker", "rm --force --volumes c0ffee beef", NODES)
    Kind().delete(bench.cluster)
    assert "rm --force --volumes c0ffee beef" in bench.doubles.lines("docker")
    assert not bench.spec.folder.exists()


def test_a_cluster_of_somebody_else_is_neither_used_nor_deleted(bench: Bench) -> None:
    """Though it has the name; the life cycle deletes what failed, and must not delete that."""
    bench.docker_runs(before=0)
    bench.doubles.answer("docker", PS, NODES)
    assert failing(bench) == (
        "a kind cluster bench is there that is not ours: kind delete cluster --name bench, "
        "or give another --ambient-name"
    )
    Kind().delete(bench.cluster)
    assert not bench.spec.folder.exists()
    assert [line for line in bench.doubles.lines("kind") if line != "version"] == []
    assert not [line for line in bench.doubles.lines("docker") if line.startswith("rm")]


def test_deleting_removes_nodes_and_folder(bench: Bench) -> None:
    """Through pytest-kind, with the cluster's own kubeconfig; a lock that a killed kind left is no obstacle."""
    bench.runs()
    bench.doubles.answer("docker", PS, "")
    bench.doubles.answer("docker", QUIET, "")
    cluster = Kind().create(bench.spec)
    lock = bench.spec.folder / "kubeconfig.lock"
    lock.write_text("")
    Kind().delete(cluster)
    assert bench.doubles.lines("kind")[-1] == f"delete cluster --name=bench --kubeconfig={cluster.kubeconfig}"
    assert not bench.spec.folder.exists()
    Kind().delete(cluster)


def test_what_kind_cannot_delete_the_runtime_removes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when there is no kind, or no pytest-kind, any more."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    (bench.doubles.folder / "kind").unlink()
    monkeypatch.setattr(kind, "find_spec", lambda name: None)
    bench.doubles.answer("docker", PS, "")
    bench.doubles.answer("docker", QUIET, "c0ffee\nbeef\n")
    bench.doubles.answer("docker", "rm --force --volumes .*", NODES)
    Kind().delete(cluster)
    assert bench.doubles.lines("docker")[-3:] == [
        "ps --all --quiet --filter label=io.x-k8s.kind.cluster=bench",
        "rm --force --volumes c0ffee beef",
        "ps --all --filter label=io.x-k8s.kind.cluster=bench --format {{.Names}}",
    ]
    assert not bench.spec.folder.exists()


def test_what_cannot_be_deleted_keeps_its_folder(bench: Bench) -> None:
    """So that a later cleanup finds it."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    bench.doubles.answer("docker", QUIET, stderr=OFF, status=1, times=1)
    with pytest.raises(ProviderError, match=r"^docker does not answer: Cannot connect"):
        Kind().delete(cluster)
    bench.doubles.answer("docker", PS, NODES)
    bench.doubles.answer("docker", QUIET, "c0ffee\n")
    bench.doubles.answer("docker", "rm .*", "")
    with pytest.raises(ProviderError, match=r"^cluster bench: some nodes stay$"):
        Kind().delete(cluster)
    assert bench.spec.folder.exists()


def test_a_kept_cluster_of_the_same_configuration_is_used_again(bench: Bench) -> None:
    """Its kubeconfig is written again, which pytest-kind would leave empty, over a lock that was left."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    (bench.spec.folder / "kubeconfig").unlink()
    (bench.spec.folder / "kubeconfig.lock").write_text("")
    bench.doubles.answer("docker", PS, NODES)
    bench.doubles.answer("docker", "start .*", NODES)
    export = "export kubeconfig --name bench --kubeconfig (?P<kubeconfig>.*)"
    bench.doubles.answer("kind", export, files={r"\g<kubeconfig>": KUBECONFIG})
    assert Kind().create(bench.spec) == cluster
    assert cluster.kubeconfig.exists()
    assert not (bench.spec.folder / "kubeconfig.lock").exists()
    assert len([line for line in bench.doubles.lines("kind") if line.startswith("create")]) == 1


def test_a_kept_cluster_of_another_configuration_is_left_alone(bench: Bench) -> None:
    """More nodes, another Kubernetes, or another node image of the same one: the line says how to go on."""
    bench.runs()
    Kind().create(bench.spec)
    told = (
        "cluster bench was kept and is of another configuration (nodes, Kubernetes version or node image): "
        "pytest-ambient down --ambient-name=bench, or give another --ambient-name"
    )
    for spec in (
        replace(bench.spec, nodes=3),
        replace(bench.spec, kubernetes_version="1.33"),
    ):
        with pytest.raises(ProviderError) as caught:
            Kind().create(spec)
        assert str(caught.value) == told
    (bench.doubles.folder / "kind.json").unlink()
    (bench.doubles.folder / "kind.seen").unlink()
    bench.doubles.answer("kind", "version", "kind v0.32.0 go1.26.8 linux/amd64\n")
    assert failing(bench) == told


def test_a_kept_cluster_that_is_stopped_is_started_again(bench: Bench) -> None:
    """A restart of the machine stops its nodes; the kubeconfig is written when they run, and they are waited for."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    bench.doubles.answer("docker", PS, NODES)
    bench.doubles.answer("docker", "start bench-control-plane bench-worker", NODES)
    export = "export kubeconfig --name bench --kubeconfig (?P<kubeconfig>.*)"
    bench.doubles.answer("kind", export, files={r"\g<kubeconfig>": KUBECONFIG})
    assert Kind().create(bench.spec) == cluster
    assert bench.doubles.lines("docker")[-1] == "start bench-control-plane bench-worker"
    bench.node("bench-worker", ready=False)
    bench.spec = replace(bench.spec, within=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes, "LEAST", 0.2)
        assert "2 ready nodes: not within 0." in failing(bench)


def test_a_kept_cluster_that_cannot_be_started_is_told(bench: Bench) -> None:
    """With what to do then."""
    bench.runs()
    Kind().create(bench.spec)
    bench.doubles.answer("docker", PS, NODES)
    bench.doubles.answer("docker", "start .*", stderr="Error response from daemon: port is taken\n", status=1)
    assert failing(bench) == (
        "docker start bench-control-plane bench-worker: exit 1: Error response from daemon: port is taken: "
        "pytest-ambient down --ambient-name=bench"
    )


def test_nodes_get_what_the_data_plane_takes_for_given(bench: Bench) -> None:
    """On each of them, when it is ready."""
    bench.runs()
    bench.doubles.answer("docker", "exec --privileged .*")
    Kind().create(replace(bench.spec, mounts=KMESH.mounts))
    line = "sh -c grep -q ' /sys/fs/bpf bpf ' /proc/mounts || mount -t bpf none /sys/fs/bpf"
    assert bench.doubles.lines("docker")[-2:] == [
        f"exec --privileged bench-control-plane {line}",
        f"exec --privileged bench-worker {line}",
    ]


def test_a_kept_cluster_that_is_gone_or_broken_is_told(bench: Bench) -> None:
    """By `docker system prune`, or inside of it."""
    bench.runs()
    Kind().create(bench.spec)
    bench.doubles.answer("docker", PS, "", times=1)
    assert failing(bench) == "cluster bench was kept and is gone: pytest-ambient down --ambient-name=bench"
    bench.doubles.answer("docker", PS, NODES)
    bench.doubles.answer("docker", "start .*", NODES)
    stopped = 'ERROR: failed to get cluster internal kubeconfig: command "docker exec --privileged bench-control-plane '
    stopped += (
        'cat /etc/kubernetes/admin.conf" failed with error: exit status 1\n\nCommand Output: Error response from '
    )
    bench.doubles.answer(
        "kind", "export kubeconfig .*", stderr=f"{stopped}daemon: container is not running\n", status=1
    )
    assert failing(bench).endswith(
        "exit status 1: Error response from daemon: container is not running: pytest-ambient down --ambient-name=bench"
    )


def test_an_image_of_this_machine_is_brought_as_an_archive_of_one_platform(bench: Bench) -> None:
    """`kind load docker-image` fails with images of several platforms (kind#3795)."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    bench.doubles.answer("docker", "image inspect --format .* mine:1", "sha256:1\n")
    bench.doubles.answer("docker", "save --platform linux/amd64 --output (.*) mine:1", files={r"\1": "archive"})
    bench.doubles.answer("kind", r"load image-archive \S+/image\.tar --name bench", "")
    Kind().load_image(cluster, "mine:1")
    assert bench.doubles.lines("kind")[-1].startswith(f"load image-archive {bench.spec.folder}/")
    assert not list(bench.spec.folder.rglob("image.tar"))


def test_a_cluster_that_was_never_begun_takes_no_image(bench: Bench) -> None:
    """Nor is anything asked of it."""
    with pytest.raises(ProviderError, match=r"^cluster bench: not made by kind, or not begun$"):
        Kind().load_image(bench.cluster, "mine:1")
    with pytest.raises(ProviderError, match=r"^cluster bench: its state folder is not known$"):
        Kind().load_image(replace(bench.cluster, folder=None), "mine:1")


def test_an_archive_that_nodes_refuse_is_followed_by_the_way_of_kind(bench: Bench) -> None:
    """Through pytest-kind; when both fail the nodes pull, and the reason is told."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    bench.doubles.answer("docker", "image inspect --format .* mine:1", "sha256:1\n")
    bench.doubles.answer("docker", "save .*--output (.*) mine:1", files={r"\1": "archive"})
    bench.doubles.answer("kind", "load image-archive .*", stderr="ERROR: failed to load image\n", status=1)
    bench.doubles.answer("kind", "load docker-image --name bench mine:1", "", times=1)
    Kind().load_image(cluster, "mine:1")
    refused = "ERROR: failed to load image: content digest sha256:1: not found\n"
    bench.doubles.answer("kind", "load docker-image .*", stderr=refused, status=1)
    with pytest.raises(ProviderError) as caught:
        Kind().load_image(cluster, "mine:1")
    assert str(caught.value) == ("kind load bench: exit 1: failed to load image: content digest sha256:1: not found")


def test_an_image_that_is_not_here_is_left_to_the_nodes(bench: Bench) -> None:
    """Nothing is pulled for it."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    bench.doubles.answer("docker", "image inspect .*", status=1)
    with pytest.raises(ProviderError, match=r"^image far:1 is not on this machine: the nodes pull it themselves$"):
        Kind().load_image(cluster, "far:1")


def test_logs_are_what_kind_said_and_what_nodes_logged(bench: Bench, tmp_path: Path) -> None:
    """Of a creation that failed too, whose nodes are still there; of nothing, nothing."""
    target = tmp_path / "logs"
    Kind().save_logs(bench.cluster, target)
    assert not target.exists()
    bench.docker_runs()
    bench.doubles.answer("kind", CREATE, stderr="ERROR: failed to create cluster: kubeadm\n", status=1)
    failing(bench)
    bench.doubles.answer("docker", PS, NODES, times=1)
    bench.doubles.answer("kind", "export logs (?P<folder>.*) --name bench", files={r"\g<folder>/journal.log": "x"})
    Kind().save_logs(bench.cluster, target)
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*.log")) == ["kind/journal.log", "tool.log"]
    assert "failed to create cluster: kubeadm" in (target / "tool.log").read_text()
    bench.doubles.answer("docker", PS, "")
    Kind().save_logs(bench.cluster, target)
    assert len([line for line in bench.doubles.lines("kind") if line.startswith("export")]) == 1


def test_findings_name_the_tools_and_the_kernel(bench: Bench) -> None:
    """One line each; nothing is downloaded or made for it."""
    bench.docker_runs()
    found = {one.what: one for one in Kind().findings(bench.spec)}
    assert list(found) == [
        "pytest-kind",
        "kind",
        "container runtime",
        "inotify limits",
        "control groups",
        "kernel",
        "disk",
    ]
    assert str(found["kind"]) == f"kind: v0.31.0 at {bench.doubles.folder}/kind, for Kubernetes 1.34.3"
    assert found["container runtime"].seen == "docker 28.2.2"
    assert list(bench.spec.folder.iterdir()) == []


def test_misuse_is_told_before_anything_is_looked_at(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that no kind brings, a system that has none."""
    Kind().check(bench.spec)
    with pytest.raises(Misuse, match=r"^--ambient-kubernetes-version=1.28: kind has no node image of it, known are"):
        Kind().check(replace(bench.spec, kubernetes_version="1.28"))
    monkeypatch.setattr("pytest_ambient.cluster.kind.sys.platform", "win32")
    with pytest.raises(Misuse, match=r"^--ambient-cluster=kind runs on Linux and macOS, this is win32$"):
        Kind().check(bench.spec)
    assert bench.doubles.calls("kind") == []


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ("", "it said nothing"),
        ("exec format error\n", "exec format error"),
        (
            f"{USING}ERROR: failed to list clusters: command \"docker ps -a --filter label=io.x-k8s.kind.cluster "
            "--format '{{.Label \"io.x-k8s.kind.cluster\"}}'\" failed with error: exit status 1\n\n"
            f"Command Output: {OFF}",
            "failed to list clusters: command \"docker ps -a --filter label=io.x-k8s.kind.cluster --format "
            f"'{{{{.Label \"io.x-k8s.kind.cluster\"}}}}'\" failed with error: exit status 1: {OFF.strip()}",
        ),
        (
            "ERROR: failed to create cluster: could not find a log line that matches "
            '"Reached target .*Multi-User System.*|detected cgroup v1"\n',
            "failed to create cluster: could not find a log line that matches "
            '"Reached target .*Multi-User System.*|detected cgroup v1": the inotify limits may be too low: sudo sysctl '
            "-w fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288",
        ),
        (
            "ERROR: failed to create cluster: failed to init node with kubeadm: exit status 1\n\nCommand Output: I1121 "
            "1 x.go:1] go\nerror execution phase wait-control-plane: could not initialize a Kubernetes cluster\n"
            "runtime.goexit\n\t/usr/local/go/src/runtime/asm_amd64.s:1700\n",
            "failed to create cluster: failed to init node with kubeadm: exit status 1: error execution phase "
            "wait-control-plane: could not initialize a Kubernetes cluster",
        ),
        (f"ERROR: {'x' * 500}\n", f"{'x' * 400}…"),
    ],
    ids=["silence", "no word of kind", "no daemon", "inotify", "kubeadm", "endless"],
)  # fmt: skip
def test_a_failure_of_kind_is_one_line(errors: str, told: str) -> None:
    """Its own word, the telling line of what it ran, and what helps."""
    assert reason(Ran(1, "", errors)) == told
