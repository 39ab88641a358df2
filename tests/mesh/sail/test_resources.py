"""Sail's resources: in which order they come and go, what is waited for, and what of others is left as it is."""

from pathlib import Path

import pytest

from pytest_ambient.errors import InstallerError, NotInTime
from pytest_ambient.mesh import sail, sail_operator
from pytest_ambient.mesh.installer import MeshSpec
from pytest_ambient.mesh.landed import CRD
from pytest_ambient.mesh.sail import Sail, operator, resources
from tests.doubles import Doubles
from tests.mesh.operated import Operated, OperatedTarget, target
from tests.mesh.sail.worlds import CNI, ISTIO, MINE, NOT_READY, ZTUNNEL, World, do, easy, left, taken_back


def test_the_mesh_is_resources_of_the_operator(where: OperatedTarget, spec: MeshSpec, tmp_path: Path) -> None:
    """Of one version, each in its namespace; istiod trusts ztunnel's, and the mirror is named for all."""
    mirrored = MeshSpec("1.30.3", tmp_path, hub="mirror.example/istio/")
    istio, cni, ztunnel = resources(where, mirrored, operator("1.30.3"))
    assert [one["spec"]["version"] for one in (istio, cni, ztunnel)] == ["v1.30.3"] * 3
    assert [one["spec"]["namespace"] for one in (istio, cni, ztunnel)] == ["istio-system", "istio-cni", "ztunnel"]
    assert [one["metadata"]["name"] for one in (istio, cni, ztunnel)] == ["default"] * 3
    assert istio["spec"]["values"]["pilot"]["trustedZtunnelNamespace"] == "ztunnel"
    assert istio["spec"]["values"]["meshConfig"] == {"accessLogFile": "/dev/stdout"}
    assert "gateways" not in istio["spec"]["values"], "the operator's kind has no such field and would be refused"
    for one in (istio, cni, ztunnel):
        assert one["spec"]["values"]["global"]["hub"] == "mirror.example/istio"
    assert ztunnel["spec"]["targetRef"] == {"kind": "Istio", "name": "default"}
    assert "values" not in resources(where, spec, operator("1.30.3"))[2]["spec"]


def test_directories_and_small_requests_reach_the_resources(tmp_path: Path) -> None:
    """A cluster of our own is small; k3d keeps its CNI elsewhere."""
    mine = target(Operated(), tmp_path, owned=True, platform="k3d", cni_bin_dir="/bin", cni_conf_dir="/etc/x")
    istio, cni, ztunnel = resources(mine, MeshSpec("1.30.3", tmp_path), operator("1.30.3"))
    assert istio["spec"]["values"]["pilot"]["resources"]["requests"]["memory"] == "256Mi"
    assert cni["spec"]["values"]["cni"] | {"resources": 0} == {
        "cniBinDir": "/bin", "cniConfDir": "/etc/x", "resources": 0,
    }  # fmt: skip
    assert ztunnel["spec"]["values"]["ztunnel"]["resources"]["requests"]["memory"] == "64Mi"
    assert cni["spec"]["values"]["global"] == {"platform": "k3d"}


