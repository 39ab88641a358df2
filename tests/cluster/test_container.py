"""Which container runtime there is, and what it is asked: recorded of docker 28, podman 5 and nerdctl 2."""

import ipaddress
import json
from pathlib import Path

import pytest

from pytest_ambient.cluster import container, kernel
from pytest_ambient.cluster.container import Info, Runtime
from pytest_ambient.errors import CommandFailed, ProviderError
from tests.doubles import Doubles

DOCKER = json.dumps(
    {
        "ServerVersion": "28.2.2",
        "Architecture": "x86_64",
        "KernelVersion": "6.8.0-57-generic",
        "CgroupVersion": "2",
        "DockerRootDir": "/var/lib/docker",
    }
)
PODMAN = json.dumps(
    {
        "host": {"arch": "arm64", "kernel": "6.11.4-301.fc41.aarch64", "cgroupVersion": "v2"},
        "store": {"graphRoot": "/home/x/.local/share/containers/storage"},
        "version": {"Version": "5.3.1"},
    }
)
OFF = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"


@pytest.fixture
def doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """No runtime is on PATH but those that a test puts there."""
    found = Doubles(tmp_path / "bin")
    found.folder.mkdir()
    # the interpreter of the doubles is named by its path: nothing of the system is needed
    monkeypatch.setenv("PATH", str(found.folder))
    monkeypatch.delenv(container.VARIABLE, raising=False)
    return found


def docker(doubles: Doubles) -> Runtime:
    """A docker that says its version."""
    doubles.answer("docker", "--version", "Docker version 28.2.2, build e6534b4\n")
    return Runtime("docker", str(doubles.folder / "docker"))


