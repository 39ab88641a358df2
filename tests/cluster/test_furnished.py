"""A mesh as part of a cluster's life: put in, kept, found again, taken out; evidence of what did not come."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient._run import Process
from pytest_ambient.cluster import evidence
from pytest_ambient.cluster import lease as leases
from pytest_ambient.cluster.lease import Lease
from pytest_ambient.cluster.lifecycle import Lifecycle
from pytest_ambient.cluster.plan import Plan, spec_folder
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import BringUpFailed, InstallerError, ProviderError
from pytest_ambient.steps import Group, Step
from pytest_ambient.testing import FakeProvider, fake_provider

GONE = Process(2**22 - 1, "never")


def attaching(tmp_path: Path) -> FakeProvider:
    """A provider of a cluster that is there already."""
    fake = FakeProvider(tmp_path / "diary")
    cluster = Cluster("prod", tmp_path / "config", "prod", False, "existing")
    fake.create = lambda spec: cluster  # type: ignore[method-assign]  # attaches and makes nothing
    return fake


class Mesh:
    """A mesh of two groups of steps that writes down what is done to it."""

    def __init__(self, fails: str = "") -> None:
        self.lines: list[str] = []
        self.fails = fails

    def steps(self, cluster: Cluster) -> Sequence[Group]:
        """Definitions first, then control plane and agents side by side."""
        return [[self.step("definitions")], [self.step("control"), self.step("agents")]]

    def step(self, name: str) -> Step:
        """A step that may fail."""

        def do() -> None:
            self.lines.append(name)
            if name == self.fails:
                raise InstallerError(f"{name} does not come")

        return Step(name, do, lambda: self.lines.append(f"not {name}"))

    def remove(self, one: Lease) -> None:
        """Take out of a cluster what a lease names."""
        self.lines.append(f"namespaces of {one.run}" + (f" and {one.installed['words']}" if one.installed else ""))


RECORD = {"words": "Istio 1.30.3 (helm)", "installer": "helm"}


def furnished(fake: FakeProvider, mesh: Mesh, told: list[str], provider: str = "fake", **plan: Any) -> Lifecycle:
    """A life with a mesh."""
    spec = ClusterSpec("mine", spec_folder("mine"))
    plan = {"then": mesh.steps, "installed": RECORD, **plan}
    return Lifecycle(Plan(fake, provider, spec, "r1", **plan), told.append, mesh.remove)


def test_a_mesh_in_a_cluster_of_ours_goes_with_it(tmp_path: Path) -> None:
    """Nothing is taken out of what is deleted; the lease says what is in it, and from when on all of it."""
    mesh, told = Mesh(), list[str]()
    with fake_provider(tmp_path / "diary") as fake:
        one = furnished(fake, mesh, told)
        one.up()
        found = leases.of_cluster("mine")
        assert found is not None
        assert found.installed == {**RECORD, "whole": True}
        one.down(failed=False)
    assert sorted(mesh.lines) == ["agents", "control", "definitions"]
    assert fake.asked() == ["create", "delete"]


def test_a_mesh_in_a_cluster_that_is_not_ours_is_taken_out_after_the_pods_in_it(tmp_path: Path) -> None:
    """Namespaces go first, then the steps in reverse; the lease last."""
    mesh, told = Mesh(), list[str]()
    one = furnished(attaching(tmp_path), mesh, told, "existing")
    one.up()
    assert [found.installed for found in leases.leases()] == [{**RECORD, "whole": True}]
    assert leases.words(next(leases.leases())) == "namespaces of run r1 and Istio 1.30.3 (helm) in context prod"
    one.down(failed=False)
    assert mesh.lines[3:] == ["namespaces of r1", "not agents", "not control", "not definitions"]
    assert list(leases.leases()) == []


def test_a_mesh_that_does_not_come_is_undone_and_told(tmp_path: Path) -> None:
    """By the name of what did not come; a cluster that is not ours is as it was before."""
    mesh = Mesh(fails="control")
    one = furnished(attaching(tmp_path), mesh, [], "existing")
    with pytest.raises(BringUpFailed) as caught:
        one.up()
    assert str(caught.value) == "the mesh in cluster existing did not come up: control does not come"
    assert mesh.lines[-3:] == ["not agents", "not control", "not definitions"]
    assert list(leases.leases()) == []


def test_evidence_is_collected_before_anything_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pods are still there to be asked; what cannot be had is a line."""
    mesh, told = Mesh(fails="definitions"), list[str]()

    def collect(folder: Path, save_logs: Callable[[], None], cluster: Cluster | None) -> str:
        assert cluster is not None
        folder.mkdir(parents=True)
        save_logs()
        mesh.lines.append("evidence")
        return "the cluster's objects: not within 60 s"

    monkeypatch.setattr(evidence, "collect", collect)
    with fake_provider(tmp_path / "diary") as fake:
        one = furnished(fake, mesh, told, evidence=tmp_path / "evidence")
        with pytest.raises(BringUpFailed, match=rf"definitions does not come\n  evidence in {tmp_path / 'evidence'}$"):
            one.up()
    assert mesh.lines == ["definitions", "evidence"]
    assert (
        told[0] == f"not all evidence could be saved in {tmp_path / 'evidence'}: the cluster's objects: not within 60 s"
    )
    assert fake.asked() == ["create", "save_logs", "delete"]


