"""Clusters of k3d that were kept, interrupted or are somebody else's; what is removed, and what nodes get and tell."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.errors import ProviderError
from tests.cluster import k3d_desk
from tests.cluster.k3d_desk import NODES, left, removed, runs
from tests.cluster.of_docker import OFF, Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """k3d 5.9.0 on PATH."""
    return k3d_desk.desk(tmp_path, monkeypatch)


def test_what_k3d_cannot_remove_is_removed_all_the_same(desk: Desk) -> None:
    """And what docker cannot remove either is told, with the folder left for another try."""
    (desk.folder / "tool.log").touch()
    desk.doubles.answer("k3d", "cluster delete bench", stderr="FATA[0001] Failed to delete 1 nodes\n", status=1)
    left(desk)
    desk.provider.delete(desk.cluster)
    removed(desk)
    desk.folder.mkdir()
    (desk.folder / "tool.log").touch()
    (desk.doubles.folder / "docker.json").unlink()
    desk.doubles.answer("docker", ".*", stderr=f"{OFF}\n", status=1)
    with pytest.raises(ProviderError, match=r"^docker does not answer: Cannot connect to the Docker daemon"):
        desk.provider.delete(desk.cluster)
    assert desk.folder.exists()


def test_a_cluster_that_appears_meanwhile_is_not_ours_to_remove(desk: Desk) -> None:
    """k3d refuses a name that is taken before it makes anything."""
    desk.docker("")
    said = "FATA[0000] Failed to create cluster 'bench' because a cluster with that name already exists\n"
    desk.doubles.answer("k3d", "cluster create .*", stderr=said, status=1)
    assert desk.failing().endswith("because a cluster with that name already exists")
    desk.provider.delete(desk.cluster)
    assert desk.listed("cluster delete") == []
    assert not desk.folder.exists()


def test_a_cluster_of_ours_that_was_interrupted_is_made_again(desk: Desk) -> None:
    """What is left of it goes first."""
    (desk.folder / "tool.log").touch()
    runs(desk)
    left(desk)
    desk.provider.create(desk.spec)
    assert "rm --force --volumes c0ffee beef" in desk.doubles.lines("docker")
    assert len(desk.listed("cluster create")) == 1


def test_a_kept_cluster_is_started_and_attached_to(desk: Desk) -> None:
    """Its containers may have been stopped; its kubeconfig is written anew."""
    runs(desk, "", NODES)
    first = desk.provider.create(desk.spec)
    first.kubeconfig.write_text("old")
    assert desk.provider.create(desk.spec) == first
    assert first.kubeconfig.read_text() == "---\nkind: Config\n"
    assert len(desk.listed("cluster create")) == 1
    assert desk.listed("cluster start") == ["cluster start bench --wait --timeout 20s"]


def test_a_stale_and_another_kept_cluster_are_told(desk: Desk) -> None:
    """One whose containers are gone, and one that was made otherwise."""
    runs(desk, "", "")
    desk.provider.create(desk.spec)
    assert desk.failing() == "cluster bench was kept and is gone: pytest-ambient down --ambient-name=bench"
    desk.spec = replace(desk.spec, kubernetes_version="1.33")
    assert desk.failing() == (
        "cluster bench was kept and is of another configuration (nodes, Kubernetes version or node image): "
        "pytest-ambient down --ambient-name=bench, or give another --ambient-name"
    )


def test_an_image_goes_as_an_archive_of_one_processor(desk: Desk) -> None:
    """Straight into the nodes: the way over k3d's tools node tells of no failure."""
    desk.docker()
    desk.doubles.answer("docker", "image inspect .*", "sha256:1\n")
    desk.doubles.answer("docker", r"save --platform linux/amd64 --output \S+/image.tar example/app:1")
    desk.doubles.answer("k3d", r"image import --mode direct --cluster bench \S+/image.tar")
    desk.provider.load_image(desk.cluster, "example/app:1")
    assert len(desk.listed("image import")) == 1
    assert [path.name for path in desk.folder.iterdir()] == ["tool.log"]


def test_an_image_that_will_not_go_so_goes_k3ds_own_way_or_is_told(desk: Desk) -> None:
    """A docker that gives out no archive, nodes that take none, and then neither way."""
    desk.docker()
    desk.doubles.answer("docker", "image inspect .*", "sha256:1\n")
    desk.doubles.answer("docker", "save .*", stderr="no space left on device\n", status=1)
    desk.doubles.answer("k3d", "image import .* example/app:1", times=1)
    desk.provider.load_image(desk.cluster, "example/app:1")
    said = "ERRO[0004] Failed to import image(s) into cluster 'bench': ctr: content digest sha256:1: not found\n"
    desk.doubles.answer("k3d", "image import .*", stderr=said, status=1)
    with pytest.raises(ProviderError) as caught:
        desk.provider.load_image(desk.cluster, "example/app:1")
    assert str(caught.value) == (
        "k3d image import --mode direct --cluster bench example/app:1: exit 1: "
        "Failed to import image(s) into cluster 'bench': ctr: content digest sha256:1: not found"
    )


def test_logs_are_of_the_tool_and_of_every_node(desk: Desk, tmp_path: Path) -> None:
    """What k3d said, how containers are and what they logged."""
    runs(desk, "", NODES)
    desk.provider.create(desk.spec)
    desk.doubles.answer("docker", r"logs --timestamps (\S+)", "a node's log\n", stderr="its errors\n")
    desk.doubles.answer("docker", r"inspect --format \{\{json \.State\}\} (\S+)", '{"Status":"running"}\n')
    desk.doubles.answer("k3d", "node list .*", "NAME ROLE CLUSTER STATUS\n")
    desk.provider.save_logs(desk.cluster, tmp_path / "logs")
    found = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    names = sorted(NODES.split())
    assert sorted(found) == sorted(
        [*(f"{name}.{end}" for name in names for end in ("log", "json")), "nodes.txt", "tool.log"]
    )
    assert found["k3d-bench-server-0.log"] == "a node's log\nits errors\n"
    assert found["k3d-bench-server-0.json"] == '{"Status":"running"}\n'
    assert found["nodes.txt"] == "NAME ROLE CLUSTER STATUS\n"
    assert "$ k3d cluster create bench" in found["tool.log"]
    assert "kind: Config" not in found["tool.log"]
    assert desk.listed("node list") == [f"node list {' '.join(names)}"]


def test_a_cluster_without_a_folder_is_not_guessed_at(desk: Desk) -> None:
    """Nothing of it is known to be ours."""
    cluster = replace(desk.cluster, folder=None)
    with pytest.raises(ProviderError, match=r"^cluster bench: its state folder is not known$"):
        desk.provider.delete(cluster)
