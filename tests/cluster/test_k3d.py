"""The provider of k3d clusters against doubles of k3d and docker: what it runs, and what it says when that fails.

k3d took these arguments, and gave these errors, as v5.9.0 run without a container runtime; outputs of a whole run are
from its source.
"""

import shlex
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient._halt import Halt, under
from pytest_ambient.cluster import nodes
from pytest_ambient.cluster.k3d import called
from pytest_ambient.cluster.k3d_node import cni_folders, image
from pytest_ambient.cluster.kept import kept
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.errors import Misuse, ProviderError
from tests.cluster import k3d_desk
from tests.cluster.k3d_desk import CONFD, CONTAINERD, CREATE, NEW, OLD, VERSION, left, removed, runs
from tests.cluster.of_docker import OFF, Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """k3d 5.9.0 on PATH."""
    return k3d_desk.desk(tmp_path, monkeypatch)


def test_a_cluster_is_made_with_everything_said(desk: Desk) -> None:
    """The node image, nothing that is not needed, the API on this machine alone, no word to the user's kubeconfig."""
    runs(desk)
    cluster = desk.provider.create(desk.spec)
    assert desk.doubles.lines("k3d")[1:] == [" ".join(CREATE), "kubeconfig get bench"]
    assert cluster == Cluster(
        "bench", desk.folder / "kubeconfig", "k3d-bench", True, "k3d", desk.folder, platform="k3d",
        cni_bin_dir="/var/lib/rancher/k3s/data/cni", cni_conf_dir=CONFD,
    )  # fmt: skip
    assert cluster.kubeconfig.read_text() == "---\nkind: Config\n"
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert kept(desk.folder) is not None
    for call in desk.doubles.calls("k3d")[1:]:
        assert call.env["KUBECONFIG"] == str(desk.folder / "kubeconfig")
        assert call.env["XDG_CONFIG_HOME"] == str(desk.folder)
    assert desk.doubles.lines("docker")[1] == "ps --all --filter label=k3d.cluster=bench --format {{.Names}}"