def test_the_first_runtime_in_the_order_of_kind_is_taken(doubles: Doubles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless kind's own variable names one; then only that will do."""
    with pytest.raises(ProviderError) as caught:
        container.find()
    assert str(caught.value) == (
        "no container runtime on PATH: install docker, nerdctl or podman, or test on --ambient-cluster=embedded"
    )
    with pytest.raises(ProviderError, match=r"^no container runtime on PATH: install docker, or"):
        container.find("docker")
    doubles.answer("podman", "never")
    assert container.find().name == "podman"
    expected = docker(doubles)
    assert container.find() == expected
    monkeypatch.setenv(container.VARIABLE, "podman")
    assert container.find().name == "podman"
    monkeypatch.setenv(container.VARIABLE, "nerdctl")
    with pytest.raises(ProviderError) as caught:
        container.find()
    assert str(caught.value) == (
        "nerdctl, which $KIND_EXPERIMENTAL_PROVIDER names, is not on PATH: install it or unset the variable"
    )


def test_a_podman_that_is_called_docker_is_none(doubles: Doubles) -> None:
    """As kind has it: it asks for the version."""
    doubles.answer("docker", "--version", "podman version 5.3.1\n")
    doubles.answer("podman", "never")
    assert container.find().name == "podman"


def test_a_runtime_tells_of_its_machine(doubles: Doubles) -> None:
    """docker and nerdctl in one form, podman in another."""
    runtime = docker(doubles)
    doubles.answer("docker", r"info --format \{\{json \.\}\}", DOCKER)
    assert container.info(runtime) == Info("28.2.2", "amd64", "6.8.0-57-generic", 2, "/var/lib/docker")
    assert str(kernel.under(lambda: runtime, "1.34")[0]) == "container runtime: docker 28.2.2"
    doubles.answer("podman", "info --format json", PODMAN)
    podman = Runtime("podman", str(doubles.folder / "podman"))
    assert container.info(podman) == Info(
        "5.3.1", "arm64", "6.11.4-301.fc41.aarch64", 2, "/home/x/.local/share/containers/storage"
    )


def test_a_daemon_that_is_off_is_told_with_what_to_do(doubles: Doubles) -> None:
    """docker 28 exits with 1 and prints an empty description all the same; older ones exit with 0 and say it in it."""
    runtime = docker(doubles)
    doubles.answer("docker", "info .*", '{"ID":"","ServerVersion":""}\n', stderr=OFF, status=1, times=1)
    (finding,) = kernel.under(lambda: runtime, "1.34")
    assert (finding.state, finding.seen) == (
        "failed",
        "docker does not answer: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
        "daemon running?: start it, or test a cluster that is there with --ambient-cluster=existing",
    )
    doubles.answer("docker", "info .*", json.dumps({"ServerErrors": [OFF.strip()]}), times=1)
    with pytest.raises(ProviderError, match=r"^docker does not answer: Cannot connect .* running\?: start it, or"):
        container.info(runtime)
    denied = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock\n"
    doubles.answer("docker", "info .*", stderr=denied, status=1, times=1)
    with pytest.raises(ProviderError, match=r"docker.sock: let this user use it: sudo usermod -aG docker \$USER, then"):
        container.info(runtime)
    doubles.answer("docker", "info .*", "")
    with pytest.raises(ProviderError, match=r"^docker does not answer: it says nothing: start it"):
        container.info(runtime)


def test_an_image_is_saved_for_one_platform(doubles: Doubles, tmp_path: Path) -> None:
    """An archive of all platforms would name layers that are not there."""
    runtime = docker(doubles)
    doubles.answer("docker", "info .*", DOCKER)
    doubles.answer("docker", "image inspect --format .* there:1", "sha256:1\n")
    doubles.answer("docker", "image inspect --format .* gone:1", stderr="No such image: gone:1\n", status=1)
    doubles.answer("docker", "save --platform linux/amd64 --output (.*) there:1", files={r"\1": "archive"})
    assert container.has_image(runtime, "there:1")
    assert not container.has_image(runtime, "gone:1")
    container.save_image(runtime, "there:1", tmp_path / "x.tar")
    assert (tmp_path / "x.tar").read_text() == "archive"


def test_an_older_docker_saves_without_the_flag(doubles: Doubles, tmp_path: Path) -> None:
    """Its images are of one platform anyway; what fails without it too is told."""
    runtime = docker(doubles)
    doubles.answer("docker", "info .*", DOCKER)
    doubles.answer("docker", "save --platform .*", stderr="unknown flag: --platform\n", status=125)
    doubles.answer("docker", "save --output (.*) there:1", files={r"\1": "archive"})
    container.save_image(runtime, "there:1", tmp_path / "x.tar")
    doubles.answer("docker", "save --output (.*) gone:1", stderr="No such image: gone:1\n", status=1)
    with pytest.raises(CommandFailed, match=r"^docker save gone:1: exit 1: No such image: gone:1$"):
        container.save_image(runtime, "gone:1", tmp_path / "x.tar")
    doubles.answer("podman", "save --output (.*) there:1", files={r"\1": "of podman"})
    container.save_image(Runtime("podman", str(doubles.folder / "podman")), "there:1", tmp_path / "x.tar")
    assert (tmp_path / "x.tar").read_text() == "of podman"


def test_the_subnets_of_a_network_come_with_ipv4_first(doubles: Doubles) -> None:
    """docker lists IPv6 first at times, and podman calls them otherwise."""
    runtime = docker(doubles)
    ipam = {"Config": [{"Subnet": "fc00:f853:ccd:e793::/64"}, {"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]}
    doubles.answer("docker", "network inspect kind", json.dumps([{"Name": "kind", "IPAM": ipam}]))
    four, six = ipaddress.ip_network("172.18.0.0/16"), ipaddress.ip_network("fc00:f853:ccd:e793::/64")
    assert container.subnets(runtime, "kind") == (four, six)
    podman = json.dumps([{"name": "kind", "subnets": [{"subnet": "10.89.0.0/24", "gateway": "10.89.0.1"}]}])
    doubles.answer("podman", "network inspect kind", podman)
    found = container.subnets(Runtime("podman", str(doubles.folder / "podman")), "kind")
    assert found == (ipaddress.ip_network("10.89.0.0/24"),)
    doubles.answer("docker", "network inspect none", "[]\n", stderr="network none not found\n", status=1)
    with pytest.raises(ProviderError, match=r"^docker has no network none with a subnet: network none not found$"):
        container.subnets(runtime, "none")


def test_a_runtime_that_hangs_is_told(doubles: Doubles) -> None:
    """It must not hang the run."""
    runtime = docker(doubles)
    doubles.answer("docker", "slow", seconds=30)
    with pytest.raises(ProviderError, match=r"docker slow: not done within 0.2 s: is docker stuck\?$"):
        container.asked(runtime, "slow", within=0.2)