def test_what_half_came_up_is_kept_where_that_was_asked_for(tmp_path: Path) -> None:
    """To be looked at; it is known to be half."""
    mesh, told = Mesh(fails="control"), list[str]()
    with fake_provider(tmp_path / "diary") as fake:
        with pytest.raises(BringUpFailed):
            furnished(fake, mesh, told, keep="on-failure").up()
        assert fake.asked() == ["create"]
        found = leases.of_cluster("mine")
    assert found is not None
    assert (found.owner, found.installed) == (None, RECORD)
    assert told[-1].startswith("kept cluster mine (fake): ")


def test_a_step_that_cannot_be_undone_leaves_the_lease_to_cleanup(tmp_path: Path) -> None:
    """With what was installed, and all else undone."""
    mesh, told = Mesh(), list[str]()

    def broken(cluster: Cluster) -> Sequence[Group]:
        def stuck() -> None:
            raise InstallerError("a finalizer holds it")

        return [[mesh.step("definitions")], [Step("control", lambda: None, stuck)]]

    one = furnished(attaching(tmp_path), mesh, told, "existing", then=broken)
    one.up()
    one.down(failed=False)
    assert mesh.lines == ["definitions", "namespaces of r1", "not definitions"]
    assert told[-1] == "not all could be removed: a finalizer holds it; later: pytest-ambient cleanup"
    (found,) = leases.leases()
    found = replace(found, owner=GONE)
    found.write()
    assert leases.reap_all(mesh.remove, told.append) == 0
    assert mesh.lines[-1] == "namespaces of r1 and Istio 1.30.3 (helm)"
    assert told[-1] == (
        "removed namespaces of run r1 and Istio 1.30.3 (helm) in context prod, left behind by a run that is gone"
    )


def test_a_mesh_that_is_kept_in_a_cluster_that_is_not_ours_can_be_removed_by_its_run(tmp_path: Path) -> None:
    """Its lease stays, for its label alone would not tell how it is taken out."""
    told = list[str]()
    one = furnished(attaching(tmp_path), Mesh(), told, "existing", keep="always")
    one.up()
    one.down(failed=False)
    line = "kept namespaces of run r1 and Istio 1.30.3 (helm) in context prod: pytest-ambient down --ambient-name=r1"
    assert told == [line]
    found = leases.named("r1")
    assert found is not None
    assert found.owner is None


