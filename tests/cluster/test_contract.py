"""What every provider promises, whichever it is: one test for all of them."""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ambient._kube import Kube
from pytest_ambient.cluster import embedded
from pytest_ambient.cluster.embedded import Embedded
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import Misuse, ProviderError
from tests.cluster.kit import Kit, home
from tests.cluster.pretend import IMAGE, Machine

ALL = ("embedded", "existing", "k3d", "kind", "minikube")
MAKERS = ("embedded", "k3d", "kind", "minikube")
IN_CONTAINERS = ("k3d", "kind", "minikube")

LONGEST = "a-name-of-forty-characters-and-no-more-x"

WRONG: dict[str, dict[str, Any]] = {
    "embedded": {},
    "existing": {"context": "nowhere"},
    "k3d": {"kubernetes_version": "1.12"},
    "kind": {"kubernetes_version": "1.12"},
    "minikube": {"kubernetes_version": "1.12"},
}
"""What makes a specification one that can never work; for the embedded cluster it is the system."""

THEIRS = {
    "k3d": ("k3d-bench-server-0", "k3d.cluster=bench"),
    "kind": ("bench-control-plane", "io.x-k8s.kind.cluster=bench"),
    "minikube": ("bench-m02", "created_by.minikube.sigs.k8s.io=true"),
}

CREATE = """
import os, sys
from pathlib import Path
from pytest_ambient.cluster.provider import ClusterSpec, find
os.geteuid = lambda: 1000
provider, name, folder = sys.argv[1:]
find(provider).create(ClusterSpec(name, Path(folder), within=30.0))
"""


@pytest.fixture(scope="module")
def behind() -> Iterator[Cluster]:
    """The cluster that answers for all pretended ones."""
    with tempfile.TemporaryDirectory(prefix="beh") as folder:
        state = Path(folder) / "c"
        state.mkdir()
        cluster = Embedded().create(ClusterSpec("behind", state, nodes=2, owner=os.getpid()))
        yield cluster
        Embedded().delete(cluster)


