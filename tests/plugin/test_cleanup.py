"""What earlier runs left is shown, taken out, or named when it stays."""

from pathlib import Path

import pytest

from pytest_ambient import _lock
from pytest_ambient._run import Process
from pytest_ambient.cli import main
from pytest_ambient.cluster import lease
from pytest_ambient.cluster.lease import Lease
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.errors import BrokenEnvironment
from pytest_ambient.mesh import gateway_api
from pytest_ambient.mesh.installer import MeshSpec
from pytest_ambient.mesh.plan import Installation
from pytest_ambient.testing import FakeProvider, fake_installer


def test_cleanup_removes_what_dead_runs_left_and_names_what_is_kept(
    fake: FakeProvider, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """First only shown, then done, then there is nothing."""
    main(["up", "--ambient-cluster=fake", "--ambient-name=kept"])
    folder = state / "clusters" / "dead"
    folder.mkdir()
    Lease(Cluster("dead", folder / "kubeconfig", "dead", True, "fake", folder), "r1", Process(2**22 - 1, "x")).claim()
    (state / "clusters" / "lost").mkdir()
    (damaged := state / "leases" / "damaged.json").write_text("{")
    capsys.readouterr()
    assert main(["cleanup", "--dry-run"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "would remove cluster dead (fake)",
        f"would remove {state / 'clusters' / 'lost'}",
        f"would remove {damaged}",
        "kept on purpose: cluster kept (fake)",
    ]
    assert main(["cleanup"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "removed cluster dead (fake), left behind by a run that is gone",
        f"removed {state / 'clusters' / 'lost'}, the state of a cluster that nobody knows",
        f"removed {damaged}, a lease that cannot be read",
        "kept on purpose: cluster kept (fake)",
    ]
    assert sorted(path.name for path in (state / "clusters").iterdir()) == ["kept"]
    assert main(["cleanup"]) == 0
    assert capsys.readouterr().err.splitlines()[0] == "nothing was left behind"


def test_cleanup_removes_old_evidence_and_locks_that_nobody_holds(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is held stays."""
    (failure := state / "failures" / "r1").mkdir(parents=True)
    (failure / "events.txt").write_text("")
    (lost := state / "meshes" / "r2").mkdir(parents=True)
    for name in ("held", "free", "other"):
        with _lock.shared(state / "locks" / f"{name}.db"):
            pass
    with _lock.shared(state / "locks" / "held.db"):
        assert main(["cleanup", "--dry-run"]) == 0
        assert capsys.readouterr().err.splitlines() == [
            f"would remove {lost}",
            f"would remove {failure}",
            "would remove 2 locks that nobody holds",
        ]
        assert main(["cleanup"]) == 0
        assert capsys.readouterr().err.splitlines() == [
            f"removed {lost}, the state of a cluster that nobody knows",
            f"removed {failure}, evidence of a bring-up that failed",
            "removed 2 locks that nobody holds",
        ]
        assert {path.stem for path in (state / "locks").iterdir()} == {"held"}
    assert main(["cleanup"]) == 0
    assert capsys.readouterr().err.splitlines() == ["removed 1 lock that nobody holds"]
    assert (failure.exists(), lost.exists()) == (False, False)


def test_what_cannot_be_removed_is_told_and_keeps_nothing_else(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, after all has been tried."""
    for name in ("a", "b"):
        (state / "clusters" / name).mkdir(parents=True)
    real = lease.remove_orphan

    def stuck(folder: Path) -> None:
        if folder.name == "a":
            raise BrokenEnvironment(f"{folder}: cannot be removed")
        real(folder)

    monkeypatch.setattr(lease, "remove_orphan", stuck)
    assert main(["cleanup"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"pytest-ambient: {state / 'clusters' / 'a'}: cannot be removed"
    assert second == f"removed {state / 'clusters' / 'b'}, the state of a cluster that nobody knows"


def test_cleanup_takes_a_mesh_out_of_a_cluster_that_is_not_ours(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """First only shown; the pods of the run go before the mesh under them, and its folder goes too."""
    removed: list[str] = []
    monkeypatch.setattr("pytest_ambient._bringup.remove_namespaces", lambda cluster, run: removed.append(run))
    monkeypatch.setattr(gateway_api, "uninstall", lambda target, spec: removed.append(f"gateway-api {target.run}"))
    folder = lease.meshes() / "r1"
    folder.mkdir(parents=True)
    record = Installation("fake", MeshSpec("1.30.3", folder)).to_json()
    cluster = Cluster("prod", tmp_path / "config", "prod", False, "existing")
    Lease(cluster, "r1", Process(2**22 - 1, "x"), record).claim()
    with fake_installer(tmp_path / "mesh") as fake:
        assert main(["cleanup", "--dry-run"]) == 0
        line = "namespaces of run r1 and Istio 1.30.3 (fake) in context prod"
        assert capsys.readouterr().err.splitlines() == [f"would remove {line}"]
        assert (fake.asked(), removed) == ([], [])
        assert main(["cleanup"]) == 0
        assert capsys.readouterr().err.splitlines() == [f"removed {line}, left behind by a run that is gone"]
        assert (removed, fake.asked()) == (["r1", "gateway-api r1-mesh"], ["uninstall r1-mesh"])
    assert list(lease.leases()) == []
    assert not folder.exists()


def test_down_takes_out_what_a_run_left_on_purpose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the name of the run."""
    monkeypatch.setattr("pytest_ambient._bringup.remove_namespaces", lambda cluster, run: None)
    monkeypatch.setattr(gateway_api, "uninstall", lambda target, spec: None)
    record = Installation("fake", MeshSpec("1.30.3", tmp_path / "made")).to_json()
    Lease(Cluster("prod", tmp_path / "config", "prod", False, "existing"), "r1", None, record).claim()
    with fake_installer(tmp_path / "mesh") as fake:
        assert main(["down", "--ambient-name=r1"]) == 0
        assert fake.asked() == ["uninstall r1-mesh"]
    error = capsys.readouterr().err
    assert error == "removed namespaces of run r1 and Istio 1.30.3 (fake) in context prod\n"
