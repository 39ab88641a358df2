"""The provider of minikube clusters against doubles of minikube and docker: what it runs, and what it says on failure.

Arguments and outputs are those of minikube v1.38, read from its source; it was not run.
"""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient._halt import Halt, under
from pytest_ambient.cluster.kept import kept
from pytest_ambient.cluster.minikube import Minikube, whole
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.errors import Misuse, ProviderError
from tests.cluster.of_docker import OFF, Desk

START = (
    "start --profile bench --driver docker --container-runtime docker --nodes 2 --kubernetes-version v1.34 "
    "--wait all --wait-timeout 20s --embed-certs --install-addons=false --interactive=false "
    "--auto-update-drivers=false"
)
OURS = "--filter label=created_by.minikube.sigs.k8s.io=true"
MACHINES = rf"{OURS} --filter name=^bench(-m[0-9]+)?$"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """minikube 1.38.1 on PATH, and a user that it serves."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    desk = Desk.of(Minikube(), "minikube", tmp_path, monkeypatch)
    desk.doubles.answer("minikube", "version --short", "v1.38.1\n")
    return desk


def runs(desk: Desk, *listings: str, runtime: str = "docker://28.4.0") -> None:
    """minikube and docker do what they are asked; `listings` are what docker says of containers, time after time."""
    desk.docker(*(listings or ("",)))
    desk.doubles.answer("minikube", "start .*", files={str(desk.folder / "kubeconfig"): "kind: Config\n"})
    for name in ("bench", "bench-m02"):
        desk.kube.node(name, runtime=runtime)


def test_a_cluster_is_made_in_a_home_of_its_own(desk: Desk, tmp_path: Path) -> None:
    """By a profile of its own; kubeconfig and home are told by the environment of minikube alone."""
    runs(desk)
    cluster = desk.provider.create(desk.spec)
    assert desk.doubles.lines("minikube") == ["version --short", START]
    assert cluster == Cluster(
        "bench", desk.folder / "kubeconfig", "bench", True, "minikube", desk.folder,
        platform="minikube", cni_netns_dir="/var/run/docker/netns",
    )  # fmt: skip
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert kept(desk.folder) is not None
    environment = desk.doubles.calls("minikube")[1].env
    assert environment["KUBECONFIG"] == str(desk.folder / "kubeconfig")
    assert environment["MINIKUBE_HOME"] == str(desk.folder)
    assert environment["MINIKUBE_IN_STYLE"] == "false"
    assert environment["HOME"] == os.environ["HOME"]
    assert not {"KUBECONFIG", "MINIKUBE_HOME", "MINIKUBE_IN_STYLE"} & set(os.environ)
    assert desk.doubles.lines("docker")[1] == f"ps --all {MACHINES} --format {{{{.Names}}}}"
    assert (desk.folder / ".minikube" / "cache").resolve() == (
        tmp_path / "cache" / "pytest-ambient" / "minikube"
    ).resolve()


def test_what_was_downloaded_stays_for_the_next_cluster(desk: Desk, tmp_path: Path) -> None:
    """In this user's cache, through every removal."""
    runs(desk, "", "")
    desk.provider.create(desk.spec)
    (desk.folder / ".minikube" / "cache" / "preload.tar").write_text("big")
    gone(desk)
    desk.provider.delete(desk.cluster)
    assert not desk.folder.exists()
    assert (tmp_path / "cache" / "pytest-ambient" / "minikube" / "preload.tar").read_text() == "big"


def gone(desk: Desk) -> None:
    """minikube removes it all, and docker has nothing left."""
    desk.doubles.answer("minikube", "delete --profile bench")
    desk.doubles.answer("docker", "(ps --all --quiet|volume ls|network ls) .*")


def left(desk: Desk) -> None:
    """Docker still has a container, a volume and a network of the cluster."""
    for listing, names in {"ps --all --quiet": "c0ffee\n", "volume ls": "bench\n", "network ls": "n\n"}.items():
        desk.doubles.answer("docker", f"{listing} .*", names)
    desk.doubles.answer("docker", "(rm|volume rm|network rm) .*")


def removed(desk: Desk) -> None:
    """All of it was removed, found by what only this cluster has."""
    assert desk.doubles.lines("docker")[-6:] == [
        f"ps --all --quiet {MACHINES}",
        "rm --force --volumes c0ffee",
        f"volume ls --quiet {MACHINES}",
        "volume rm --force bench",
        f"network ls --quiet {OURS} --filter name=^bench$",
        "network rm n",
    ]


@pytest.mark.parametrize(
    ("runtime", "netns"),
    [("docker://28.4.0", "/var/run/docker/netns"), ("containerd://2.1.5", "/var/run/netns")],
    ids=["docker", "containerd"],
)
def test_the_folder_of_network_namespaces_is_that_of_the_nodes_runtime(desk: Desk, runtime: str, netns: str) -> None:
    """Said for every runtime: Istio's own setting for minikube is Docker's."""
    runs(desk, runtime=runtime)
    assert desk.provider.create(desk.spec).cni_netns_dir == netns


