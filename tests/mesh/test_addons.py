"""Addons: where they go, whose they are, what is left alone, and that nothing stays behind."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_ambient.errors import InstallerError, Misuse, NotInTime
from pytest_ambient.mesh import addons, tracing
from pytest_ambient.mesh.addons import steps, uninstall
from tests.mesh.fake_mesh import MESH, Cluster, spec, target

TELEMETRY = ("telemetry.istio.io/v1/Telemetry", "istio-system", "pytest-ambient-tracing")


def install(cluster: Cluster, folder: Path, names: Sequence[str], run: str = "r1", **more: object) -> None:
    """Do all steps."""
    for group in steps(target(cluster, run), spec(folder, **more), names):  # type: ignore[arg-type]  # as the test says
        for step in group:
            step.do()


def added(cluster: Cluster) -> set[tuple[str, str, str]]:
    """What is in the cluster beside istiod and its configuration."""
    there = {("apps/v1/Deployment", "istiod"), ("v1/ConfigMap", "istio")}
    return {key for key in cluster.objects if (key[0], key[2]) not in there}


def test_addons_go_side_by_side_under_their_names(tmp_path: Path) -> None:
    """One group; nothing is done before it is asked for, and nothing at all for no names."""
    cluster = Cluster()
    (group,) = steps(target(cluster), spec(tmp_path), ("prometheus", "kiali", "kiali"))
    assert [step.name for step in group] == ["addon prometheus", "addon kiali"]
    assert added(cluster) == set()
    assert steps(target(cluster), spec(tmp_path), ()) == []


def test_an_unknown_addon_is_a_mistake(tmp_path: Path) -> None:
    """The known ones are listed."""
    with pytest.raises(Misuse) as told:
        steps(target(Cluster()), spec(tmp_path), ("kiali", "zipkin"))
    assert str(told.value) == "unknown addon 'zipkin', known are grafana, jaeger, kiali, metallb, prometheus"


def test_all_that_is_made_says_whose_it_is(tmp_path: Path) -> None:
    """Cluster-wide objects too; the sample's own labels stay, and fields that a cluster does not know are no matter."""
    cluster = Cluster()
    install(cluster, tmp_path, ("kiali",))
    assert {kind for kind, _, _ in added(cluster)} == {
        "v1/Service", "apps/v1/Deployment", "rbac.authorization.k8s.io/v1/ClusterRole",
    }  # fmt: skip
    for key in added(cluster):
        labels = cluster.objects[key]["metadata"]["labels"]
        assert (labels["pytest-ambient/run"], labels["pytest-ambient/part"]) == ("r1", "addon-kiali")
    role = cluster.objects["rbac.authorization.k8s.io/v1/ClusterRole", "", "kiali"]
    assert role["metadata"]["labels"]["app"] == "kiali"
    assert cluster.managers == {"pytest-ambient-install"}
    assert cluster.strict == {False}


