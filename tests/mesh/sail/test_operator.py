"""Which operator for which Istio, from which chart or by OLM, and whose it is."""

import re
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.errors import InstallerError, Misuse, NotInTime
from pytest_ambient.mesh import releases, sail_operator
from pytest_ambient.mesh.installer import MeshSpec, find
from pytest_ambient.mesh.landed import CRD
from pytest_ambient.mesh.sail import Sail, operator, resources
from tests.doubles import Doubles
from tests.mesh.operated import Operated, OperatedTarget, deployment, target
from tests.mesh.sail.worlds import (
    World,
    do,
    easy,
    left,
    planned,
)


@pytest.mark.parametrize(
    ("istio", "wanted", "ztunnel", "reference"),
    [
        ("1.24.6", "1.27.3", "sailoperator.io/v1alpha1", False),
        ("1.26.8", "1.28.3", "sailoperator.io/v1", False),
        ("1.27.9", "1.29.2", "sailoperator.io/v1", False),
        ("1.28.10", "1.30.3", "sailoperator.io/v1", True),
        ("1.30.3", "1.30.3", "sailoperator.io/v1", True),
    ],
)
def test_the_newest_operator_that_installs_an_istio_is_chosen(
    istio: str, wanted: str, ztunnel: str, reference: bool, tmp_path: Path
) -> None:
    """Old versions need old operators, whose ZTunnel is of another API version and names no Istio."""
    row = operator(istio)
    assert (row.version, row.ztunnel, row.target_ref) == (wanted, ztunnel, reference)
    items = resources(target(Operated(), tmp_path), MeshSpec(istio, tmp_path), row)
    agent = items[-1]
    assert (agent["apiVersion"], agent["spec"].get("profile")) == (ztunnel, "ambient" if row.profile else None)
    assert ("targetRef" in agent["spec"]) is reference


def test_what_no_operator_installs_is_a_mistake(spec: MeshSpec, helm: Doubles, tmp_path: Path) -> None:
    """In one line, with the patches that are to be had; so is Kmesh."""
    assert isinstance(find("sail"), Sail)
    Sail().check(spec)
    with pytest.raises(Misuse, match=r"^no Sail operator that is known here installs Istio 1\.31\.0: none of 1\.31$"):
        Sail().check(MeshSpec("1.31.0", tmp_path))
    with pytest.raises(Misuse, match=r"installs Istio 1\.24\.9: of 1\.24 there are 1\.24\.0, 1\.24\.1, .*1\.24\.6$"):
        Sail().check(MeshSpec("1.24.9", tmp_path))
    line = "--ambient-installer=sail installs ztunnel only, not kmesh: use helm or istioctl"
    with pytest.raises(Misuse, match=f"^{re.escape(line)}$"):
        Sail().check(MeshSpec("1.30.3", tmp_path, dataplane="kmesh"))


