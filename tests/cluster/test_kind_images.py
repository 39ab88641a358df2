"""Images of this machine in nodes of kind, their logs, and what is found out before."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.cluster.kind import Kind
from pytest_ambient.errors import Misuse, ProviderError
from tests.cluster import kinds
from tests.cluster.kinds import CREATE, NODES, PS, Bench, failing

pytest.importorskip("pytest_kind")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at what Linux has")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """kind and docker on PATH, nothing to answer yet."""
    return kinds.bench(tmp_path, monkeypatch)


def test_an_image_of_this_machine_is_brought_as_an_archive_of_one_platform(bench: Bench) -> None:
    """`kind load docker-image` fails with images of several platforms (kind#3795)."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    bench.doubles.answer("docker", "image inspect --format .* mine:1", "sha256:1\n")
    bench.doubles.answer("docker", "save --platform linux/amd64 --output (.*) mine:1", files={r"\1": "archive"})
    bench.doubles.answer("kind", r"load image-archive \S+/image\.tar --name bench", "")
    Kind().load_image(cluster, "mine:1")
    assert bench.doubles.lines("kind")[-1].startswith(f"load image-archive {bench.spec.folder}/")
    assert not list(bench.spec.folder.rglob("image.tar"))


def test_a_cluster_that_was_never_begun_takes_no_image(bench: Bench) -> None:
    """Nor is anything asked of it."""
    with pytest.raises(ProviderError, match=r"^cluster bench: not made by kind, or not begun$"):
        Kind().load_image(bench.cluster, "mine:1")
    with pytest.raises(ProviderError, match=r"^cluster bench: its state folder is not known$"):
        Kind().load_image(replace(bench.cluster, folder=None), "mine:1")


def test_an_archive_that_nodes_refuse_is_followed_by_the_way_of_kind(bench: Bench) -> None:
    """Through pytest-kind; when both fail the nodes pull, and the reason is told."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    bench.doubles.answer("docker", "image inspect --format .* mine:1", "sha256:1\n")
    bench.doubles.answer("docker", "save .*--output (.*) mine:1", files={r"\1": "archive"})
    bench.doubles.answer("kind", "load image-archive .*", stderr="ERROR: failed to load image\n", status=1)
    bench.doubles.answer("kind", "load docker-image --name bench mine:1", "", times=1)
    Kind().load_image(cluster, "mine:1")
    refused = "ERROR: failed to load image: content digest sha256:1: not found\n"
    bench.doubles.answer("kind", "load docker-image .*", stderr=refused, status=1)
    with pytest.raises(ProviderError) as caught:
        Kind().load_image(cluster, "mine:1")
    assert str(caught.value) == ("kind load bench: exit 1: failed to load image: content digest sha256:1: not found")


def test_an_image_that_is_not_here_is_left_to_the_nodes(bench: Bench) -> None:
    """Nothing is pulled for it."""
    bench.runs()
    cluster = Kind().create(bench.spec)
    bench.doubles.answer("docker", "image inspect .*", status=1)
    with pytest.raises(ProviderError, match=r"^image far:1 is not on this machine: the nodes pull it themselves$"):
        Kind().load_image(cluster, "far:1")


def test_logs_are_what_kind_said_and_what_nodes_logged(bench: Bench, tmp_path: Path) -> None:
    """Of a creation that failed too, whose nodes are still there; of nothing, nothing."""
    target = tmp_path / "logs"
    Kind().save_logs(bench.cluster, target)
    assert not target.exists()
    bench.docker_runs()
    bench.doubles.answer("kind", CREATE, stderr="ERROR: failed to create cluster: kubeadm\n", status=1)
    failing(bench)
    bench.doubles.answer("docker", PS, NODES, times=1)
    bench.doubles.answer("kind", "export logs (?P<folder>.*) --name bench", files={r"\g<folder>/journal.log": "x"})
    Kind().save_logs(bench.cluster, target)
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*.log")) == ["kind/journal.log", "tool.log"]
    assert "failed to create cluster: kubeadm" in (target / "tool.log").read_text()
    bench.doubles.answer("docker", PS, "")
    Kind().save_logs(bench.cluster, target)
    assert len([line for line in bench.doubles.lines("kind") if line.startswith("export")]) == 1


def test_findings_name_the_tools_and_the_kernel(bench: Bench) -> None:
    """One line each; nothing is downloaded or made for it."""
    bench.docker_runs()
    found = {one.what: one for one in Kind().findings(bench.spec)}
    assert list(found) == [
        "pytest-kind",
        "kind",
        "container runtime",
        "inotify limits",
        "control groups",
        "kernel",
        "disk",
    ]
    assert str(found["kind"]) == f"kind: v0.31.0 at {bench.doubles.folder}/kind, for Kubernetes 1.34.3"
    assert found["container runtime"].seen == "docker 28.2.2"
    assert list(bench.spec.folder.iterdir()) == []


def test_misuse_is_told_before_anything_is_looked_at(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that no kind brings, a system that has none."""
    Kind().check(bench.spec)
    with pytest.raises(Misuse, match=r"^--ambient-kubernetes-version=1.28: kind has no node image of it, known are"):
        Kind().check(replace(bench.spec, kubernetes_version="1.28"))
    monkeypatch.setattr("pytest_ambient.cluster.kind.sys.platform", "win32")
    with pytest.raises(Misuse, match=r"^--ambient-cluster=kind runs on Linux and macOS, this is win32$"):
        Kind().check(bench.spec)
    assert bench.doubles.calls("kind") == []
