"""Steps in order, undone in reverse; leases that say who answers for what."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient._run import Process, process, this_process
from pytest_ambient.cluster import lease as leases
from pytest_ambient.cluster import provider as providers
from pytest_ambient.cluster.lease import Lease
from pytest_ambient.cluster.lifecycle import Lifecycle
from pytest_ambient.cluster.plan import Plan, spec_folder
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import BringUpFailed, ProviderError
from pytest_ambient.testing import FakeProvider, fake_provider

GONE = Process(2**22 - 1, "never")


def remove(one: Lease) -> None:
    """Removes nothing."""


def life(fake: FakeProvider, told: list[str], name: str = "mine", keep: str = "never") -> Lifecycle:
    """A life with a provider that makes nothing."""
    return Lifecycle(Plan(fake, "fake", ClusterSpec(name, spec_folder(name)), "r1", keep), told.append, remove)


def test_a_life_leaves_neither_folder_nor_lease(tmp_path: Path, state: Path) -> None:
    """Up, then down."""
    with fake_provider(tmp_path / "diary") as fake:
        one = life(fake, [])
        cluster = one.up()
        assert (cluster.folder, cluster.kubeconfig.exists()) == (state / "clusters" / "mine", True)
        assert [found.cluster for found in leases.leases()] == [cluster]
        one.down(failed=False)
        one.down(failed=False)
    assert fake.asked() == ["create", "delete"]
    assert list(leases.leases()) == []
    assert not (state / "clusters" / "mine").exists()


def test_a_second_life_of_the_same_name_is_refused(tmp_path: Path) -> None:
    """The text says whose it is, or how to remove or use it when it was left; the first is left alone."""
    with fake_provider(tmp_path / "diary") as fake:
        first = life(fake, [])
        cluster = first.up()
        with pytest.raises(
            BringUpFailed, match=r"cluster mine \(fake\) belongs to a run that goes on \(process \d+\): give"
        ):
            life(fake, []).up()
        owned = leases.of_cluster("mine")
        assert owned is not None
        owned.keep()
        with pytest.raises(BringUpFailed) as caught:
            life(fake, []).up()
        assert str(caught.value) == (
            "cluster fake did not come up: cluster mine (fake) is there already: "
            "pytest-ambient down --ambient-name=mine, or test it with --ambient-cluster=existing "
            f"--ambient-kubeconfig={cluster.kubeconfig}"
        )
        assert leases.of_cluster("mine") is not None
        first.down(failed=False)
    assert fake.asked() == ["create", "delete"]


def test_a_folder_that_nobody_knows_is_refused_and_found_as_an_orphan(tmp_path: Path, state: Path) -> None:
    """It may belong to a cluster whose lease was lost; cleanup removes it."""
    (state / "clusters" / "mine").mkdir(parents=True)
    with fake_provider(tmp_path / "diary") as fake, pytest.raises(BringUpFailed, match="is in the way"):
        life(fake, []).up()
    assert (state / "clusters" / "mine").exists()
    assert list(leases.orphans()) == [state / "clusters" / "mine"]
    leases.remove_orphan(state / "clusters" / "mine")
    assert list(leases.orphans()) == []


def test_whatever_a_foreign_provider_raises_becomes_a_failed_bring_up(tmp_path: Path) -> None:
    """With its type, since its text may say little."""
    with fake_provider(tmp_path / "diary") as fake:
        fake.create = lambda spec: 1 / 0  # type: ignore[assignment, method-assign, return-value]  # raises on purpose
        with pytest.raises(BringUpFailed, match=r"did not come up: ZeroDivisionError\('division by zero'\)$"):
            life(fake, []).up()
    assert list(leases.leases()) == []


def test_a_failed_bring_up_saves_logs_before_it_undoes(tmp_path: Path) -> None:
    """Otherwise nothing would be left to read."""
    with fake_provider(tmp_path / "diary", fails="no") as fake:
        one = life(fake, [])
        one.plan = replace(one.plan, evidence=tmp_path / "logs")
        with pytest.raises(BringUpFailed) as caught:
            one.up()
    assert str(caught.value) == f"cluster fake did not come up: no\n  evidence in {tmp_path / 'logs'}"
    assert fake.asked() == ["create", "save_logs", "delete"]
    assert (tmp_path / "logs" / "log").exists()


def test_where_nobody_logged_anything_no_folder_is_left(tmp_path: Path) -> None:
    """A cluster that was refused before anything of it was made, as by a container runtime that does not answer."""
    with fake_provider(tmp_path / "diary", fails="docker does not answer") as fake:
        fake.save_logs = lambda cluster, folder: None  # type: ignore[method-assign]  # nothing was begun
        one = life(fake, [])
        one.plan = replace(one.plan, evidence=tmp_path / "failures" / "r1")
        with pytest.raises(BringUpFailed, match=r"^cluster fake did not come up: docker does not answer$"):
            one.up()
    assert list((tmp_path / "failures").iterdir()) == []


def test_namespaces_that_are_kept_are_named_by_their_label(tmp_path: Path) -> None:
    """Nobody answers for them any more, so no lease stays; the line removes them."""
    told: list[str] = []
    cluster = Cluster("prod", tmp_path / "config", "prod", False, "existing")
    fake = FakeProvider(tmp_path / "diary")
    fake.create = lambda spec: cluster  # type: ignore[method-assign]  # attaches and makes nothing
    one = Lifecycle(Plan(fake, "existing", ClusterSpec("x", tmp_path / "x"), "r1", "always"), told.append, remove)
    one.up()
    one.down(failed=False)
    assert told == [
        f"kept namespaces of run r1 in context prod: kubectl --kubeconfig {tmp_path / 'config'} --context prod "
        "delete namespace -l pytest-ambient/run=r1"
    ]
    assert list(leases.leases()) == []


def test_a_lease_is_left_behind_when_its_owner_is_gone() -> None:
    """Or when another process has the owner's number now; not when it was given up on purpose."""
    cluster = Cluster("c", Path("k"), "c", True, "fake")
    assert Lease(cluster, "r", GONE).left_behind
    assert Lease(cluster, "r", replace(this_process(), started="another boot")).left_behind
    assert not Lease(cluster, "r", this_process()).left_behind
    assert not Lease(cluster, "r", None).left_behind