WRONG = {
    "an old Kubernetes": (
        {"kubernetes_version": "1.27"},
        "--ambient-kubernetes-version=1.27: minikube makes 1.28 and newer",
    ),
    "a reserved name": ({"name": "profile"}, "--ambient-name=profile: minikube takes no cluster of this name"),
    "a short name": ({"name": "x"}, "--ambient-name=x: minikube takes no cluster of this name"),
}


@pytest.mark.parametrize(("changes", "told"), WRONG.values(), ids=WRONG)
def test_what_minikube_does_not_take_is_a_wrong_use(desk: Desk, changes: dict[str, str], told: str) -> None:
    """Before anything is run."""
    with pytest.raises(Misuse) as caught:
        desk.provider.check(replace(desk.spec, **changes))  # type: ignore[arg-type]  # texts, all of them
    assert str(caught.value) == told
    assert desk.doubles.lines("minikube") == []


def test_the_kubernetes_version_is_handed_over(desk: Desk) -> None:
    """minikube itself knows the newest patch of a minor."""
    runs(desk)
    desk.provider.check(replace(desk.spec, kubernetes_version="1.33.4"))
    desk.provider.create(replace(desk.spec, kubernetes_version="1.33.4"))
    assert "--kubernetes-version v1.33.4 " in desk.listed("start")[0]


def test_what_this_machine_lacks_is_told_before_anything_is_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root that minikube does not serve, a docker that is off, an old minikube, none."""
    desk.doubles.answer("docker", "info .*", '{"ServerErrors": ["' + OFF + '"]}', status=1)
    assert desk.failing().startswith(f"container runtime: docker does not answer: {OFF}: ")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert desk.failing() == ("user: minikube's docker driver serves no root: run as a user of the group docker")
    where = "get minikube 1.37.0 or newer: https://minikube.sigs.k8s.io/docs/start"
    (desk.doubles.folder / "minikube.json").write_text("[]")
    desk.doubles.answer("minikube", "version --short", "v1.36.0\n")
    assert desk.failing() == f"minikube: {desk.doubles.folder}/minikube is 1.36.0: {where}"
    (desk.doubles.folder / "minikube").unlink()
    assert desk.failing() == f"minikube: not on PATH: {where}"
    desk.provider.delete(desk.cluster)
    assert not desk.folder.exists()


def test_a_start_that_fails_is_told_in_minikubes_words_and_removed(desk: Desk) -> None:
    """What it left goes by minikube, the rest by docker."""
    desk.docker("")
    said = (
        "* Creating docker container ...\n\nX Exiting due to GUEST_PROVISION: error provisioning guest: no space left\n"
    )
    desk.doubles.answer("minikube", "start .*", stderr=said, status=80)
    assert desk.failing() == f"minikube {START}: exit 80: GUEST_PROVISION: error provisioning guest: no space left"
    desk.doubles.answer("minikube", "delete --profile bench", stderr="X Exiting due to GUEST_DELETION: x\n", status=80)
    left(desk)
    desk.provider.delete(desk.cluster)
    removed(desk)
    assert not desk.folder.exists()


def test_what_cannot_be_removed_is_told_and_its_folder_stays(desk: Desk) -> None:
    """For another try."""
    (desk.folder / "tool.log").touch()
    desk.doubles.answer("minikube", "delete --profile bench")
    desk.doubles.answer("docker", "ps .*", stderr=f"{OFF}\n", status=1)
    with pytest.raises(ProviderError, match=r"^docker does not answer: Cannot connect to the Docker daemon"):
        desk.provider.delete(desk.cluster)
    assert desk.folder.exists()


def test_a_minikube_that_wrote_no_kubeconfig_is_told(desk: Desk) -> None:
    """And what it made counts as not kept."""
    desk.docker("")
    desk.doubles.answer("minikube", "start .*")
    assert desk.failing() == f"{desk.folder}/kubeconfig: minikube wrote no kubeconfig: No such file or directory"
    assert kept(desk.folder) is None


def test_a_minikube_that_hangs_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute after its own deadline, which it was told."""
    monkeypatch.setattr("pytest_ambient.cluster.minikube.SPARE", 0.2)
    desk.docker("")
    desk.doubles.answer("minikube", "start .*", seconds=30)
    desk.spec = replace(desk.spec, within=0.1)
    start = time.monotonic()
    assert desk.failing().endswith(": not done within 0.3 s")
    assert time.monotonic() - start < 10


