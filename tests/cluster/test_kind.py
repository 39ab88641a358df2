"""The provider of kind clusters against doubles of kind and docker: what it runs, and what it says when that fails.

Outputs of kind are those of v0.31.0, run without a container runtime or read from its source; pytest-kind is real.
"""

import json
import re
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient._halt import Halt, under
from pytest_ambient._run import Ran
from pytest_ambient.cluster import container, kind, nodes
from pytest_ambient.cluster.kept import kept
from pytest_ambient.cluster.kind import Kind
from pytest_ambient.cluster.kind_made import made, reason
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.mesh.dataplane import KMESH
from tests.cluster import kinds
from tests.cluster.kinds import CREATE, IMAGE, NODES, OFF, PS, QUIET, USING, Bench, failing

pytest.importorskip("pytest_kind")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at what Linux has")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """kind and docker on PATH, nothing to answer yet."""
    return kinds.bench(tmp_path, monkeypatch)


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
