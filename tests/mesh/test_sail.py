"""Sail: which operator for which Istio, what is applied in which order, what is waited for, what is left at the end."""

import re
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.errors import InstallerError, Misuse, NotInTime
from pytest_ambient.mesh import releases, sail, sail_operator
from pytest_ambient.mesh.installer import MeshSpec, find
from pytest_ambient.mesh.landed import CRD
from pytest_ambient.mesh.sail import Sail, operator, resources
from tests.doubles import Doubles
from tests.mesh.operated import HEALTHY, Operated, OperatedTarget, control_plane, daemonset, deployment, target

ISTIO, CNI, ZTUNNEL = (f"sailoperator.io/v1/{kind}" for kind in ("Istio", "IstioCNI", "ZTunnel"))
MINE = "pytest-ambient/run"
ANY = "--deployed --failed --pending --uninstalled --uninstalling"
WHERE = r"--namespace sail-operator --kubeconfig \S+/kubeconfig --kube-context ctx"
LABELLED = f"--labels {MINE}=r1"
FINALIZER = "sailoperator.io/sail-operator"
NOT_READY = {
    "state": "IstiodNotReady",
    "conditions": [
        {"type": "Reconciled", "status": "True"},
        {"type": "Ready", "status": "False", "reason": "IstiodNotReady", "message": "not all istiod pods are ready"},
    ],
}


class World(Operated):
    """A cluster whose Sail operator is there while Helm has put it in, or `others` did."""

    helm: Doubles
    others = ""
    broken: dict[str, Any]
    """Statuses by kind that stay as they are."""

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[dict[str, Any]]:
        """With the operator's Deployment, where it is."""
        lines = self.helm.lines("helm")
        last = next((line.split()[0] for line in reversed(lines) if line.split()[0] in ("upgrade", "uninstall")), "")
        self.objects.pop(("apps/v1/Deployment", "sail-operator", "sail-operator"), None)
        if last == "upgrade":
            deployment(self, "sail-operator", "sail-operator", "quay.io/sail-dev/sail-operator:1.30.3")
            for name in ("istios", "istiocnis", "ztunnels"):
                crd = {"metadata": {"name": f"{name}.sailoperator.io"}, "spec": {"group": "sailoperator.io"}}
                self.objects.setdefault((CRD, "", f"{name}.sailoperator.io"), crd)
        return super().list(kind, namespace, labels, fields)

    def operates(self) -> bool:
        """Whether an operator runs."""
        return any(item["metadata"]["name"] == "sail-operator" for item in self.list("apps/v1/Deployment"))


def reconciled(kube: Operated, item: dict[str, Any]) -> None:
    """What the operator does for each resource of its own."""
    assert isinstance(kube, World)
    kind, spec = item["kind"], item.get("spec") or {}
    if item["apiVersion"].partition("/")[0] != "sailoperator.io":
        return
    key = (f"{item['apiVersion']}/{kind}", "", "default")
    kube.objects[key]["metadata"]["finalizers"] = [FINALIZER]
    kube.objects[key]["status"] = kube.broken.get(kind, HEALTHY)
    version, namespace = spec["version"].removeprefix("v"), spec["namespace"]
    if kind == "Istio":
        control_plane(kube, namespace, version)
    elif kind == "IstioCNI":
        label = ("k8s-app", "istio-cni-node")
        daemonset(kube, namespace, "istio-cni-node", f"registry.istio.io/release/install-cni:{version}", label)
    else:
        daemonset(kube, namespace, "ztunnel", f"registry.istio.io/release/ztunnel:{version}", ("app", "ztunnel"))


def taken_back(kube: Operated, item: dict[str, Any]) -> bool:
    """A finalizer goes while an operator runs, and what was made goes before it."""
    assert isinstance(kube, World)
    if not kube.operates():
        return False
    for key in [key for key in kube.objects if key[0].startswith("apps/") and key[1] == item["spec"]["namespace"]]:
        del kube.objects[key]
    return True


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """A double of Helm that pulls, installs and uninstalls without complaint; there is no release before."""
    (tmp_path / "bin").mkdir()
    made = Doubles(tmp_path / "bin")
    monkeypatch.setenv("PATH", made.path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made.answer("helm", r"version --template \{\{\.Version\}\}", "v3.19.0")
    return made


def easy(helm: Doubles) -> None:
    """Whatever was not answered otherwise goes well."""
    helm.answer("helm", rf"list {ANY} --filter \^sail-operator\$ --output json( --selector {MINE}=r1)? {WHERE}", "[]")
    pull = rf"pull sail-operator --repo {re.escape(sail_operator.REPOSITORY)} --version 1\.30\.3 --destination (\S+)"
    helm.answer("helm", pull, files={r"\1/sail-operator-1.30.3.tgz": "chart"})
    helm.answer(
        "helm",
        r"upgrade --install sail-operator \S+/sail-operator-1\.30\.3\.tgz --values \S+/sail-operator-values\.json "
        rf"--wait --timeout 10s {WHERE} {LABELLED}".replace(f" {WHERE} {LABELLED}", f" {LABELLED} {WHERE}"),
    )
    helm.answer("helm", rf"uninstall sail-operator --ignore-not-found --wait --timeout 10s {WHERE}")


@pytest.fixture
def kube(helm: Doubles) -> World:
    """A cluster with nothing in it."""
    made = World(applied=reconciled, finished=taken_back)
    made.helm, made.broken = helm, {}
    return made


@pytest.fixture
def where(kube: World, tmp_path: Path) -> OperatedTarget:
    """A cluster that this run does not own."""
    return target(kube, tmp_path)


@pytest.fixture
def spec(tmp_path: Path) -> MeshSpec:
    """Istio 1.30.3, with little patience."""
    (tmp_path / "run").mkdir()
    return MeshSpec("1.30.3", tmp_path / "run", within=1)


def do(where: OperatedTarget, spec: MeshSpec) -> None:
    """All steps, one after another."""
    for group in Sail().steps(where, spec):
        for step in group:
            step.do()


def left(kube: World) -> set[str]:
    """Names of namespaces, of the operator's CRDs and of its resources."""
    kube.list("v1/Namespace")
    wanted = ("v1/Namespace", CRD, ISTIO, CNI, ZTUNNEL)
    return {name for kind, _, name in kube.objects if kind in wanted and not name.endswith(".istio.io")}


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


def planned(kube: Operated, item: dict[str, Any]) -> None:
    """What OLM does with a Subscription, once its plan is approved."""
    reconciled(kube, item)
    if item["kind"] == "Subscription":
        spec = {"clusterServiceVersionNames": [item["spec"]["startingCSV"]], "approved": False}
        kube.objects[sail_operator.PLAN, "sail-operator", "install-x"] = {
            "metadata": {"name": "install-x"},
            "spec": spec,
        }
        csv = {
            "metadata": {"name": "sailoperator.v1.30.3", "namespace": "sail-operator"},
            "status": {"phase": "Succeeded"},
        }
        kube.objects[sail_operator.CSV, "sail-operator", "sailoperator.v1.30.3"] = csv
        deployment(kube, "sail-operator", "sail-operator-by-olm", "quay.io/sail-dev/sail-operator:1.30.3")


@pytest.fixture
def openshift(kube: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OperatedTarget:
    """An OpenShift, on which OLM does Helm's work."""
    monkeypatch.setattr(sail_operator, "NAMES", ("sail-operator-by-olm",))
    kube.applied = planned
    return target(kube, tmp_path, platform="openshift")


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