def test_an_interrupted_start_ends_minikube_and_can_be_removed(desk: Desk) -> None:
    """Whoever asks this thread's work to end, minikube ends with it."""
    desk.docker("")
    desk.doubles.answer("minikube", "start .*", seconds=30)
    desk.doubles.answer("minikube", "delete --profile bench")
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
    while not desk.listed("start"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    halt.set()
    thread.join(10)
    assert seen == [KeyboardInterrupt]
    desk.provider.delete(desk.cluster)
    removed(desk)


def test_a_minikube_that_is_not_ours_is_left_alone(desk: Desk) -> None:
    """One of the user's own home; nothing is run that could touch it."""
    desk.docker("bench\nbench-m02\n")
    assert desk.failing() == (
        "a minikube bench is there that is not ours (containers bench, bench-m02): give another --ambient-name"
    )
    desk.provider.delete(desk.cluster)
    assert desk.doubles.lines("minikube") == ["version --short"]
    assert not desk.folder.exists()


def test_a_cluster_of_ours_that_was_interrupted_is_made_again(desk: Desk) -> None:
    """What is left of it goes first."""
    (desk.folder / "tool.log").touch()
    runs(desk)
    left(desk)
    desk.provider.create(desk.spec)
    assert "rm --force --volumes c0ffee" in desk.doubles.lines("docker")


def test_a_kept_cluster_is_started_again(desk: Desk) -> None:
    """By the same command, which does nothing where all runs; a stale one and another are told."""
    runs(desk, "", "bench\nbench-m02\n", "")
    first = desk.provider.create(desk.spec)
    assert desk.provider.create(desk.spec) == first
    assert desk.listed("start") == [START, START]
    assert desk.failing() == "cluster bench was kept and is gone: pytest-ambient down --ambient-name=bench"
    desk.spec = replace(desk.spec, nodes=3)
    assert desk.failing().startswith("cluster bench was kept and is of another configuration (")


def test_an_image_is_loaded_and_looked_for(desk: Desk) -> None:
    """minikube says nothing of a node that did not take it."""
    desk.docker()
    desk.doubles.answer("docker", "image inspect .* example/app:1", "sha256:1\n")
    desk.doubles.answer("docker", "image inspect .*", stderr="Error: No such image\n", status=1)
    desk.doubles.answer("minikube", "image load example/app:1 --daemon=true --profile bench")
    listing = "registry.k8s.io/pause:3.10\ndocker.io/example/app:1\n"
    desk.doubles.answer("minikube", "image ls --profile bench", listing, times=1)
    desk.doubles.answer("minikube", "image ls --profile bench", "registry.k8s.io/pause:3.10\n")
    desk.provider.load_image(desk.cluster, "example/app:1")
    with pytest.raises(ProviderError) as caught:
        desk.provider.load_image(desk.cluster, "example/app:1")
    assert str(caught.value) == "image example/app:1 did not arrive in cluster bench: its nodes pull it themselves"
    with pytest.raises(ProviderError) as caught:
        desk.provider.load_image(desk.cluster, "example/other:1")
    assert str(caught.value) == "image example/other:1 is not on this machine: the nodes pull it themselves"


NAMES = {
    "busybox": "docker.io/library/busybox:latest",
    "istio/pilot:1.30.3": "docker.io/istio/pilot:1.30.3",
    "registry.example/istio/pilot:1.30.3": "registry.example/istio/pilot:1.30.3",
    "localhost:5000/app": "localhost:5000/app:latest",
    "localhost/app:1": "localhost/app:1",
}


@pytest.mark.parametrize(("image", "name"), NAMES.items(), ids=NAMES)
def test_an_image_has_one_whole_name(image: str, name: str) -> None:
    """With registry, repository and tag."""
    assert whole(image) == name


def test_logs_are_of_the_tool_of_minikube_and_of_every_node(desk: Desk, tmp_path: Path) -> None:
    """What minikube said, what it gathers itself, and what its containers logged."""
    runs(desk, "", "bench\nbench-m02\n")
    desk.provider.create(desk.spec)
    desk.doubles.answer("docker", r"logs --timestamps (\S+)", "a node's log\n")
    desk.doubles.answer("docker", r"inspect .* (\S+)", '{"Status":"running"}\n')
    desk.doubles.answer("minikube", r"logs --profile bench --file (\S+)", files={r"\1": "gathered\n"})
    desk.provider.save_logs(desk.cluster, tmp_path / "logs")
    found = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert sorted(found) == [
        "bench-m02.json", "bench-m02.log", "bench.json", "bench.log", "minikube.txt", "tool.log",
    ]  # fmt: skip
    assert found["bench-m02.log"] == "a node's log\n"
    assert found["minikube.txt"] == "gathered\n"
    assert "$ minikube start" in found["tool.log"]
    with pytest.raises(ProviderError, match=r"^cluster bench: its state folder is not known$"):
        desk.provider.save_logs(replace(desk.cluster, folder=None), tmp_path / "other")


def test_a_cache_that_cannot_be_made_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, before minikube is run."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/cache")
    desk.docker("")
    assert desk.failing() == "/proc/cache: cannot be made: No such file or directory"
    assert desk.listed("start") == []
