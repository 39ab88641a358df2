"""The istioctl installer against a recording double: what is asked of it, what is refused, and what is left behind."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ambient.errors import InstallerError, Misuse, NotInTime
from pytest_ambient.mesh import istioctl
from pytest_ambient.mesh.istioctl import COMPONENT, Istioctl
from pytest_ambient.mesh.landed import CRD, GATEWAY_CLASS
from tests.doubles import Doubles
from tests.mesh.landing import ROOT, Cluster, FakeTarget, release, spec, target

WHERE = "--kubeconfig /k/config --context c1"
VERSION = json.dumps({"clientVersion": {"version": "1.30.3"}})
INSTALL = r"install -y -f (\S+) --readiness-timeout \S+ " + WHERE
PURGE = f"uninstall -y --purge {WHERE}"
FAILED = """        |\\
       / |
✘ Istiod encountered an error: failed to wait for resource: resources not ready after 20s: context deadline exceeded
- Processing resources for CNI.
Error: failed to install manifests: 1 error occurred:
	* failed to wait for resource: resources not ready after 20s: context deadline exceeded
  Deployment/istio-system/istiod (container failed to start: ImagePullBackOff: no such host)
"""
"""What istioctl 1.30 writes when istiod does not come up (recorded, shortened)."""


@pytest.fixture
def doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """An istioctl that leaves marks for the cluster; little patience."""
    folder = tmp_path / "bin"
    folder.mkdir()
    found = Doubles(folder)
    monkeypatch.setenv("PATH", found.path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(istioctl, "LAST", 0.3)
    found.answer("istioctl", "version --remote=false -o json", VERSION)
    return found


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster without Istio."""
    return Cluster(tmp_path)


def willing(doubles: Doubles, cluster: Cluster) -> None:
    """Let it install and uninstall."""
    doubles.answer("istioctl", INSTALL, "✔ Installation complete", files={str(cluster.marks / "installed"): "1"})
    doubles.answer("istioctl", PURGE, "✔ Uninstall complete", files={str(cluster.marks / "removed"): "1"})


def install(whole: FakeTarget, tmp_path: Path, **more: Any) -> None:
    """Do all steps of the installer, one after another."""
    for group in Istioctl().steps(whole, spec(tmp_path, **{"within": 5, **more})):
        for step in group:
            step.do()


def uninstall(whole: FakeTarget, tmp_path: Path) -> None:
    """Take it out."""
    Istioctl().uninstall(whole, spec(tmp_path, within=2))


def written(tmp_path: Path) -> Any:
    """The spec of the IstioOperator that istioctl was given."""
    return yaml.safe_load((tmp_path / "istio-operator.yaml").read_text())["spec"]


def commands(doubles: Doubles) -> list[str]:
    """First words of the calls that touch a cluster."""
    return [line.split()[0] for line in doubles.lines("istioctl") if not line.startswith("version")]


def test_istio_is_installed_from_a_file_into_the_cluster_that_was_named(
    doubles: Doubles, cluster: Cluster, tmp_path: Path
) -> None:
    """Kubeconfig and context are explicit, values in a file, the wait limited; no configuration of the user's."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path, within=60)
    call = doubles.calls("istioctl")[-1]
    assert call.line == f"install -y -f {tmp_path}/istio-operator.yaml --readiness-timeout 60s {WHERE}"
    assert call.env["ISTIOCONFIG"] == f"{tmp_path}/istioctl.yaml"
    assert yaml.safe_load((tmp_path / "istioctl.yaml").read_text()) == {"istioNamespace": ROOT}
    assert written(tmp_path) == {
        "profile": "ambient",
        "meshConfig": {"accessLogFile": "/dev/stdout"},
        "values": {"gateways": {"seccompProfile": {"type": "RuntimeDefault"}}},
    }


def test_the_namespace_is_made_first_and_is_ours(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """With the run's label, no namespace of tests, and open to privileged pods where pod security is enforced."""
    doubles.answer("istioctl", INSTALL, stderr="Error: no", status=1)
    with pytest.raises(InstallerError):
        install(target(cluster), tmp_path)
    labels = cluster.objects["v1/Namespace", "", ROOT]["metadata"]["labels"]
    assert labels == {
        "pytest-ambient/run": "r1",
        "pytest-ambient/part": "istio",
        "pod-security.kubernetes.io/enforce": "privileged",
    }