def test_addons_live_beside_istiod(tmp_path: Path) -> None:
    """Wherever it is: every mention of the samples' namespace is rewritten, addresses in arguments included."""
    cluster = Cluster(root="mesh-root")
    install(cluster, tmp_path, ("kiali",))
    deployment = cluster.objects["apps/v1/Deployment", "mesh-root", "kiali"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["args"] == ["http://prometheus.mesh-root:9090"]
    assert not [key for key in cluster.objects if key[1] == "istio-system"]


def test_images_come_from_the_mirror(tmp_path: Path) -> None:
    """By the same rule as everywhere."""
    cluster = Cluster()
    install(cluster, tmp_path, ("grafana",), hub="mirror.example/x")
    pod = cluster.objects["apps/v1/Deployment", "istio-system", "grafana"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "mirror.example/x/grafana:1"


def test_without_istiod_there_is_nothing_to_add_to(tmp_path: Path) -> None:
    """One line that says what was looked for."""
    cluster = Cluster()
    del cluster.objects["apps/v1/Deployment", "istio-system", "istiod"]
    with pytest.raises(InstallerError, match="there is no istiod: no Deployment with label app=istiod"):
        install(cluster, tmp_path, ("kiali",))
    uninstall(target(cluster), spec(tmp_path))


def test_an_addon_that_never_comes_is_named_with_its_reason(tmp_path: Path) -> None:
    """The reason of its pod's container."""
    cluster = Cluster()
    cluster.late.add("kiali")
    meta = {"name": "kiali-1", "namespace": "istio-system", "labels": {"app": "kiali"}}
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    cluster.objects["v1/Pod", "istio-system", "kiali-1"] = {
        "metadata": meta, "status": {"containerStatuses": [{"state": state}]},
    }  # fmt: skip
    told = (
        r"addon kiali to be ready: not within 0.1 s .*last: Deployment istio-system/kiali: 0 of 1 ready "
        r"\(ImagePullBackOff: no such image\)"
    )
    with pytest.raises(NotInTime, match=told):
        install(cluster, tmp_path, ("kiali",), within=0.1)


def test_an_addon_of_others_is_left_as_it_is(tmp_path: Path) -> None:
    """It is used as it is, and stays when the run's own things go."""
    cluster = Cluster()
    install(cluster, tmp_path, ("kiali",), run="r0")
    before = dict(cluster.objects)
    install(cluster, tmp_path, ("kiali",))
    assert cluster.objects == before
    uninstall(target(cluster), spec(tmp_path))
    assert cluster.objects == before


def test_nothing_is_written_over_what_others_have(tmp_path: Path) -> None:
    """One object of another's in the way is told by name."""
    cluster = Cluster()
    cluster.objects["v1/Service", "istio-system", "kiali"] = {"metadata": {"name": "kiali"}}
    with pytest.raises(InstallerError) as told:
        install(cluster, tmp_path, ("kiali",))
    assert str(told.value) == (
        "Service istio-system/kiali is there already and not of this run: addon-kiali cannot be put in beside it"
    )


def test_undoing_takes_all_of_it_and_no_more(tmp_path: Path) -> None:
    """A step's undo removes its own addon alone; uninstalling removes the rest, without a release at hand."""
    cluster = Cluster()
    (group,) = steps(target(cluster), spec(tmp_path), ("kiali", "jaeger", "prometheus"))
    for step in group:
        step.do()
    assert group[0].undo is not None
    group[0].undo()
    assert {name for _, _, name in added(cluster)} == {"jaeger", "prometheus", "pytest-ambient-tracing"}
    cluster.unknown.add("metallb.io/v1beta1/IPAddressPool")
    bare = spec(tmp_path / "elsewhere")
    uninstall(target(cluster, "another"), bare)
    assert added(cluster)
    uninstall(target(cluster), bare)
    assert added(cluster) == set()
    uninstall(target(cluster), bare)


def test_installing_again_is_no_mistake(tmp_path: Path) -> None:
    """The run's own things are applied over."""
    cluster = Cluster()
    install(cluster, tmp_path, ("jaeger", "kiali"))
    before = dict(cluster.objects)
    install(cluster, tmp_path, ("jaeger", "kiali"))
    assert cluster.objects == before


def test_jaeger_gets_the_traces_of_the_whole_mesh(tmp_path: Path) -> None:
    """A provider in istiod's configuration, and a Telemetry of the root namespace that uses it."""
    cluster = Cluster()
    install(cluster, tmp_path, ("jaeger",))
    assert cluster.mesh() == (
        "accessLogFile: /dev/stdout\n"
        "rootNamespace: istio-system\n"
        "enableTracing: true\n"
        "extensionProviders:\n"
        "- name: jaeger\n"
        "  opentelemetry:\n"
        "    service: jaeger-collector.istio-system.svc.cluster.local\n"
        "    port: 4317\n"
    )
    tracings = cluster.objects[TELEMETRY]["spec"]["tracing"]
    assert tracings == [{"providers": [{"name": "jaeger"}], "randomSamplingPercentage": 100}]


def test_istiod_gets_its_configuration_back_to_the_letter(tmp_path: Path) -> None:
    """Comments and order included, when nobody else changed it; the notes go too."""
    text = "# by hand\nextensionProviders: [{name: mine}]\nenableTracing: false\n"
    cluster = Cluster(mesh=text)
    install(cluster, tmp_path, ("jaeger",))
    assert "name: jaeger" in cluster.mesh()
    uninstall(target(cluster, "another"), spec(tmp_path), ("jaeger",))
    assert "name: jaeger" in cluster.mesh()
    uninstall(target(cluster), spec(tmp_path), ("jaeger",))
    assert cluster.mesh() == text
    assert cluster.objects["v1/ConfigMap", "istio-system", "istio"]["metadata"]["annotations"] == {}


def test_what_others_changed_meanwhile_stays(tmp_path: Path) -> None:
    """Only the provider goes then."""
    cluster = Cluster()
    install(cluster, tmp_path, ("jaeger",))
    config = cluster.objects["v1/ConfigMap", "istio-system", "istio"]
    config["data"]["mesh"] += "trustDomain: td\n"
    uninstall(target(cluster), spec(tmp_path), ("jaeger",))
    assert cluster.mesh() == MESH + "enableTracing: true\ntrustDomain: td\n"


def test_a_provider_that_is_there_is_used(tmp_path: Path) -> None:
    """The configuration is not touched then."""
    text = "extensionProviders: [{name: jaeger, zipkin: {service: z, port: 1}}]"
    cluster = Cluster(mesh=text)
    install(cluster, tmp_path, ("jaeger",))
    assert cluster.mesh() == text
    uninstall(target(cluster), spec(tmp_path), ("jaeger",))
    assert cluster.mesh() == text


def test_which_configuration_is_istiods_must_be_clear(tmp_path: Path) -> None:
    """Two revisions in one namespace are one too many."""
    cluster = Cluster()
    meta = {"name": "istio-canary", "namespace": "istio-system"}
    cluster.objects["v1/ConfigMap", "istio-system", "istio-canary"] = {"metadata": meta, "data": {"mesh": ""}}
    told = "addon jaeger: one configuration of istiod is needed in istio-system, there are istio, istio-canary"
    with pytest.raises(InstallerError, match=told):
        install(cluster, tmp_path, ("jaeger",))
    assert tracing.without_provider("a: 1\n") == "a: 1\n"


def test_a_release_without_the_sample_is_told(tmp_path: Path) -> None:
    """By the file that was looked for."""
    wanted = spec(tmp_path)
    path = wanted.folder / "release" / "samples" / "addons" / "kiali.yaml"
    path.unlink()
    with pytest.raises(InstallerError, match=f"{path}: cannot be read: No such file or directory"):
        addons.read(path, "istio-system", None)