def test_namespaces_operator_and_resources_come_in_order(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Everything carries the run's label; the last step returns when all has landed."""
    easy(helm)
    names = [step.name for group in Sail().steps(where, spec) for step in group]
    assert names == ["sail namespaces", "sail operator 1.30.3", "istio 1.30.3 by sail"]
    do(where, spec)
    assert kube.diary == [
        "apply Namespace istio-system", "apply Namespace istio-cni", "apply Namespace ztunnel",
        "apply Namespace sail-operator", "apply Istio default", "apply IstioCNI default", "apply ZTunnel default",
    ]  # fmt: skip
    for kind, name in [("v1/Namespace", name) for name in ("istio-cni", "ztunnel", "sail-operator", "istio-system")]:
        assert kube.labels(kind, name)[MINE] == "r1"
    for kind in (ISTIO, CNI, ZTUNNEL):
        assert kube.labels(kind, "default")[MINE] == "r1"


def test_what_was_put_in_goes_in_reverse(kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """Resources while the operator can finish them, then the operator, its CRDs and the namespaces; twice is fine."""
    easy(helm)
    do(where, spec)
    kube.diary.clear()
    Sail().uninstall(where, spec)
    ours = [line for line in kube.diary if ".istio.io" not in line and "GatewayClass" not in line]
    assert ours == [
        "delete ZTunnel default", "delete IstioCNI default", "delete Istio default",
        "delete CustomResourceDefinition istiocnis.sailoperator.io",
        "delete CustomResourceDefinition istios.sailoperator.io",
        "delete CustomResourceDefinition ztunnels.sailoperator.io",
        "delete Namespace sail-operator", "delete Namespace istio-cni", "delete Namespace ztunnel",
        "delete Namespace istio-system",
    ]  # fmt: skip
    assert left(kube) == set()
    Sail().uninstall(where, spec)


def test_crds_that_were_there_stay(kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """They are noted on our namespace before the operator brings its own; a second attempt doesn't forget."""
    easy(helm)
    crd = {"metadata": {"name": "istios.sailoperator.io"}, "spec": {"group": "sailoperator.io"}}
    kube.objects[CRD, "", "istios.sailoperator.io"] = crd
    do(where, spec)
    for item in resources(where, spec, operator("1.30.3")):
        kube.objects.pop((f"{item['apiVersion']}/{item['kind']}", "", "default"))
    sail_operator.install(where, spec, operator("1.30.3"))
    Sail().uninstall(where, spec)
    assert left(kube) == {"istios.sailoperator.io"}


@pytest.mark.parametrize("name", ["istio-system", "ztunnel", "sail-operator"])
def test_a_namespace_of_others_is_never_taken(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles, name: str
) -> None:
    """Refused in one line; the removal leaves it, too."""
    easy(helm)
    kube.objects["v1/Namespace", "", name] = {"metadata": {"name": name}}
    with pytest.raises(InstallerError, match=f"{name} is there"):
        do(where, spec)
    Sail().uninstall(where, spec)
    assert left(kube) == {name}


def test_a_resource_of_others_is_never_changed(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """IstioCNI can only be called `default`: there is one in a cluster."""
    easy(helm)
    kube.objects[CNI, "", "default"] = {"metadata": {"name": "default"}, "spec": {"namespace": "elsewhere"}}
    line = "IstioCNI default is there already and not of this run: sail cannot be put in beside it"
    with pytest.raises(InstallerError, match=f"^{line}$"):
        do(where, spec)
    Sail().uninstall(where, spec)
    assert kube.objects[CNI, "", "default"]["spec"] == {"namespace": "elsewhere"}


def test_a_late_resource_is_told_with_its_condition(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Its type, status, reason and message, as the operator wrote them."""
    easy(helm)
    kube.broken["Istio"] = NOT_READY
    with pytest.raises(
        NotInTime,
        match=r"^Istio default to be ready: not within 1 s \(.* s\); last: Ready=False \(IstiodNotReady\): "
        r"not all istiod pods are ready$",
    ):
        do(where, spec)


def test_a_resource_that_nobody_looks_at_is_told(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """An operator that does not work writes no condition at all."""
    easy(helm)
    kube.broken["ZTunnel"] = {}
    with pytest.raises(NotInTime, match=r"^ZTunnel default to be ready: .*last: no condition Reconciled$"):
        do(where, spec)


def test_a_resource_that_never_goes_is_told_with_its_finalizers(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Nothing after it is touched, so that a later cleanup can go on."""
    easy(helm)
    do(where, spec)
    kube.finished = lambda kube, item: item["kind"] != "ZTunnel" and taken_back(kube, item)
    with pytest.raises(NotInTime, match=r"sailoperator\.io/sail-operator"):
        Sail().uninstall(where, spec)
    assert {"default", "sail-operator", "istio-system", "ztunnel"} <= left(kube)


def test_others_in_the_mesh_keep_it(kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """Refused with their names; everything stays."""
    easy(helm)
    do(where, spec)
    before = left(kube)
    meta = {"name": "shop", "labels": {"istio.io/dataplane-mode": "ambient"}}
    kube.objects["v1/Namespace", "", "shop"] = {"metadata": meta}
    with pytest.raises(InstallerError, match=r"stays, others use it: namespace shop"):
        Sail().uninstall(where, spec)
    assert before <= left(kube)


def test_a_cluster_of_our_own_needs_no_undoing(kube: World, tmp_path: Path, spec: MeshSpec) -> None:
    """It goes as a whole; on any other the first step takes everything back."""
    mine, theirs = (Sail().steps(target(kube, tmp_path, owned=owned), spec) for owned in (True, False))
    assert [step.undo for group in mine for step in group] == [None] * 3
    assert theirs[0][0].undo is not None


def test_a_mesh_that_is_there_is_used_as_it_is(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Nothing is made, and nothing will be removed."""
    for item in resources(where, spec, operator("1.30.3")):
        kube.apply(item)
    before = dict(kube.objects)
    do(where, spec)
    Sail().uninstall(where, spec)
    assert kube.objects.keys() == before.keys()
    assert helm.lines("helm") == []
    assert sail.NAME == "default"
