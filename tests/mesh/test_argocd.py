"""Argo CD: what it is handed, what is waited for, what is said when it does not come, and what is left."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.errors import InstallerError, Misuse, NotInTime
from pytest_ambient.mesh.argocd import APPLICATION, CONTROLLER, FINALIZER, ArgoCd, unfinished
from pytest_ambient.mesh.installer import MeshSpec, find
from tests.mesh.operated import Operated, OperatedTarget, control_plane, daemonset, target

MINE = "pytest-ambient/run"
WELL = {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}, "operationState": {"phase": "Succeeded"}}
STUCK: dict[str, Any] = {
    "sync": {"status": "OutOfSync"},
    "health": {"status": "Missing"},
    "conditions": [{"type": "ComparisonError", "message": "failed to fetch chart"}],
}
ADDED = ["r1-istio-base", "r1-istiod", "r1-istio-cni", "r1-ztunnel"]


class World(Operated):
    """A cluster with an Argo CD in it."""

    broken: dict[str, dict[str, Any]]
    """Statuses of Applications, by release, that stay as they are."""


def argued(kube: Operated, item: dict[str, Any]) -> None:
    """What Argo CD does with an Application."""
    assert isinstance(kube, World)
    if item["kind"] != "Application":
        return
    release, version = item["spec"]["source"]["helm"]["releaseName"], item["spec"]["source"]["targetRevision"]
    kube.status(APPLICATION, item["metadata"]["name"], "argocd", kube.broken.get(release, WELL))
    place = item["spec"]["destination"]["namespace"]
    if release == "istiod":
        control_plane(kube, place, version)
    elif release == "istio-cni":
        daemonset(kube, place, "istio-cni-node", f"x/install-cni:{version}", ("k8s-app", "istio-cni-node"))
    elif release == "ztunnel":
        daemonset(kube, place, "ztunnel", f"x/ztunnel:{version}", ("app", "ztunnel"))


@pytest.fixture
def kube() -> World:
    """Argo CD in its usual namespace."""
    made = World(applied=argued)
    made.broken = {}
    key, value = CONTROLLER.split("=")
    meta = {"name": "argocd-application-controller-0", "namespace": "argocd", "labels": {key: value}}
    made.objects["v1/Pod", "argocd", meta["name"]] = {"metadata": meta, "status": {"phase": "Running"}}  # type: ignore[index]  # a str
    return made


@pytest.fixture
def spec(tmp_path: Path) -> MeshSpec:
    """Istio 1.30.3, with little patience."""
    return MeshSpec("1.30.3", tmp_path, within=1)


def do(where: OperatedTarget, spec: MeshSpec) -> None:
    """All steps, one after another."""
    for group in ArgoCd().steps(where, spec):
        for step in group:
            step.do()


def applications(kube: World) -> list[str]:
    """Names of the Applications there are."""
    return [name for kind, _, name in kube.objects if kind == APPLICATION]


def test_it_is_found_and_checks_what_can_never_work(spec: MeshSpec, tmp_path: Path) -> None:
    """A local release cannot be handed to Argo CD."""
    assert isinstance(find("argocd"), ArgoCd)
    ArgoCd().check(spec)
    line = "--ambient-istio-dir is of no use to --ambient-installer=argocd: it fetches charts by itself"
    with pytest.raises(Misuse, match=f"^{re.escape(line)}$"):
        ArgoCd().check(MeshSpec("1.30.3", tmp_path, release=tmp_path))
    with pytest.raises(Misuse, match=r"^no Kmesh that is known here goes with Istio 1\.30\.3"):
        ArgoCd().check(MeshSpec("1.30.3", tmp_path, dataplane="kmesh"))


def test_each_chart_is_an_application(kube: World, where: OperatedTarget, spec: MeshSpec) -> None:
    """In order, in Argo CD's namespace, labelled, with the finalizer by which it goes again."""
    names = [[step.name for step in group] for group in ArgoCd().steps(where, spec)]
    assert names == [
        ["istio-system namespace"], ["application istio-base"], ["application istiod"],
        ["application istio-cni", "application ztunnel"], ["istio 1.30.3 by argocd"],
    ]  # fmt: skip
    do(where, spec)
    assert kube.diary == ["apply Namespace istio-system", *(f"apply Application {name}" for name in ADDED)]
    item = kube.objects[APPLICATION, "argocd", "r1-ztunnel"]
    assert item["metadata"]["labels"][MINE] == "r1"
    assert item["metadata"]["finalizers"] == [FINALIZER]
    assert item["spec"]["destination"] == {"server": "https://kubernetes.default.svc", "namespace": "istio-system"}
    source = item["spec"]["source"]
    assert (source["chart"], source["targetRevision"]) == ("ztunnel", "1.30.3")
    assert source["repoURL"] == "https://istio-release.storage.googleapis.com/charts"
    assert source["helm"]["releaseName"] == "ztunnel"
    assert json.loads(source["helm"]["values"]) == {"profile": "ambient", "resourceName": "ztunnel"}
    assert item["spec"]["syncPolicy"]["automated"] == {"prune": True}
    ignored = {one["kind"] for one in item["spec"]["ignoreDifferences"]}
    assert ignored == {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}


