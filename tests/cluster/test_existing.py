"""A cluster that is already there: found by kubeconfig and context, never deleted."""

from pathlib import Path

import pytest

from pytest_ambient.cluster.existing import Existing, _context
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import BrokenEnvironment, Misuse, ProviderError
from pytest_ambient.testing import FakeKube

CONFIG = """
current-context: blue
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {}}]
contexts: [{name: blue, context: {cluster: c, user: u}}, {name: green, context: {cluster: c, user: u}}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A kubeconfig of two contexts, whose server answers nobody."""
    (tmp_path / "config").write_text(CONFIG)
    return tmp_path / "config"


def spec(config: Path | None, context: str | None = None) -> ClusterSpec:
    """What is looked for."""
    return ClusterSpec("x", Path("unused"), kubeconfig=config, context=context)


def test_the_context_is_the_one_given_or_the_current_one(config: Path) -> None:
    """As kubectl has it."""
    assert _context(spec(config)) == (config, "blue")
    assert _context(spec(config, "green")) == (config, "green")


def test_the_kubeconfig_is_the_one_given_or_the_environments_or_the_users(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several in $KUBECONFIG are refused: one file must hold the context."""
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert _context(spec(None)) == (config, "blue")
    monkeypatch.setenv("KUBECONFIG", f"{config}:{config}")
    with pytest.raises(Misuse, match=r"^\$KUBECONFIG names several files: give --ambient-kubeconfig FILE$"):
        _context(spec(None))
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Misuse, match=r"/\.kube/config cannot be read: No such file or directory$"):
        _context(spec(None))


def test_a_server_that_does_not_answer_is_a_broken_environment(config: Path) -> None:
    """Told when the cluster is attached to, before any test runs."""
    with pytest.raises(BrokenEnvironment, match=r"127\.0\.0\.1"):
        Existing().create(spec(config))


def test_it_is_never_deleted(config: Path) -> None:
    """Whoever asks for it."""
    with pytest.raises(ProviderError, match="cluster blue was not made by pytest-ambient and is not deleted"):
        Existing().delete(Cluster("blue", config, "blue", False, "existing"))


@pytest.mark.parametrize(
    ("runtime", "publishable"), [("containerd://2.1", True), ("embedded://1", False)], ids=["real", "bench"]
)
def test_an_embedded_mesh_that_was_left_running_is_known_for_what_it_is(
    config: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, publishable: bool
) -> None:
    """Its results are no more publishable than those of one that was made for the run."""
    kube = FakeKube()
    node = {"metadata": {"name": "a"}, "status": {"nodeInfo": {"containerRuntimeVersion": runtime}}}
    kube.objects["v1/Node", "", "a"] = node
    monkeypatch.setattr("pytest_ambient._kube.Kube", lambda path, context: kube)
    cluster = Existing().create(spec(config))
    assert cluster == Cluster("blue", config, "blue", False, "existing", publishable=publishable)