def test_namespaces_in_a_cluster_that_is_not_ours_are_leased_by_run(state: Path) -> None:
    """Two runs in one cluster each have their own lease, and reaping removes namespaces, never the cluster."""
    cluster = Cluster("prod", Path("k"), "prod", False, "existing")
    for run in ("r1", "r2"):
        Lease(cluster, run, GONE).claim()
    removed: list[tuple[str, str]] = []
    told: list[str] = []
    assert leases.reap_all(lambda one: removed.append((one.cluster.name, one.run)), told.append) == 0
    assert removed == [("prod", "r1"), ("prod", "r2")]
    assert told[0] == "removed namespaces of run r1 in context prod, left behind by a run that is gone"
    assert list((state / "leases").iterdir()) == []


def test_what_cannot_be_reaped_is_told_and_stays(tmp_path: Path) -> None:
    """The next run tries again."""
    told: list[str] = []

    def fails(one: Lease) -> None:
        raise ProviderError("nobody answers")

    Lease(Cluster("prod", Path("k"), "prod", False, "existing"), "r1", GONE).claim()
    assert leases.reap_all(fails, told.append) == 1
    assert told == [
        "namespaces of run r1 in context prod, left behind by a run that is gone, cannot be removed: nobody answers"
    ]
    assert len(list(leases.leases())) == 1


def test_a_damaged_lease_is_passed_over(state: Path) -> None:
    """It must not stop a run."""
    (state / "leases").mkdir(parents=True)
    (state / "leases" / "x.json").write_text("{")
    (state / "leases" / "y.json").write_text('{"owner": null, "run": "r", "cluster": {"name": "z"}}')
    assert list(leases.leases()) == []
    assert list(leases.damaged()) == [state / "leases" / "x.json", state / "leases" / "y.json"]
    with pytest.raises(ProviderError, match=r"x.json: a lease of this name is there already: pytest-ambient cleanup$"):
        Lease(Cluster("x", Path("k"), "c", True, "fake"), "r", None).claim()


def test_a_cluster_made_while_orphans_are_looked_for_is_none(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are listed before leases: whoever makes a folder has claimed it."""

    def then_made() -> list[Lease]:
        (state / "clusters" / "new").mkdir(parents=True)
        return []

    monkeypatch.setattr(leases, "leases", then_made)
    assert list(leases.orphans()) == []


def test_what_never_came_to_be_is_not_called_removed(tmp_path: Path) -> None:
    """Nobody shall fear for a cluster of that name."""
    told: list[str] = []
    with fake_provider(tmp_path / "diary", fails="no curl") as fake, pytest.raises(BringUpFailed):
        life(fake, told).up()
    assert told == []


def test_a_cluster_survives_its_record() -> None:
    """What is written for another process reads as the same value."""
    cluster = Cluster("c", Path("/k"), "ctx", True, "embedded", Path("/f"), publishable=False)
    assert Cluster.from_json(cluster.to_json()) == cluster
    with pytest.raises(ProviderError, match="a cluster's record lacks 'kubeconfig'"):
        Cluster.from_json({"name": "c"})


def test_a_process_is_known_by_number_and_start() -> None:
    """And one that never was is not alive."""
    assert this_process().alive
    assert process(this_process().pid) == this_process()
    assert process(GONE.pid) is None


def test_providers_are_found_by_name() -> None:
    """Built-in ones, and those that somebody registered; a wrong name lists them."""
    assert {"embedded", "existing"} <= set(providers.known())
    for name in ("embedded", "existing"):
        provider = providers.find(name)
        assert all(hasattr(provider, verb) for verb in ("check", "create", "delete", "load_image", "save_logs"))


def test_logs_that_cannot_be_saved_are_told_and_cost_nothing_else(tmp_path: Path) -> None:
    """The cluster goes all the same."""
    told: list[str] = []
    with fake_provider(tmp_path / "diary") as fake:
        one = life(fake, told)
        one.plan = replace(one.plan, logs=tmp_path / "taken" / "cluster")
        one.up()
        (tmp_path / "taken").write_text("")
        one.down(failed=True)
    said = f"logs of the cluster cannot be saved in {tmp_path / 'taken' / 'cluster'}: [Errno 20] Not a directory: "
    assert [line for line in told if line.startswith("logs")] == [f"{said}'{tmp_path / 'taken' / 'cluster'}'"]
    assert fake.asked() == ["create", "delete"]