def test_what_was_handed_over_goes_in_reverse(kube: World, where: OperatedTarget, spec: MeshSpec) -> None:
    """Each until it is gone, then the namespace; twice is fine."""
    do(where, spec)
    kube.diary.clear()
    ArgoCd().uninstall(where, spec)
    assert [line for line in kube.diary if "Application" in line] == [
        f"delete Application {name}" for name in reversed(ADDED)
    ]
    assert ("v1/Namespace", "", "istio-system") not in kube.objects
    ArgoCd().uninstall(where, spec)


def test_a_cluster_without_argo_cd_is_told_so(kube: World, where: OperatedTarget, spec: MeshSpec) -> None:
    """Before anything is made."""
    kube.objects.clear()
    line = f"no Argo CD runs in the cluster, no running pod has the label {CONTROLLER}: install it first, "
    with pytest.raises(InstallerError, match=f"^{re.escape(line)}"):
        do(where, spec)
    assert kube.diary == []


def test_an_application_that_does_not_come_is_told_with_argo_cds_words(
    kube: World, where: OperatedTarget, spec: MeshSpec
) -> None:
    """Sync and health, then conditions."""
    kube.broken["istiod"] = STUCK
    with pytest.raises(
        NotInTime,
        match=r"^Application argocd/r1-istiod to be ready: .*last: OutOfSync, Missing: failed to fetch chart$",
    ):
        do(where, spec)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (WELL, ""),
        ({}, "not compared, unknown"),
        ({**WELL, "operationState": {"phase": "Running"}}, "Synced, Healthy"),
        ({**WELL, "health": {"status": "Degraded", "message": "0 of 1"}}, "Synced, Degraded: 0 of 1"),
        (
            {**STUCK, "operationState": {"phase": "Failed", "message": "one or more objects failed to apply"}},
            "OutOfSync, Missing: failed to fetch chart; one or more objects failed to apply",
        ),
    ],
)
def test_synced_and_healthy_is_what_counts(status: dict[str, Any], told: str) -> None:
    """And no sync that still runs."""
    assert unfinished({"metadata": {}, "status": status}) == told


def test_an_application_of_others_is_never_changed(kube: World, where: OperatedTarget, spec: MeshSpec) -> None:
    """Not even one of the same name."""
    meta = {"name": "r1-istiod", "namespace": "argocd"}
    kube.objects[APPLICATION, "argocd", "r1-istiod"] = {"metadata": meta, "spec": {"project": "theirs"}}
    with pytest.raises(InstallerError, match=r"^Application argocd/r1-istiod is there already and not of this run"):
        do(where, spec)
    ArgoCd().uninstall(where, spec)
    assert kube.objects[APPLICATION, "argocd", "r1-istiod"]["spec"] == {"project": "theirs"}


def test_an_argo_cd_that_is_gone_is_told_before_anything_waits(
    kube: World, where: OperatedTarget, spec: MeshSpec
) -> None:
    """Its finalizers would hold everything for ever; nothing else is touched."""
    do(where, spec)
    del kube.objects["v1/Pod", "argocd", "argocd-application-controller-0"]
    with pytest.raises(
        InstallerError,
        match=r"^Argo CD runs no more, and its Applications r1-ztunnel, r1-istio-cni, r1-istiod, r1-istio-base in "
        r"argocd wait for it: bring it back and call pytest-ambient cleanup$",
    ):
        ArgoCd().uninstall(where, spec)
    assert applications(kube) == ADDED
    assert ("v1/Namespace", "", "istio-system") in kube.objects


def test_half_of_it_goes_too(kube: World, where: OperatedTarget, spec: MeshSpec) -> None:
    """What was never made is not missed."""
    kube.broken["istiod"] = STUCK
    with pytest.raises(NotInTime):
        do(where, spec)
    ArgoCd().uninstall(where, spec)
    assert applications(kube) == []
    assert ("v1/Namespace", "", "istio-system") not in kube.objects


def test_an_application_that_never_goes_is_told_with_its_finalizer(
    kube: World, where: OperatedTarget, spec: MeshSpec
) -> None:
    """The rest stays for a later cleanup."""
    do(where, spec)
    kube.finished = lambda kube, item: item["metadata"]["name"] != "r1-istio-cni"
    with pytest.raises(NotInTime, match=re.escape(FINALIZER)):
        ArgoCd().uninstall(where, spec)
    assert applications(kube) == ADDED[:3]


def test_a_mesh_that_is_there_is_used_as_it_is(kube: World, where: OperatedTarget, spec: MeshSpec) -> None:
    """Nothing is handed over, and nothing will be removed."""
    control_plane(kube, "istio-system", "1.30.3")
    daemonset(kube, "istio-system", "istio-cni-node", "x/install-cni:1.30.3", ("k8s-app", "istio-cni-node"))
    daemonset(kube, "istio-system", "ztunnel", "x/ztunnel:1.30.3", ("app", "ztunnel"))
    do(where, spec)
    ArgoCd().uninstall(where, spec)
    assert kube.diary == []


def test_a_cluster_of_our_own_needs_no_undoing(kube: World, tmp_path: Path, spec: MeshSpec) -> None:
    """It goes as a whole; on any other the first step takes everything back."""
    mine, theirs = (ArgoCd().steps(target(kube, tmp_path, owned=owned), spec) for owned in (True, False))
    assert {step.undo for group in mine for step in group} == {None}
    assert theirs[0][0].undo is not None
