"""The istioctl installer against a recording double: what is asked of it, what is refused, and what is left behind."""

from pathlib import Path

import pytest
import yaml

from pytest_ambient.errors import InstallerError, Misuse, NotInTime
from pytest_ambient.mesh.istioctl import Istioctl
from tests.doubles import Doubles
from tests.mesh.istioctl.asked import (
    FAILED,
    INSTALL,
    VERSION,
    WHERE,
    commands,
    install,
    uninstall,
    willing,
    written,
)
from tests.mesh.landing import ROOT, Cluster, release, spec, target


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