def test_a_docker_on_another_machine_gets_ports_that_can_be_reached(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.1 would be that machine's own."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.7:2376")
    runs(desk)
    desk.provider.create(replace(desk.spec, nodes=1))
    assert "--agents 0" in desk.listed("cluster create")[0]
    assert "--api-port" not in desk.listed("cluster create")[0]


IMAGES = {
    None: "rancher/k3s:v1.34.11-k3s1",
    "1.30": "rancher/k3s:v1.30.14-k3s2",
    "1.36": "rancher/k3s:v1.36.4-k3s1",
    "1.34.9": "rancher/k3s:v1.34.9-k3s1",
    "1.41.0": "rancher/k3s:v1.41.0-k3s1",
}


@pytest.mark.parametrize(("version", "wanted"), IMAGES.items(), ids=map(str, IMAGES))
def test_a_version_has_its_image(version: str | None, wanted: str) -> None:
    """A minor its newest known patch, a patch exactly its own."""
    assert image(version) == wanted


def test_a_minor_that_is_not_known_is_a_wrong_use(desk: Desk) -> None:
    """With those that are, and the way to take it all the same."""
    with pytest.raises(Misuse) as caught:
        desk.provider.check(replace(desk.spec, kubernetes_version="1.41"))
    assert str(caught.value) == (
        "--ambient-kubernetes-version=1.41: known to k3d are 1.30, 1.31, 1.32, 1.33, 1.34, 1.35, 1.36; "
        "name the patch too (1.41.0) to take another"
    )


@pytest.mark.parametrize(("text", "programs"), [(NEW, "/var/lib/rancher/k3s/data/cni"), (OLD, "/bin")], ids="no")
def test_cni_folders_are_read_from_the_node(text: str, programs: str) -> None:
    """Both forms of containerd's configuration."""
    assert cni_folders(text) == (programs, CONFD)


def test_a_node_that_does_not_say_its_cni_folders_is_an_error(desk: Desk) -> None:
    """A guess would give a mesh that runs and captures nothing."""
    runs(desk, containerd="version = 3\n[plugins.'io.containerd.cri.v1.runtime'.cni]\n")
    assert desk.failing() == f"{CONTAINERD} of a k3d node names no CNI folders"
    with pytest.raises(ProviderError, match=r"of a k3d node cannot be read: .*line 1"):
        cni_folders("version = = 3")


def test_long_names_are_shortened_alike_and_apart() -> None:
    """k3d takes 32 characters; two long names that open alike stay two."""
    assert called("a" * 32) == "a" * 32
    long = [called(f"{'a' * 38}{end}") for end in "xy"]
    assert [len(name) for name in long] == [32, 32]
    assert long[0] != long[1]
    assert long[0] == called(f"{'a' * 38}x")
    assert all(name.startswith(f"{'a' * 23}-") for name in long)


def test_a_missing_tool_is_one_line_and_nothing_to_undo(desk: Desk) -> None:
    """Where to get it and in which version; k3d is not downloaded."""
    (desk.doubles.folder / "k3d").unlink()
    desk.docker()
    assert desk.failing() == ("k3d: not on PATH: get k3d 5.7.0 or newer: https://k3d.io/stable/#installation")
    desk.provider.delete(desk.cluster)
    assert not desk.folder.exists()


def test_an_old_k3d_and_a_docker_that_is_off_are_told(desk: Desk) -> None:
    """Before anything is made."""
    (desk.doubles.folder / "k3d.json").write_text("[]")
    desk.doubles.answer("k3d", "version", "k3d version v5.4.0\n", times=1)
    desk.doubles.answer("k3d", "version", VERSION)
    desk.doubles.answer("docker", "info .*", '{"ServerErrors": ["' + OFF + '"]}', status=1)
    assert desk.failing() == (
        f"k3d: {desk.doubles.folder}/k3d is 5.4.0: get k3d 5.7.0 or newer: https://k3d.io/stable/#installation"
    )
    assert desk.failing() == (
        f"container runtime: docker does not answer: {OFF}: start it, or test a cluster that is there with "
        "--ambient-cluster=existing"
    )
    (desk.doubles.folder / "docker").unlink()
    assert desk.failing() == (
        "container runtime: docker is not on PATH: install it, or test on --ambient-cluster=embedded"
    )
    assert desk.listed("cluster") == []


def test_findings_name_what_was_looked_at(desk: Desk) -> None:
    """The tool, the runtime, and the kernel under the nodes."""
    desk.docker()
    found = {one.what: one for one in desk.provider.findings(replace(desk.spec, kubernetes_version="1.35"))}
    assert list(found) == ["k3d", "container runtime", "inotify limits", "control groups", "kernel", "disk"]
    assert str(found["k3d"]) == f"k3d: 5.9.0 at {desk.doubles.folder}/k3d"
    assert str(found["container runtime"]) == "container runtime: docker 28.2.2"


def test_a_creation_that_fails_is_told_in_k3ds_words_and_removed(desk: Desk) -> None:
    """Its nodes stay until their logs are saved; then all goes that carries the cluster's label."""
    desk.docker("")
    said = "ERRO[0031] Failed Cluster Start: Failed to start server: context deadline exceeded\n"
    desk.doubles.answer(
        "k3d",
        "cluster create .*",
        stderr=f"{said}FATA[0032] Cluster creation FAILED, rollback deactivated.\n",
        status=1,
    )
    why = "Failed Cluster Start: Failed to start server: context deadline exceeded"
    why = f"{why}; Cluster creation FAILED, rollback deactivated."
    assert desk.failing() == f"{shlex.join(['k3d', *CREATE])}: exit 1: {why}"
    desk.doubles.answer("k3d", "cluster delete bench", stderr="INFO[0000] No nodes found for cluster 'bench'\n")
    left(desk)
    desk.provider.delete(desk.cluster)
    assert not desk.folder.exists()
    removed(desk)


FAILURES = {
    "no kubeconfig": ("k3d", "kubeconfig get bench", "k3d kubeconfig get bench: exit 1: didn't find any server node"),
    "no configuration of containerd": (
        "docker",
        "exec .*",
        f"docker exec k3d-bench-server-0 cat {CONTAINERD}: exit 1: FATA[0000] didn't find any server node",
    ),
}


@pytest.mark.parametrize(("tool", "line", "told"), FAILURES.values(), ids=FAILURES)
def test_each_step_that_fails_is_told_and_nothing_counts_as_kept(desk: Desk, tool: str, line: str, told: str) -> None:
    """So that the next run does not take half a cluster for a whole one."""
    desk.doubles.answer(tool, line, stderr="FATA[0000] didn't find any server node\n", status=1)
    runs(desk)
    assert desk.failing() == told
    assert kept(desk.folder) is None


def test_nodes_that_do_not_become_ready_are_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over; and those that never come are counted."""
    runs(desk, "")
    desk.kube.node("k3d-bench-agent-0", ready=False)
    monkeypatch.setattr(nodes, "LEAST", 0.2)
    desk.spec = replace(desk.spec, within=0.01)
    said = desk.failing()
    assert said.startswith("2 ready nodes: not within 0.2 s (")
    assert said.endswith("last: not ready: k3d-bench-agent-0")
    del desk.kube.objects["v1/Node", "", "k3d-bench-agent-0"]
    left(desk)
    assert desk.failing().endswith("last: 1 of 2 are there")


def test_a_k3d_that_hangs_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute after its own deadline, which it was told."""
    monkeypatch.setattr("pytest_ambient.cluster.k3d.SPARE", 0.2)
    desk.docker("")
    desk.doubles.answer("k3d", "cluster create .*", seconds=30)
    desk.spec = replace(desk.spec, within=0.1)
    start = time.monotonic()
    assert desk.failing().endswith(": not done within 0.3 s")
    assert time.monotonic() - start < 10


def test_an_interrupted_creation_ends_k3d_and_can_be_removed(desk: Desk) -> None:
    """Whoever asks this thread's work to end, k3d ends with it."""
    desk.docker("")
    desk.doubles.answer("k3d", "cluster create .*", seconds=30)
    desk.doubles.answer("k3d", "cluster delete bench")
    left(desk)
    halt, seen = Halt(), list[type[BaseException]]()

    def create() -> None:
        try:
            with under(halt):
                desk.provider.create(desk.spec)
        except BaseException as error:
            seen.append(type(error))

    thread = threading.Thread(target=create)
    thread.start()
    deadline = time.monotonic() + 10
    while not desk.listed("cluster create"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    halt.set()
    thread.join(10)
    assert seen == [KeyboardInterrupt]
    desk.provider.delete(desk.cluster)
    removed(desk)
