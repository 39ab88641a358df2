"""What of a cluster is in a container runtime: found by its labels, started, given what it lacks, removed."""

from pathlib import Path

import pytest

from pytest_ambient.cluster.belongings import Belongings
from pytest_ambient.cluster.container import Runtime
from pytest_ambient.errors import ProviderError
from tests.doubles import Doubles

OFF = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
NAMES = r"ps --all --filter label=a=b --format \{\{\.Names\}\}"


@pytest.fixture
def doubles(tmp_path: Path) -> Doubles:
    """A docker that is told what to answer."""
    return Doubles(tmp_path)


@pytest.fixture
def ours(doubles: Doubles) -> Belongings:
    """The containers with a label."""
    doubles.answer("docker", NAMES, "two\none\n")
    return Belongings(Runtime("docker", str(doubles.folder / "docker")), ("label=a=b",))


def test_containers_are_started_by_name(doubles: Doubles, ours: Belongings) -> None:
    """Those that run already too: that changes nothing."""
    doubles.answer("docker", "start one two", "one\ntwo\n")
    ours.start()
    assert doubles.lines("docker")[-1] == "start one two"


def test_a_container_that_does_not_start_is_told(doubles: Doubles, ours: Belongings) -> None:
    """In the runtime's words, on one line."""
    doubles.answer("docker", "start .*", stderr="Error response from daemon:\n  no such file\n", status=1)
    with pytest.raises(ProviderError) as caught:
        ours.start()
    assert str(caught.value) == "docker start one two: exit 1: Error response from daemon: no such file"


def test_only_what_a_cluster_has_is_looked_for_and_removed(doubles: Doubles, ours: Belongings) -> None:
    """Containers with their volumes; of kind there are neither volumes nor networks, they are not asked for."""
    doubles.answer("docker", "ps --all --quiet --filter label=a=b", "c0ffee\n", times=1)
    doubles.answer("docker", "rm --force --volumes c0ffee", "c0ffee\n")
    doubles.answer("docker", "ps --all --quiet --filter label=a=b", "")
    ours.remove()
    ours.remove()
    assert [line.split()[0] for line in doubles.lines("docker")] == ["ps", "rm", "ps"]


def test_what_cannot_be_removed_is_told(doubles: Doubles, ours: Belongings) -> None:
    """As is a runtime that is off."""
    doubles.answer("docker", "ps --all --quiet .*", "c0ffee\n", times=1)
    doubles.answer("docker", "rm .*", stderr="device busy\n", status=1)
    with pytest.raises(ProviderError, match=r"^docker rm --force --volumes c0ffee: exit 1: device busy$"):
        ours.remove()
    doubles.answer("docker", "ps --all --quiet .*", stderr=OFF, status=1)
    with pytest.raises(ProviderError, match=r"^docker does not answer: Cannot connect .*running\?: start it"):
        ours.remove()


def test_nodes_get_the_file_systems_that_they_lack(doubles: Doubles, ours: Belongings) -> None:
    """Each its own, and none twice; nothing is asked where nothing is wanted."""
    ours.mount(["one"], ())
    assert doubles.lines("docker") == []
    doubles.answer("docker", "exec .*")
    ours.mount(["one", "two"], [("bpf", "/sys/fs/bpf")])
    wanted = "sh -c grep -q ' /sys/fs/bpf bpf ' /proc/mounts || mount -t bpf none /sys/fs/bpf"
    assert doubles.lines("docker") == [f"exec --privileged one {wanted}", f"exec --privileged two {wanted}"]


def test_a_file_system_that_cannot_be_mounted_is_told(doubles: Doubles, ours: Belongings) -> None:
    """Before anything is installed that needs it."""
    doubles.answer("docker", "exec .*", stderr="mount: unknown filesystem type 'bpf'\n", status=32)
    with pytest.raises(ProviderError, match=r"exit 32: mount: unknown filesystem type 'bpf'$"):
        ours.mount(["one"], [("bpf", "/sys/fs/bpf")])
