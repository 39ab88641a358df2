"""The provider of minikube clusters against doubles of minikube and docker: what it runs, and how it fails."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.cluster.kept import kept
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.errors import Misuse
from tests.cluster import minikube_desk
from tests.cluster.minikube_desk import MACHINES, START, gone, left, removed, runs
from tests.cluster.of_docker import OFF, Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """minikube 1.38.1 on PATH, and a user that it serves."""
    return minikube_desk.desk(tmp_path, monkeypatch)


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


def test_a_cache_that_cannot_be_made_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, before minikube is run."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/cache")
    desk.docker("")
    assert desk.failing() == "/proc/cache: cannot be made: No such file or directory"
    assert desk.listed("start") == []
