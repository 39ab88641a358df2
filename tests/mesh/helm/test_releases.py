"""The helm installer against a recording double: releases, their owners, charts, and what is taken out again."""

from pathlib import Path

import pytest
import yaml

from pytest_ambient.errors import InstallerError, NotInTime
from pytest_ambient.mesh.helm import Helm
from tests.doubles import Doubles
from tests.mesh.helm.asked import OURS, PENDING, WHERE, install, lines, lists, uninstall, willing
from tests.mesh.landing import ROOT, Cluster, spec, target


def test_each_chart_is_a_release_of_this_run(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """In order, waited for, with our label, values in files, kubeconfig and context explicit."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path, within=60)
    folder = tmp_path / "istio-1.30.3" / "manifests" / "charts"
    wanted = {
        "istio-base": "base",
        "istiod": "istio-control/istio-discovery",
        "istio-cni": "istio-cni",
        "ztunnel": "ztunnel",
    }
    assert lines(doubles, "upgrade") == [
        f"upgrade --install {name} {folder}/{chart} --values {tmp_path}/{name}-values.json --wait --timeout 60s "
        f"--labels pytest-ambient/run=r1 --namespace istio-system {WHERE}"
        for name, chart in wanted.items()
    ]
    assert yaml.safe_load((tmp_path / "ztunnel-values.json").read_text()) == {
        "profile": "ambient",
        "resourceName": "ztunnel",
    }


def test_helm_keeps_to_this_runs_folder(
    doubles: Doubles, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its homes are ours, and no variable of the user's leads it to another cluster."""
    monkeypatch.setenv("HELM_KUBEAPISERVER", "https://prod.example")
    monkeypatch.setenv("HELM_NAMESPACE", "prod")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    for call in doubles.calls("helm"):
        for name in ("CACHE", "CONFIG", "DATA"):
            assert call.env[f"HELM_{name}_HOME"] == f"{tmp_path}/helm/{name.lower()}"
        assert call.env["HELM_KUBEAPISERVER"] == call.env["HELM_NAMESPACE"] == ""
        assert call.env["HTTPS_PROXY"] == "http://proxy.example:3128"


def test_daemons_live_in_kube_system_on_openshift(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """istiod does not."""
    willing(doubles, cluster)
    install(target(cluster, platform="openshift"), tmp_path)
    where = {line.split()[2]: line.partition("--namespace ")[2].split()[0] for line in lines(doubles, "upgrade")}
    assert where == {"istio-base": ROOT, "istiod": ROOT, "istio-cni": "kube-system", "ztunnel": "kube-system"}


def test_kmesh_gets_base_and_istiod_only(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """What comes after them is its own."""
    wanted = spec(tmp_path, version="1.26.8", dataplane="kmesh")
    names = [step.name for group in Helm().steps(target(cluster), wanted) for step in group]
    assert names[:4] == ["istio-system namespace", "chart base", "chart istiod", "istio 1.26.8"]


def test_cni_and_ztunnel_go_side_by_side(cluster: Cluster, tmp_path: Path) -> None:
    """They know nothing of each other; the rest is in order, and only the first step undoes."""
    groups = Helm().steps(target(cluster), spec(tmp_path))
    assert [[step.name for step in group] for group in groups] == [
        ["istio-system namespace"],
        ["chart base"],
        ["chart istiod"],
        ["chart cni", "chart ztunnel"],
        ["istio 1.30.3"],
    ]
    assert [bool(step.undo) for group in groups for step in group] == [True, False, False, False, False, False]
    owned = Helm().steps(target(cluster, owned=True), spec(tmp_path))
    assert not any(step.undo for group in owned for step in group)


def test_what_helm_says_is_told_in_one_line(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """The command, its exit code and the reason."""
    doubles.answer("helm", "list .*", "[]")
    doubles.answer("helm", "upgrade .*", stderr="Error: UPGRADE FAILED: context deadline exceeded\n", status=1)
    with pytest.raises(InstallerError) as error:
        install(target(cluster), tmp_path)
    assert str(error.value).startswith("helm upgrade --install istio-base ")
    assert str(error.value).endswith("--kube-context c1: exit 1: UPGRADE FAILED: context deadline exceeded")


def test_a_helm_that_hangs_is_ended(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """The step ends within its time."""
    doubles.answer("helm", "list .*", "[]")
    doubles.answer("helm", "upgrade .*", seconds=30)
    with pytest.raises(InstallerError, match=r"helm upgrade .*: not done within 1 s"):
        install(target(cluster), tmp_path, within=1)


def test_a_good_exit_code_is_not_believed(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """What it says it installed must be there."""
    willing(doubles, cluster)
    cluster.broken = ("class",)
    with pytest.raises(NotInTime, match="no GatewayClass istio-waypoint"):
        install(target(cluster), tmp_path, within=0.5)


def test_a_release_that_did_not_end_well_makes_room(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Helm would refuse to go on from one whose installation was killed."""
    lists(doubles, "istiod", "pending-install")
    doubles.answer("helm", "upgrade --install istiod .*", stderr=f"Error: {PENDING}", status=1, times=0)
    willing(doubles, cluster)
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r1"})
    install(target(cluster), tmp_path, within=60)
    assert lines(doubles, "uninstall") == [
        f"uninstall istiod --ignore-not-found --wait --timeout 60s --namespace {ROOT} {WHERE}"
    ]
    calls = [line for line in doubles.lines("helm") if " istiod " in line]
    assert [line.split()[0] for line in calls] == ["uninstall", "upgrade"]


def test_a_release_of_others_is_not_upgraded(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """In kube-system there may be one of the same name."""
    doubles.answer("helm", f"list .*{OURS} .*", "[]")
    lists(doubles, "ztunnel", "deployed", selector="", namespace="kube-system")
    willing(doubles, cluster)
    with pytest.raises(InstallerError) as error:
        install(target(cluster, platform="openshift"), tmp_path)
    assert str(error.value) == "Helm release ztunnel in kube-system is there already and not of this run"


def test_the_wanted_mesh_of_others_is_used_as_it_is(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """No chart is pulled, no release made, nothing removed."""
    cluster.land()
    before = dict(cluster.objects)
    said: list[str] = []
    install(target(cluster, said), tmp_path, release=None)
    uninstall(target(cluster, said), tmp_path)
    assert len(said) == 1
    assert "used as it is: nothing is installed, and nothing will be removed" in said[0]
    assert cluster.objects == before
    assert doubles.calls("helm") == []


def test_crds_of_others_are_left_out_of_the_base_chart(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Helm would refuse to take them over."""
    willing(doubles, cluster)
    cluster.define("wasmplugins.extensions.istio.io")
    install(target(cluster), tmp_path)
    assert yaml.safe_load((tmp_path / "istio-base-values.json").read_text())["base"]["excludedCRDs"] == [
        "wasmplugins.extensions.istio.io"
    ]


def test_releases_of_this_run_go_in_reverse(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """And with them what Helm keeps, and the namespace; a second time is fine."""
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r1"})
    cluster.land()
    for name in ("istio-base", "istiod", "ztunnel"):
        lists(doubles, name, "deployed")
    willing(doubles, cluster)
    uninstall(target(cluster), tmp_path)
    assert [line.split()[1] for line in lines(doubles, "uninstall")] == ["ztunnel", "istiod", "istio-base"]
    assert [key[0] for key in cluster.objects if key[0] == "v1/Namespace"] == []
    calls = len(doubles.calls("helm"))
    uninstall(target(cluster), tmp_path)
    assert len(doubles.calls("helm")) == calls


def test_a_release_of_others_is_not_uninstalled(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """One of the same name in kube-system that does not carry our label."""
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r1"})
    doubles.answer("helm", f"list .*{OURS} .*", "[]")
    lists(doubles, "ztunnel", "deployed", namespace="kube-system")
    willing(doubles, cluster)
    uninstall(target(cluster, platform="openshift"), tmp_path)
    assert lines(doubles, "uninstall") == []


def test_a_mesh_that_others_use_stays(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """No release is touched."""
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r1"})
    cluster.keep("v1/Namespace", "shop", labels={"istio.io/dataplane-mode": "ambient"})
    with pytest.raises(InstallerError, match=r"Istio 1\.30\.3 of run r1 stays, others use it: namespace shop"):
        uninstall(target(cluster), tmp_path)
    assert doubles.calls("helm") == []


def test_an_answer_that_is_no_json(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """It is told, not taken for an empty list."""
    doubles.answer("helm", "list .*", "WARNING: nothing")
    with pytest.raises(InstallerError, match="helm list: its answer is no JSON: 'WARNING: nothing'"):
        install(target(cluster), tmp_path)
