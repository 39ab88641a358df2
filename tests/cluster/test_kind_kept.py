"""Clusters of kind that were kept, left behind or are somebody else's: used again, deleted, or left alone."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.cluster import kind, nodes
from pytest_ambient.cluster.kind import Kind
from pytest_ambient.errors import ProviderError
from tests.cluster import kinds
from tests.cluster.kinds import KUBECONFIG, NODES, OFF, PS, QUIET, Bench, failing

pytest.importorskip("pytest_kind")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at what Linux has")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """kind and docker on PATH, nothing to answer yet."""
    return kinds.bench(tmp_path, monkeypatch)


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
