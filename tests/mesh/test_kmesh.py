"""Kmesh beside an istiod: which goes with which Istio, what its chart is told, what is refused, what is left."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.errors import FetchFailed, InstallerError, Misuse, NotInTime
from pytest_ambient.mesh import kmesh
from pytest_ambient.mesh.installer import MeshSpec, find
from pytest_ambient.mesh.planes import beyond, remove_beyond
from tests.doubles import Doubles, alone
from tests.mesh.operated import Operated, OperatedTarget, control_plane, daemonset, target

MINE = "pytest-ambient/run"
ANY = "--deployed --failed --pending --uninstalled --uninstalling"
WHERE = r"--namespace kmesh-system --kubeconfig \S+/kubeconfig --kube-context ctx"
LIST = rf"list {ANY} --filter \^kmesh\$ --output json( --selector {MINE}=r1)? {WHERE}"
UPGRADE = (
    r"upgrade --install kmesh \S+/kmesh-helm-v1\.2\.0\.tgz --values \S+/kmesh-values\.json --wait --timeout 10s "
    rf"--labels {MINE}=r1 {WHERE}"
)
REGISTRY = r"pull oci://ghcr\.io/kmesh-net/kmesh-helm --version v1\.2\.0 --destination (\S+)"
ARCHIVE = (
    r"pull https://github\.com/kmesh-net/kmesh/releases/download/v1\.2\.0/kmesh-helm-v1\.2\.0\.tgz --destination (\S+)"
)
NODE = {"metadata": {"name": "node-a"}, "spec": {}, "status": {"nodeInfo": {"kernelVersion": "6.1.0-18-amd64"}}}


class World(Operated):
    """A cluster on which Kmesh runs while Helm has put it in."""

    helm: Doubles
    ready = True

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[dict[str, Any]]:
        """With Kmesh's DaemonSet, where it is."""
        verbs = [line.split()[0] for line in self.helm.lines("helm")]
        if [verb for verb in verbs if verb in ("upgrade", "uninstall")][-1:] == ["upgrade"]:
            daemonset(self, "kmesh-system", "kmesh", "ghcr.io/kmesh-net/kmesh:v1.2.0", ("app", "kmesh"))
            status = self.objects["apps/v1/DaemonSet", "kmesh-system", "kmesh"]["status"]
            status["numberReady"] = int(self.ready)
        return super().list(kind, namespace, labels, fields)


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """A double of Helm with nothing installed."""
    made = alone(tmp_path, monkeypatch)
    made.answer("helm", r"version --template \{\{\.Version\}\}", "v3.19.0")
    made.answer("helm", LIST, "[]")
    made.answer("helm", UPGRADE)
    made.answer("helm", rf"uninstall kmesh --ignore-not-found --wait --timeout 10s {WHERE}")
    return made


@pytest.fixture
def kube(helm: Doubles) -> World:
    """A cluster with an istiod."""
    made = World()
    made.helm = helm
    made.objects["v1/Node", "", "node-a"] = dict(NODE)
    control_plane(made, "istio-system", "1.26.4")
    return made


@pytest.fixture
def spec(tmp_path: Path) -> MeshSpec:
    """Istio 1.26.4 with Kmesh, and little patience."""
    (tmp_path / "run").mkdir()
    return MeshSpec("1.26.4", tmp_path / "run", dataplane="kmesh", within=1)


def do(where: OperatedTarget, spec: MeshSpec) -> None:
    """All steps."""
    for group in beyond(where, spec):
        for step in group:
            step.do()


def pulled(helm: Doubles, line: str = REGISTRY) -> None:
    """The chart is to be had there."""
    helm.answer("helm", line, files={r"\1/kmesh-helm-1.2.0.tgz": "chart"})


@pytest.mark.parametrize(
    ("istio", "wanted"), [("1.23.4", "v1.1.0"), ("1.24.6", "v1.2.0"), ("1.25.5", "v1.2.0"), ("1.26.8", "v1.2.0")]
)
def test_the_newest_kmesh_that_goes_with_an_istio_is_chosen(istio: str, wanted: str) -> None:
    """By the table of what each was tested with or documented for."""
    assert kmesh.row_for(istio).version == wanted


def test_an_istio_that_no_kmesh_goes_with_is_a_mistake(tmp_path: Path, helm: Doubles, spec: MeshSpec) -> None:
    """In one line, with the pair that is known."""
    kmesh.check(spec)
    line = (
        "no Kmesh that is known here goes with Istio 1.30.3: v1.2.0, the newest, is for 1.24 to 1.26; "
        "choose one with --ambient-istio-version"
    )
    with pytest.raises(Misuse, match=f"^{re.escape(line)}$"):
        kmesh.check(MeshSpec("1.30.3", tmp_path, dataplane="kmesh"))