def kept(fake: FakeProvider, mesh: Mesh) -> None:
    """A cluster that was left running on purpose."""
    one = furnished(fake, mesh, [])
    one.up()
    one.leave()


def test_a_kept_cluster_is_used_again_and_stays(tmp_path: Path) -> None:
    """As one that is not ours: nothing is installed again, namespaces of this run go, the cluster does not."""
    mesh, told = Mesh(), list[str]()
    with fake_provider(tmp_path / "diary") as fake:
        fake.reuses = True
        kept(fake, mesh)
        one = Lifecycle(replace(furnished(fake, mesh, told).plan, run="r2"), told.append, mesh.remove)
        cluster = one.up()
        assert (cluster.owned, cluster.name) == (False, "mine")
        assert [found.run for found in leases.leases()] == ["r1", "r2"]
        one.down(failed=True)
        assert sorted(mesh.lines) == ["agents", "control", "definitions", "namespaces of r2"]
        assert fake.asked() == ["create", "create"]
        assert [found.run for found in leases.leases()] == ["r1"]


def test_a_kept_cluster_with_another_mesh_is_in_the_way(tmp_path: Path) -> None:
    """The text says what is there and what was wanted; half a mesh is another one, too."""
    mesh = Mesh()
    with fake_provider(tmp_path / "diary") as fake:
        fake.reuses = True
        kept(fake, mesh)
        other = {"words": "Istio 1.29.6 (helm)"}
        with pytest.raises(BringUpFailed) as caught:
            furnished(fake, mesh, [], installed=other).up()
        assert str(caught.value) == (
            "cluster fake did not come up: cluster mine was kept with Istio 1.30.3 (helm), wanted is Istio 1.29.6 "
            "(helm): pytest-ambient down --ambient-name=mine, or give another --ambient-name"
        )
        earlier = leases.of_cluster("mine")
        assert earlier is not None
        replace(earlier, installed=RECORD).write()
        with pytest.raises(BringUpFailed, match=r"was kept with Istio 1\.30\.3 \(helm\), half of it, wanted is"):
            furnished(fake, mesh, []).up()
    assert fake.asked() == ["create"]


@pytest.mark.parametrize(
    ("altered", "told"),
    [
        pytest.param(
            lambda lease: replace(lease, installed=None),
            r"cluster mine was kept with no mesh of ours, wanted is Istio 1\.30\.3",
            id="no-mesh",
        ),
        pytest.param(
            lambda lease: replace(lease, cluster=replace(lease.cluster, provider="k3d")),
            r"cluster mine \(k3d\) is there already: pytest-ambient down --ambient-name=mine, or test",
            id="another-provider",
        ),
    ],
)
def test_a_kept_cluster_that_was_made_for_another_purpose_is_in_the_way(
    tmp_path: Path, altered: Callable[[Lease], leases.Lease], told: str
) -> None:
    """Without a mesh it is no half of one; of another provider, whatever is in it, it is told who made it."""
    mesh = Mesh()
    with fake_provider(tmp_path / "diary") as fake:
        fake.reuses = True
        kept(fake, mesh)
        earlier = leases.of_cluster("mine")
        assert earlier is not None
        altered(earlier).write()
        with pytest.raises(BringUpFailed, match=told):
            furnished(fake, mesh, []).up()


def test_a_cluster_that_does_not_answer_leaves_no_lease(tmp_path: Path) -> None:
    """Nothing was made in it, so there is nothing that anybody could clean up."""
    fake = attaching(tmp_path)

    def refused(spec: ClusterSpec) -> Cluster:
        raise ProviderError("nobody answers")

    fake.create = refused  # type: ignore[method-assign]  # does not attach
    with pytest.raises(BringUpFailed, match=r"^cluster existing did not come up: nobody answers$"):
        furnished(fake, Mesh(), [], "existing", evidence=tmp_path / "evidence").up()
    assert list(leases.leases()) == []
    assert not (tmp_path / "evidence").exists()