@pytest.fixture
def kit(
    request: pytest.FixtureRequest, behind: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kit]:
    """The provider that the test is about, on a machine with the pretended programs."""
    if request.param == "kind":
        pytest.importorskip("pytest_kind")
    config = yaml.safe_load(behind.kubeconfig.read_text())
    config["contexts"][0]["name"] = config["current-context"] = "CONTEXT"
    machine = Machine.of(tmp_path / "machine", yaml.safe_dump(config))
    monkeypatch.setenv("PATH", machine.path)
    monkeypatch.setenv("HOME", str(home(tmp_path / "home")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("KUBECONFIG", "DOCKER_HOST", "XDG_CONFIG_HOME", "MINIKUBE_HOME", "KIND_EXPERIMENTAL_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)  # minikube serves no root
    with tempfile.TemporaryDirectory(prefix="kit") as folder:  # short, for the sockets of embedded clusters
        kubeconfig = behind.kubeconfig if request.param == "existing" else None
        context = behind.context if request.param == "existing" else None
        spec = ClusterSpec(
            "bench", Path(folder) / "c", kubeconfig=kubeconfig, context=context, owner=os.getpid(), within=30
        )
        found = Kit(request.param, machine, spec)
        yield found
        if request.param == "embedded":
            found.provider.delete(found.begun)


def _prints(folder: Path) -> dict[str, str]:
    """Everything in a folder, with the hash of each file."""
    found = sorted(folder.rglob("*"))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in found}


def _one_line(error: Exception) -> bool:
    return 0 < len(str(error)) < 500 and "\n" not in str(error)


@pytest.mark.parametrize("kit", ALL, indirect=True)
def test_create_gives_a_cluster_that_answers(kit: Kit) -> None:
    """By its kubeconfig and context, which nobody else may read, with as many nodes as wanted; a record can hold it."""
    cluster = kit.create()
    assert len(Kube(cluster.kubeconfig, cluster.context).list("v1/Node")) == 2
    assert (cluster.provider, cluster.owned) == (kit.provider_name, kit.provider_name != "existing")
    assert Cluster.from_json(cluster.to_json()) == cluster
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
    if cluster.owned:
        assert (cluster.name, cluster.folder) == ("bench", kit.spec.folder)
        assert cluster.kubeconfig.parent == kit.spec.folder


@pytest.mark.parametrize("kit", MAKERS, indirect=True)
def test_delete_leaves_nothing_and_may_be_asked_twice(kit: Kit) -> None:
    """No container, volume, network or file; a second time is fine."""
    cluster = kit.create()
    kit.provider.delete(cluster)
    assert kit.nothing_left
    kit.provider.delete(cluster)
    assert kit.nothing_left


@pytest.mark.parametrize("kit", ["existing"], indirect=True)
def test_what_is_not_ours_is_not_deleted(kit: Kit) -> None:
    """Whoever asks for it, it goes on answering."""
    cluster = kit.create()
    with pytest.raises(ProviderError, match="was not made by pytest-ambient"):
        kit.provider.delete(cluster)
    assert Kube(cluster.kubeconfig, cluster.context).server_version()


@pytest.mark.parametrize("kit", MAKERS, indirect=True)
def test_a_half_made_cluster_is_removed(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure says why in its first line; what was made until then goes, by what a lease knew before."""
    kit.machine.behave("fail")
    if kit.provider_name == "embedded":
        monkeypatch.setattr(embedded, "MODULE", "tests.cluster.bench")
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    with pytest.raises(ProviderError) as caught:
        kit.create(**{"name": "hangs", "within": 0.5} if kit.provider_name == "embedded" else {})
    assert _one_line(caught.value) or kit.provider_name == "embedded"
    if kit.provider_name != "embedded":
        assert "no space left on device" in str(caught.value)
        assert kit.machine.things
    kit.provider.delete(kit.begun)
    assert kit.nothing_left


@pytest.mark.parametrize("kit", MAKERS, indirect=True)
def test_an_interrupted_creation_is_removed(kit: Kit) -> None:
    """Ctrl-C in the middle, and another process cleans up with nothing but the name and the folder."""
    kit.machine.behave("hang")
    kit.spec.folder.mkdir()
    command = [sys.executable, "-c", CREATE, kit.provider_name, "bench", str(kit.spec.folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    sign = kit.spec.folder / "process.json"
    while not (kit.machine.things if kit.provider_name != "embedded" else sign.exists()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) != 0
    started = embedded._process(kit.spec.folder)
    kit.provider.delete(kit.begun)
    assert kit.nothing_left
    assert started is None or not started.alive


@pytest.mark.parametrize("kit", ALL, indirect=True)
def test_nothing_of_the_users_is_touched(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the home nor the kubeconfig that is named, by a whole life; nothing of ours stays in the environment."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "home" / ".kube" / "config"))
    before, environment = _prints(tmp_path / "home"), dict(os.environ)
    cluster = kit.create()
    kit.provider.load_image(cluster, IMAGE)
    kit.provider.save_logs(cluster, tmp_path / "logs")
    if cluster.owned:
        kit.provider.delete(cluster)
    assert _prints(tmp_path / "home") == before
    assert dict(os.environ) == environment


@pytest.mark.parametrize("kit", MAKERS, indirect=True)
def test_logs_are_saved_of_whole_and_of_half_made_clusters(kit: Kit, tmp_path: Path) -> None:
    """Files that say something; of a cluster that was never begun there are none, and that is no error."""
    if kit.provider_name != "embedded":
        kit.machine.behave("fail")
        with pytest.raises(ProviderError):
            kit.create()
        kit.provider.save_logs(kit.begun, tmp_path / "half")
        assert [path for path in (tmp_path / "half").rglob("*") if path.is_file() and path.read_text()]
        kit.machine.behave("well")
    kit.provider.save_logs(kit.create(), tmp_path / "whole")
    assert [path for path in (tmp_path / "whole").rglob("*") if path.is_file() and path.read_text()]
    kit.provider.delete(kit.begun)
    kit.spec.folder.mkdir()
    kit.provider.save_logs(kit.begun, tmp_path / "none")


@pytest.mark.parametrize("kit", IN_CONTAINERS, indirect=True)
def test_an_image_is_brought_to_the_nodes(kit: Kit) -> None:
    """One that is on this machine; of any other one line says who pulls it, so that a run can warn and go on."""
    cluster = kit.create()
    kit.provider.load_image(cluster, IMAGE)
    assert kit.machine.imported == [f"docker.io/{IMAGE}"]
    with pytest.raises(ProviderError) as caught:
        kit.provider.load_image(cluster, "example/other:1")
    assert str(caught.value) == "image example/other:1 is not on this machine: the nodes pull it themselves"


@pytest.mark.parametrize("kit", ["embedded", "existing"], indirect=True)
def test_where_images_are_not_brought_nothing_is_done(kit: Kit) -> None:
    """Images of an embedded cluster are names; an existing one pulls its own."""
    kit.provider.load_image(kit.create(), "example/other:1")
    assert kit.machine.calls == []


@pytest.mark.parametrize("kit", ALL, indirect=True)
def test_what_can_never_work_is_refused_before_any_command(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one line, with no program called and no folder made."""
    if kit.provider_name == "embedded":
        monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Misuse) as caught:
        kit.create(**WRONG[kit.provider_name])
    assert _one_line(caught.value)
    assert kit.machine.calls == []
    assert kit.nothing_left


@pytest.mark.parametrize("kit", MAKERS, indirect=True)
def test_a_name_of_forty_characters_works(kit: Kit) -> None:
    """From the beginning to the end, whatever the tool itself takes."""
    assert len(LONGEST) == 40
    cluster = kit.create(name=LONGEST)
    assert cluster.name == LONGEST
    assert Kube(cluster.kubeconfig, cluster.context).server_version()
    kit.provider.delete(cluster)
    assert kit.nothing_left


@pytest.mark.parametrize("kit", IN_CONTAINERS, indirect=True)
def test_a_kept_cluster_is_used_again_when_it_is_of_the_same_configuration(kit: Kit) -> None:
    """The same cluster, made once; of another configuration or gone, it is refused and left alone."""
    first, made = kit.create(), kit.machine.things
    assert kit.create() == first
    assert kit.machine.things == made
    for changes in ({"nodes": 3}, {"kubernetes_version": "1.33"}):
        with pytest.raises(ProviderError, match=r"^cluster bench was kept and is of another configuration \("):
            kit.create(**changes)
    assert kit.machine.things == made
    for path in (kit.machine.state / "containers").iterdir():
        path.unlink()
    with pytest.raises(ProviderError) as caught:
        kit.create()
    assert str(caught.value) == "cluster bench was kept and is gone: pytest-ambient down --ambient-name=bench"


@pytest.mark.parametrize("kit", IN_CONTAINERS, indirect=True)
def test_a_cluster_of_that_name_that_is_not_ours_is_left_alone(kit: Kit) -> None:
    """It is neither used nor, by the undoing of the failed creation, removed."""
    name, label = THEIRS[kit.provider_name]
    kit.machine.container(name, label)
    with pytest.raises(ProviderError, match=r" is there that is not ours"):
        kit.create()
    kit.provider.delete(kit.begun)
    assert kit.machine.things == [name]
    assert not kit.spec.folder.exists()


@pytest.mark.parametrize("kit", IN_CONTAINERS, indirect=True)
def test_without_its_programs_it_says_so_and_nothing_was_made(kit: Kit) -> None:
    """In one line; undoing what never began is fine."""
    kit.machine.remove("docker", kit.provider_name)
    with pytest.raises(ProviderError) as caught:
        kit.create()
    assert _one_line(caught.value)
    kit.provider.delete(kit.begun)
    assert kit.nothing_left


@pytest.mark.parametrize("kit", IN_CONTAINERS, indirect=True)
def test_a_cluster_can_be_removed_when_its_program_is_gone(kit: Kit) -> None:
    """The container runtime is enough."""
    cluster = kit.create()
    kit.machine.remove(kit.provider_name)
    kit.provider.delete(cluster)
    assert kit.nothing_left