def test_helm_is_needed(spec: MeshSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before anything is made, also where istioctl installs the rest; an old one is none."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Misuse, match=r"^--ambient-dataplane=kmesh needs helm on PATH: https://helm\.sh/"):
        kmesh.check(spec)


def test_an_old_helm_is_none(spec: MeshSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not label its releases."""
    (tmp_path / "old").mkdir()
    old = Doubles(tmp_path / "old")
    old.answer("helm", r"version .*", "v3.12.1")
    monkeypatch.setenv("PATH", old.path)
    with pytest.raises(Misuse, match=r"^helm on PATH is v3\.12\.1, wanted 3\.13 or newer$"):
        kmesh.check(spec)


@pytest.mark.parametrize("name", ["istioctl", "helm", "argocd"])
def test_every_installer_of_istiod_refuses_a_pair_that_does_not_go(name: str, tmp_path: Path, helm: Doubles) -> None:
    """Before a cluster is made for it."""
    with pytest.raises(Misuse, match=r"^no Kmesh that is known here goes with Istio 1\.30\.3: "):
        find(name).check(MeshSpec("1.30.3", tmp_path, dataplane="kmesh"))


def test_ztunnel_needs_nothing_beyond_istio(where: OperatedTarget, tmp_path: Path) -> None:
    """It is a part of it."""
    assert beyond(where, MeshSpec("1.30.3", tmp_path)) == ()
    remove_beyond(where, MeshSpec("1.30.3", tmp_path))


def test_the_chart_is_told_what_it_leaves_open(where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """Image and tag, istiod's address, the form of its EnvoyFilters; in a namespace of the run's own."""
    pulled(helm)
    assert [step.name for group in beyond(where, spec) for step in group] == ["kmesh v1.2.0"]
    do(where, spec)
    assert json.loads((spec.folder / "kmesh-values.json").read_text()) == {
        "deploy": {
            "kmesh": {
                "image": {"repository": "ghcr.io/kmesh-net/kmesh", "tag": "v1.2.0"},
                "containers": {"kmeshDaemonArgs": "--mode=dual-engine --enable-bypass=false"},
                "env": {"xdsAddress": "istiod.istio-system.svc:15012"},
            }
        },
        "envoyFilter": {"useLegacyFormat": True},
        "features": {"dnsProxy": {"enabled": True}},
    }
    labels = where.cluster.labels("v1/Namespace", "kmesh-system")
    assert labels[MINE] == "r1"
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
    assert helm.calls("helm")[-1].env["HELM_CACHE_HOME"].startswith(str(spec.folder))


def test_newer_istios_take_the_newer_form_of_envoy_filters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the minor on that the table names."""
    row = kmesh.Row("v1.3.0", ("1.26", "1.28"), ("1.30", "1.34"), "1.26")
    monkeypatch.setattr(kmesh, "rows", lambda: (row,))
    told = {
        version: kmesh.chart_values(MeshSpec(version, tmp_path))["envoyFilter"]["useLegacyFormat"]
        for version in ("1.26.8", "1.27.0", "1.28.10")
    }
    assert told == {"1.26.8": True, "1.27.0": False, "1.28.10": False}


def test_images_come_from_the_mirror(tmp_path: Path) -> None:
    """Under their last name."""
    values = kmesh.chart_values(MeshSpec("1.26.4", tmp_path, hub="mirror.example/x/"))
    assert values["deploy"]["kmesh"]["image"]["repository"] == "mirror.example/x/kmesh"


def test_the_release_page_stands_in_for_the_registry(where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """Where only one of them can be reached; a second run needs neither."""
    helm.answer("helm", REGISTRY, status=1, stderr="Error: dial tcp: lookup ghcr.io: no such host")
    pulled(helm, ARCHIVE)
    do(where, spec)
    do(where, spec)
    assert len([line for line in helm.lines("helm") if line.startswith("pull")]) == 2


def test_a_chart_that_is_nowhere_is_told(where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """With what each source said, and the way out."""
    helm.answer("helm", REGISTRY, status=1, stderr="Error: no such host")
    helm.answer("helm", ARCHIVE, status=1, stderr="Error: 404 Not Found")
    with pytest.raises(
        FetchFailed,
        match=r"exit 1: no such host; helm pull .*exit 1: 404 Not Found; offline, put "
        r"kmesh-helm-v1\.2\.0\.tgz into the folder that --ambient-istio-dir names$",
    ):
        do(where, spec)


def test_a_local_chart_needs_no_network(
    kube: World, where: OperatedTarget, helm: Doubles, spec: MeshSpec, tmp_path: Path
) -> None:
    """As a folder, too."""
    chart = tmp_path / "release" / "charts" / "kmesh-helm"
    chart.mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: kmesh-helm\n")
    helm.answer("helm", UPGRADE.replace(r"\S+/kmesh-helm-v1\.2\.0\.tgz", re.escape(str(chart))))
    do(where, MeshSpec("1.26.4", spec.folder, dataplane="kmesh", release=tmp_path / "release", within=1))
    assert not [line for line in helm.lines("helm") if line.startswith("pull")]


@pytest.mark.parametrize(
    ("node", "told", "line"),
    [
        ("4.18.0-553.el8_10.x86_64", {}, "node node-a has Linux 4.18.0-553.el8_10.x86_64, wanted 5.10 or newer"),
        ("6.1.0", {"cni_bin_dir": "/bin"}, "the nodes keep CNI in /bin, and its chart knows /opt/cni/bin only"),
        ("6.1.0", {"cni_conf_dir": "/x"}, "the nodes keep CNI in /x, and its chart knows /etc/cni/net.d only"),
    ],
)
def test_a_cluster_that_cannot_have_it_is_told_why(
    kube: World, spec: MeshSpec, helm: Doubles, tmp_path: Path, node: str, told: dict[str, str], line: str
) -> None:
    """Before anything is made."""
    kube.objects["v1/Node", "", "node-a"] = {**NODE, "status": {"nodeInfo": {"kernelVersion": node}}}
    with pytest.raises(InstallerError, match=f"^Kmesh cannot run here: {re.escape(line)}$"):
        do(target(kube, tmp_path, **told), spec)
    assert helm.lines("helm") == []


def test_a_node_without_it_is_told(kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """Helm may be content before every node has it."""
    pulled(helm)
    kube.ready = False
    with pytest.raises(NotInTime, match=r"^Kmesh to be on every node: .*last: kmesh in kmesh-system: 0 of 1 ready$"):
        do(where, spec)


def test_helms_failure_is_told_in_one_line(
    where: OperatedTarget, spec: MeshSpec, tmp_path: Path, helm: Doubles
) -> None:
    """With the command."""
    pulled(helm)
    (helm.folder / "helm.json").write_text("[]")
    helm.answer("helm", LIST, "[]")
    pulled(helm)
    helm.answer("helm", UPGRADE, status=1, stderr="Error: UPGRADE FAILED:\n context deadline exceeded\n")
    with pytest.raises(InstallerError, match=r"^helm upgrade .*: exit 1: UPGRADE FAILED: context deadline exc"):
        do(where, spec)


def test_somebody_elses_kmesh_is_used_and_left(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Wherever it is; nothing is made or removed."""
    daemonset(kube, "kmesh-system", "kmesh", "ghcr.io/kmesh-net/kmesh:v1.1.0", ("app", "kmesh"))
    kube.objects["v1/Namespace", "", "kmesh-system"] = {"metadata": {"name": "kmesh-system"}}
    said: list[str] = []
    object.__setattr__(where, "say", said.append)
    do(where, spec)
    kmesh.uninstall(where, spec)
    assert said == ["Kmesh is there already and used as it is: nothing is installed, and nothing will be removed"]
    assert helm.lines("helm") == []
    assert ("v1/Namespace", "", "kmesh-system") in kube.objects


def test_an_empty_namespace_of_others_is_never_taken(kube: World, where: OperatedTarget, spec: MeshSpec) -> None:
    """Refused in one line."""
    kube.objects["v1/Namespace", "", "kmesh-system"] = {"metadata": {"name": "kmesh-system"}}
    with pytest.raises(InstallerError, match=r"^Namespace kmesh-system is there already and not of this run"):
        do(where, spec)


def test_it_goes_once_its_pods_have_left_the_mesh(
    kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles
) -> None:
    """Un-enrolled first, then the release, then the namespace; twice is fine."""
    pulled(helm)
    do(where, spec)
    labels = {MINE: "r1", "istio.io/dataplane-mode": "Kmesh"}
    kube.objects["v1/Namespace", "", "shop"] = {"metadata": {"name": "shop", "labels": labels}}
    kmesh.uninstall(where, spec)
    assert "istio.io/dataplane-mode" not in kube.labels("v1/Namespace", "shop")
    assert helm.lines("helm")[-1].startswith("uninstall kmesh ")
    assert ("v1/Namespace", "", "kmesh-system") not in kube.objects
    count = len(helm.lines("helm"))
    kmesh.uninstall(where, spec)
    assert len(helm.lines("helm")) == count


def test_others_in_the_mesh_keep_it(kube: World, where: OperatedTarget, spec: MeshSpec, helm: Doubles) -> None:
    """Their pods would lose their network policy without a word."""
    pulled(helm)
    do(where, spec)
    meta = {"name": "theirs", "labels": {"istio.io/dataplane-mode": "Kmesh"}}
    kube.objects["v1/Namespace", "", "theirs"] = {"metadata": meta}
    with pytest.raises(
        InstallerError, match=r"^Kmesh of run r1 stays, others use the mesh: namespace theirs; take them"
    ):
        kmesh.uninstall(where, spec)
    assert ("v1/Namespace", "", "kmesh-system") in kube.objects
