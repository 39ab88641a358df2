"""Clusters of minikube that were kept, interrupted or are somebody else's; what goes, and what nodes get and tell."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient._halt import Halt, under
from pytest_ambient.cluster.minikube import whole
from pytest_ambient.errors import ProviderError
from tests.cluster import minikube_desk
from tests.cluster.minikube_desk import START, left, removed, runs
from tests.cluster.of_docker import OFF, Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """minikube 1.38.1 on PATH, and a user that it serves."""
    return minikube_desk.desk(tmp_path, monkeypatch)


def test_what_cannot_be_removed_is_told_and_its_folder_stays(desk: Desk) -> None:
    """For another try."""
    (desk.folder / "tool.log").touch()
    desk.doubles.answer("minikube", "delete --profile bench")
    desk.doubles.answer("docker", "ps .*", stderr=f"{OFF}\n", status=1)
    with pytest.raises(ProviderError, match=r"^docker does not answer: Cannot connect to the Docker daemon"):
        desk.provider.delete(desk.cluster)
    assert desk.folder.exists()


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