def test_a_missing_helm_is_a_mistake(spec: MeshSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before anything is made."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Misuse, match=r"^--ambient-installer=sail needs helm on PATH: https://helm\.sh/"):
        Sail().check(spec)


def test_an_operator_of_others_is_used_and_left(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """With its CRDs; its version decides what it can install."""
    deployment(kube, "operators", "sail-operator", "quay.io/sail-dev/sail-operator:1.30.3")
    kube.objects[CRD, "", "istios.sailoperator.io"] = {
        "metadata": {"name": "istios.sailoperator.io"},
        "spec": {"group": "x"},
    }
    said: list[str] = []
    object.__setattr__(where, "say", said.append)
    do(where, spec)
    assert said == ["the Sail operator 1.30.3 in operators is there already: it is used as it is, and left"]
    Sail().uninstall(where, spec)
    assert helm.lines("helm") == []
    assert left(kube) == {"istios.sailoperator.io"}
    assert ("apps/v1/Deployment", "operators", "sail-operator") in kube.objects
    deployment(kube, "operators", "sail-operator", "quay.io/sail-dev/sail-operator:1.27.3")
    with pytest.raises(
        InstallerError,
        match=r"^the Sail operator 1\.27\.3 in operators is there already and does not install Istio 1\.30\.3, only "
        r"1\.24\.0 to 1\.27\.3$",
    ):
        do(where, spec)


def test_a_chart_that_cannot_be_had_is_told_with_a_way_out(
    where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Helm's own words, and what to do without a network."""
    helm.answer("helm", r"list .*", "[]")
    helm.answer("helm", r"pull .*", status=1, stderr="Error: looks like it is not a valid chart repository")
    with pytest.raises(
        Exception,
        match=r"exit 1: looks like it is not a valid chart repository; offline, put sail-operator-1\.30\.3\.tgz "
        r"into the folder that --ambient-istio-dir names$",
    ):
        do(where, spec)


def test_a_local_chart_is_taken_before_all_others(
    where: OperatedTarget, spec: MeshSpec, helm: Doubles, tmp_path: Path
) -> None:
    """Nothing is pulled then."""
    easy(helm)
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "sail-operator-1.30.3.tgz").write_text("chart")
    do(where, MeshSpec("1.30.3", spec.folder, release=tmp_path / "release", within=1))
    assert not [line for line in helm.lines("helm") if line.startswith("pull")]


def test_a_release_of_others_is_never_upgraded(where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """Even where the operator itself does not run."""
    helm.answer("helm", r"list .*--selector .*", "[]")
    helm.answer("helm", r"list .*", '[{"name": "sail-operator", "status": "deployed"}]')
    line = "Helm release sail-operator in sail-operator is there already and not of this run"
    with pytest.raises(InstallerError, match=f"^{line}$"):
        do(where, spec)


def test_a_broken_release_of_ours_makes_room(where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """An interrupted one can't be upgraded."""
    helm.answer("helm", r"list .*", '[{"name": "sail-operator", "status": "pending-install"}]')
    easy(helm)
    do(where, spec)
    verbs = [line.split()[0] for line in helm.lines("helm")]
    assert verbs == ["list", "list", "uninstall", "pull", "upgrade"]


def test_an_operator_that_is_gone_comes_back_for_its_finalizers(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Half removed: without it its resources would be held for ever."""
    easy(helm)
    do(where, spec)
    releases.uninstall(where, spec, sail_operator._release(operator("1.30.3")))
    assert not kube.operates()
    Sail().uninstall(where, spec)
    assert left(kube) == set()
    assert [line.split()[0] for line in helm.lines("helm")].count("upgrade") == 2


def test_on_openshift_olm_installs_one_release(
    kube: World, openshift: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Pinned, approved by us, in a namespace of its own; Helm is not asked."""
    do(openshift, spec)
    item = kube.objects[sail_operator.SUBSCRIPTION, "sail-operator", "sailoperator"]
    assert item["spec"] == {
        "name": "sailoperator", "channel": "stable-1.30", "source": "community-operators",
        "sourceNamespace": "openshift-marketplace", "startingCSV": "sailoperator.v1.30.3",
        "installPlanApproval": "Manual",
    }  # fmt: skip
    assert kube.objects[sail_operator.PLAN, "sail-operator", "install-x"]["spec"]["approved"] is True
    assert helm.lines("helm") == []


def test_on_openshift_subscription_and_version_go(kube: World, openshift: OperatedTarget, spec: MeshSpec) -> None:
    """The operator's Deployment belongs to the version."""
    do(openshift, spec)
    kube.finished = lambda kube, item: True
    Sail().uninstall(openshift, spec)
    assert "delete Subscription sailoperator" in kube.diary
    assert "delete ClusterServiceVersion sailoperator.v1.30.3" in kube.diary
    assert left(kube) == set()


def test_olms_own_reason_is_told(kube: World, openshift: OperatedTarget, spec: MeshSpec) -> None:
    """A catalog without the package makes no plan."""

    def unresolved(kube: Operated, item: dict[str, Any]) -> None:
        if item["kind"] == "Subscription":
            message = "no operators found in package sailoperator"
            kube.status(
                sail_operator.SUBSCRIPTION, "sailoperator", "sail-operator", {"conditions": [{"message": message}]}
            )

    kube.applied = unresolved
    with pytest.raises(
        NotInTime,
        match=r"^OLM's plan for sailoperator\.v1\.30\.3: .*last: no operators found in package sailoperator$",
    ):
        do(openshift, spec)


def test_a_version_that_fails_is_told_with_its_phase(kube: World, openshift: OperatedTarget, spec: MeshSpec) -> None:
    """As OLM wrote it."""

    def failing(kube: Operated, item: dict[str, Any]) -> None:
        planned(kube, item)
        if item["kind"] == "Subscription":
            status = {"phase": "Failed", "message": "install strategy failed"}
            kube.status(sail_operator.CSV, "sailoperator.v1.30.3", "sail-operator", status)

    kube.applied = failing
    with pytest.raises(
        NotInTime,
        match=r"^ClusterServiceVersion sail-operator/sailoperator\.v1\.30\.3 to be ready: .*last: phase Failed: "
        r"install strategy failed$",
    ):
        do(openshift, spec)