def test_what_istioctl_says_is_told_in_one_line(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """The command, its exit code and the reason, without progress and drawings."""
    doubles.answer("istioctl", INSTALL, stderr=FAILED, status=1)
    with pytest.raises(InstallerError) as error:
        install(target(cluster), tmp_path, within=60)
    assert str(error.value) == (
        f"{doubles.folder}/istioctl install -y -f {tmp_path}/istio-operator.yaml --readiness-timeout 60s {WHERE}: "
        "exit 1: failed to install manifests: 1 error occurred: * failed to wait for resource: resources not ready "
        "after 20s: context deadline exceeded Deployment/istio-system/istiod (container failed to start: "
        "ImagePullBackOff: no such host)"
    )


def test_an_istioctl_that_hangs_is_ended(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """The step ends within its time."""
    doubles.answer("istioctl", INSTALL, seconds=30)
    with pytest.raises(InstallerError, match=r"istioctl install .*: not done within 1 s"):
        install(target(cluster), tmp_path, within=1)


def test_a_good_exit_code_is_not_believed(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """What it says it installed must be there."""
    willing(doubles, cluster)
    cluster.broken = ("ztunnel",)
    with pytest.raises(NotInTime, match=r"Istio 1.30.3 to be in place: .*ztunnel: no DaemonSet with app=ztunnel"):
        install(target(cluster), tmp_path, within=0.5)


def test_half_an_installation_of_this_run_is_installed_over(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """The second try finishes what the first began."""
    willing(doubles, cluster)
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r1"})
    cluster.broken = ("ztunnel",)
    cluster.land()
    cluster.broken = ()
    install(target(cluster), tmp_path)
    assert commands(doubles) == ["install"]


def test_the_wanted_mesh_of_others_is_used_as_it_is(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Nothing is run, made or removed, and a line says so; a revision is named."""
    cluster.land(revision="canary")
    before = dict(cluster.objects)
    said: list[str] = []
    install(target(cluster, said), tmp_path)
    uninstall(target(cluster, said), tmp_path)
    assert said == [
        "Istio 1.30.3 (revision canary, in istio-system) is there already and used as it is: "
        "nothing is installed, and nothing will be removed"
    ]
    assert doubles.calls("istioctl") == []
    assert cluster.objects == before


@pytest.mark.parametrize(
    ("version", "ambient", "told"),
    [
        ("1.28.2", True, "Istio 1.28.2 (in istio-system)"),
        ("1.30.3", False, "Istio 1.30.3 (in istio-system, without ambient mode)"),
    ],
)
def test_another_mesh_is_refused(
    doubles: Doubles, cluster: Cluster, tmp_path: Path, version: str, ambient: bool, told: str
) -> None:
    """Another version, or sidecars only: one line, and nothing is touched."""
    cluster.version = version
    cluster.land(ambient=ambient)
    before = dict(cluster.objects)
    with pytest.raises(InstallerError) as error:
        install(target(cluster), tmp_path)
    assert str(error.value) == (
        f"{told} is there already, wanted 1.30.3 in ambient mode: remove it, "
        "or take it as it is with --ambient-installer=none"
    )
    assert cluster.objects == before


def test_the_wanted_mesh_of_others_must_be_whole(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Nothing of ours is put into it."""
    cluster.broken = ("ztunnel",)
    cluster.land()
    with pytest.raises(InstallerError) as error:
        install(target(cluster), tmp_path, within=0.3)
    assert str(error.value).startswith(
        "Istio 1.30.3 (in istio-system) is there already, was not installed by this run and is not whole: "
    )
    assert "ztunnel: no DaemonSet with app=ztunnel" in str(error.value)


def test_a_kept_cluster_of_ours_with_the_wanted_mesh_is_used(
    doubles: Doubles, cluster: Cluster, tmp_path: Path
) -> None:
    """Also when another run installed it."""
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r0"})
    cluster.land()
    said: list[str] = []
    install(target(cluster, said, owned=True), tmp_path)
    assert said == ["Istio 1.30.3 (in istio-system) is there already and used as it is"]


def test_a_namespace_of_others_is_refused(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Even an empty one: it could not be removed again."""
    cluster.keep("v1/Namespace", ROOT)
    with pytest.raises(InstallerError) as error:
        install(target(cluster), tmp_path)
    assert str(error.value) == (
        "namespace istio-system is there without an Istio and not of this run: remove it, "
        "or install Istio by other means and use --ambient-installer=none"
    )


def test_kubernetes_that_is_too_old_is_told_first(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Both versions and the oldest one."""
    cluster.kubernetes = "v1.30.4"
    with pytest.raises(InstallerError) as error:
        install(target(cluster), tmp_path)
    assert str(error.value) == "Kubernetes v1.30.4 is too old for Istio 1.30.3, which takes 1.32 and newer"
    assert cluster.objects == {}


def test_what_istioctl_would_need_is_checked_before_anything_is_made(tmp_path: Path) -> None:
    """A version that is not known, a folder without istioctl."""
    with pytest.raises(Misuse, match=r"Istio 1.9.4 is not known here"):
        Istioctl().check(spec(tmp_path, version="1.9.4"))
    with pytest.raises(Misuse, match="it has no bin/istioctl"):
        Istioctl().check(spec(tmp_path, release=tmp_path))
    Istioctl().check(spec(tmp_path))


def test_istioctl_of_the_local_release_installs(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """The one on PATH is not asked."""
    root = release(tmp_path)
    own = Doubles(root / "bin")
    own.answer("istioctl", "version --remote=false -o json", VERSION)
    willing(own, cluster)
    install(target(cluster), tmp_path, release=root)
    assert commands(own) == ["install"]
    assert doubles.calls("istioctl") == []


def test_everything_of_this_run_goes_and_nothing_else(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Also what istioctl leaves: CRDs, classes, istiod's ConfigMaps; what was there before stays."""
    willing(doubles, cluster)
    cluster.define("wasmplugins.extensions.istio.io")
    cluster.define("certificates.cert-manager.io")
    cluster.keep("v1/ConfigMap", "istio-ca-root-cert", "older", labels={"istio.io/config": "true"})
    cluster.keep(GATEWAY_CLASS, "older", spec={"controllerName": "istio.io/gateway-controller"})
    cluster.keep("v1/Namespace", "shop", labels={"istio.io/use-waypoint": "of-old"})
    cluster.keep("extensions.istio.io/v1/Wasmplugin", "of-old", "shop")
    before = dict(cluster.objects)
    said: list[str] = []
    install(target(cluster, said), tmp_path)
    assert said == ["1 CRDs of Istio were there already and are left as they are"]
    assert written(tmp_path)["values"]["base"] == {
        "enableCRDTemplates": True,
        "excludedCRDs": ["wasmplugins.extensions.istio.io"],
    }
    nginx = {"controllerName": "nginx.org/gateway"}
    cluster.keep(GATEWAY_CLASS, "nginx", spec=nginx)
    uninstall(target(cluster), tmp_path)
    assert cluster.objects == {**before, (GATEWAY_CLASS, "", "nginx"): {"metadata": {"name": "nginx"}, "spec": nginx}}
    assert commands(doubles) == ["install", "uninstall"]


def test_namespaces_leave_the_mesh_before_istio_goes(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Labels off, waypoints gone, pods free; while a pod is captured, istioctl is not run."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    labels = {"pytest-ambient/run": "r1", "istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": "w", "a": "b"}
    cluster.keep("v1/Namespace", "bookinfo", labels=labels)
    cluster.keep("gateway.networking.k8s.io/v1/Gateway", "w", "bookinfo", spec={"gatewayClassName": "istio-waypoint"})
    cluster.keep("gateway.networking.k8s.io/v1/Gateway", "g", "bookinfo", spec={"gatewayClassName": "nginx"})
    cluster.keep("v1/Pod", "curl", "bookinfo", annotations={"ambient.istio.io/redirection": "enabled"})
    with pytest.raises(NotInTime, match=r"pods to leave the mesh: not within 0.3 s .*still captured: bookinfo/curl"):
        Istioctl().uninstall(target(cluster), spec(tmp_path))
    assert commands(doubles) == ["install"]
    assert cluster.objects["v1/Namespace", "", "bookinfo"]["metadata"]["labels"] == {
        "pytest-ambient/run": "r1",
        "a": "b",
    }
    assert cluster.names("gateway.networking.k8s.io/v1/Gateway") == ["bookinfo/g"]
    cluster.objects["v1/Pod", "bookinfo", "curl"]["metadata"]["annotations"] = {}
    uninstall(target(cluster), tmp_path)
    assert commands(doubles) == ["install", "uninstall"]
    assert cluster.names("v1/Namespace") == ["bookinfo"]


@pytest.mark.parametrize(
    ("kind", "name", "more", "told"),
    [
        ("v1/Namespace", "shop", {"labels": {"istio.io/dataplane-mode": "ambient"}}, "namespace shop"),
        ("v1/Pod", "a", {"labels": {"istio.io/dataplane-mode": "ambient"}}, "pod shop/a"),
        ("v1/Pod", "a", {"labels": {"security.istio.io/tlsMode": "istio"}}, "pod shop/a"),
        (
            "gateway.networking.k8s.io/v1/Gateway",
            "w",
            {"spec": {"gatewayClassName": "istio-waypoint"}},
            "Gateway shop/w",
        ),
        (
            "gateway.networking.k8s.io/v1/Gateway",
            "g",
            {"spec": {"gatewayClassName": "istio"}},
            "Gateway shop/g",
        ),
        (
            "v1/Pod",
            "gateway",
            {"metadata": {"name": "gateway", "namespace": "shop", "labels": {"sidecar.istio.io/inject": "true"}}},
            "pod shop/gateway",
        ),
        ("networking.istio.io/v1/Virtualservice", "v", {}, "Virtualservice shop/v"),
    ],
)
def test_a_mesh_that_others_use_stays(
    doubles: Doubles, cluster: Cluster, tmp_path: Path, kind: str, name: str, more: Any, told: str
) -> None:
    """Their traffic would break, or their objects would go with our CRDs; one line says who."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    cluster.keep(kind, name, "" if kind == "v1/Namespace" else "shop", **more)
    with pytest.raises(InstallerError) as error:
        uninstall(target(cluster), tmp_path)
    assert str(error.value) == (
        f"Istio 1.30.3 of run r1 stays, others use it: {told}; take them out of the mesh, then: pytest-ambient cleanup"
    )
    assert commands(doubles) == ["install"]


def test_uninstalling_twice_or_nothing_is_fine(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Neither the second time nor after nothing is istioctl run."""
    uninstall(target(cluster), tmp_path)
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    uninstall(target(cluster), tmp_path)
    uninstall(target(cluster), tmp_path)
    assert commands(doubles) == ["install", "uninstall"]
    assert cluster.objects == {}


def test_half_an_installation_goes_too(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """The namespace alone says that there may be something."""
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r1"})
    cluster.define("virtualservices.networking.istio.io")
    doubles.answer("istioctl", PURGE)
    uninstall(target(cluster), tmp_path)
    assert commands(doubles) == ["uninstall"]
    assert cluster.objects == {}


def test_a_mesh_of_another_run_is_not_ours_to_remove(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Two runs do not disturb each other."""
    cluster.keep("v1/Namespace", ROOT, labels={"pytest-ambient/run": "r2"})
    cluster.land()
    before = dict(cluster.objects)
    uninstall(target(cluster), tmp_path)
    assert cluster.objects == before
    assert doubles.calls("istioctl") == []


def test_istiod_must_have_ended_before_what_it_writes_is_removed(
    doubles: Doubles, cluster: Cluster, tmp_path: Path
) -> None:
    """It would write its ConfigMaps again."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    cluster.keep("v1/Pod", "istiod-x", ROOT, labels={"app": "istiod"})
    with pytest.raises(NotInTime, match=r"istiod to end: not within 0.3 s .*still there: istiod-x"):
        Istioctl().uninstall(target(cluster), spec(tmp_path))
    assert cluster.names("v1/ConfigMap") == ["default/istio-ca-root-cert"]
    assert ROOT in cluster.names("v1/Namespace")


def test_purging_spares_another_istio(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """istioctl would remove all there are."""
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    cluster.land(root="istio-b", revision="b")
    with pytest.raises(InstallerError) as error:
        uninstall(target(cluster), tmp_path)
    assert str(error.value) == (
        "Istio 1.30.3 (revision b, in istio-b) came into the cluster meanwhile, and istioctl would remove it too: "
        "take Istio 1.30.3 out by hand: istioctl uninstall --revision default"
    )
    assert commands(doubles) == ["install"]


def test_purging_spares_crds_that_were_there(doubles: Doubles, cluster: Cluster, tmp_path: Path) -> None:
    """Those with istioctl's label are hidden from it, and have it again afterwards, even when it fails."""
    name = "wasmplugins.extensions.istio.io"
    cluster.define(name, **{COMPONENT: "Base"})
    doubles.answer("istioctl", PURGE, stderr="Error: gone wrong", status=1, times=1)
    willing(doubles, cluster)
    install(target(cluster), tmp_path)
    patched: list[Any] = []
    patch = cluster.patch

    def watched(kind: str, *rest: Any, **more: Any) -> Any:
        patched.append(rest[2]["metadata"]["labels"])
        return patch(kind, *rest, **more)

    cluster.patch = watched  # type: ignore[method-assign]  # a double is watched
    with pytest.raises(InstallerError, match="exit 1: gone wrong"):
        uninstall(target(cluster), tmp_path)
    uninstall(target(cluster), tmp_path)
    assert patched == [{COMPONENT: None}, {COMPONENT: "Base"}] * 2
    assert cluster.objects[CRD, "", name]["metadata"]["labels"] == {COMPONENT: "Base"}


@pytest.mark.parametrize("owned", [True, False])
def test_the_steps(doubles: Doubles, cluster: Cluster, tmp_path: Path, owned: bool) -> None:
    """One, which undoes itself except in a cluster that goes with the run."""
    willing(doubles, cluster)
    ((step,),) = Istioctl().steps(target(cluster, owned=owned), spec(tmp_path, within=2))
    assert step.name == "istio 1.30.3"
    assert cluster.objects == {}
    assert (step.undo is None) is owned
    if step.undo is not None:
        step.do()
        step.undo()
        assert cluster.objects == {}
