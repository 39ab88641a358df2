"""Settings in the words of clusters and meshes."""

from pathlib import Path

import pytest

from pytest_ambient import _bringup
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import ProviderError
from pytest_ambient.mesh.images import Image
from pytest_ambient.settings import Settings, settle
from pytest_ambient.testing import FakeProvider, ManualClock, fake_provider

CLUSTER = Cluster("c", Path("k"), "ctx", True, "fake", cni_bin_dir="/bin", platform="k3d")


def settings(*arguments: str) -> Settings:
    """What the words `installer=helm` and their like make of it."""
    said = dict(argument.split("=", 1) for argument in arguments)
    return settle({f"ambient_{name}": value for name, value in said.items()}, {}, {}, Path())


@pytest.mark.parametrize(
    ("said", "meshed", "name"),
    [
        (("cluster=kind",), False, "istioctl"),
        (("cluster=kind", "installer=helm"), False, "helm"),
        (("cluster=kind", "installer=none"), False, "none"),
        (("cluster=existing",), False, "none"),
        (("cluster=existing", "installer=sail"), False, "sail"),
        (("cluster=embedded",), True, "none"),
    ],
)
def test_a_cluster_that_is_created_without_a_mesh_gets_one(
    tmp_path: Path, said: tuple[str, ...], meshed: bool, name: str
) -> None:
    """By istioctl, unless somebody says otherwise; an existing one gets none."""
    assert _bringup.installer(settings(*said), FakeProvider(tmp_path, meshed=meshed)) == name


def test_the_mesh_is_what_the_settings_say(tmp_path: Path) -> None:
    """All of it; a version has its patch, and without one it is that of the release at hand or the newest."""
    bare = FakeProvider(tmp_path, meshed=False)
    said = (
        "cluster=kind", "installer=helm", "istio_version=1.29.4", "dataplane=kmesh", "addons=kiali,prometheus",
        "gateway_api=experimental", "hub=mirror.example/x", "timeout=installer=7", f"istio_dir={tmp_path}",
    )  # fmt: skip
    one = _bringup.installation(settings(*said), bare, tmp_path / "mesh")
    assert one is not None
    assert (one.installer, one.addons) == ("helm", ("kiali", "prometheus"))
    spec = one.spec
    assert (spec.version, spec.dataplane, spec.gateway_api) == ("1.29.4", "kmesh", "experimental")
    assert (spec.hub, spec.within, spec.release, spec.folder) == ("mirror.example/x", 7, tmp_path, tmp_path / "mesh")
    chart = tmp_path / "manifests" / "charts" / "base" / "Chart.yaml"
    chart.parent.mkdir(parents=True)
    chart.write_text("name: base\nversion: 1.28.3\n")
    one = _bringup.installation(settings("cluster=kind", f"istio_dir={tmp_path}"), bare, tmp_path)
    assert one is not None
    assert one.spec.version == "1.28.3"
    newest = _bringup.installation(settings("cluster=kind", "istio_version=1.28"), bare, tmp_path)
    assert newest is not None
    assert newest.spec.version.startswith("1.28.")
    assert _bringup.installation(settings("cluster=existing"), bare, tmp_path) is None
    addons = _bringup.installation(settings("cluster=existing", "addons=kiali"), bare, tmp_path)
    assert addons is not None
    assert (addons.installer, addons.words) == ("none", "kiali")


def test_installers_see_the_cluster_and_a_label_of_their_own() -> None:
    """The label outlives the namespaces of the run; what was read from the nodes is handed on."""
    seen = _bringup.target(CLUSTER, "r1", print)
    assert (seen.run, seen.owned, seen.context) == ("r1-mesh", True, "ctx")
    assert (seen.platform, seen.cni_bin_dir, seen.cni_conf_dir) == ("k3d", "/bin", "")


def test_nothing_is_installed_where_nothing_may_be_written(tmp_path: Path) -> None:
    """In the words of who found that out."""
    with fake_provider(tmp_path / "diary", name="existing") as fake:
        fake.meshed = False
        made = _bringup.plan(
            settings("cluster=existing", "installer=helm", "istio_version=1.30.3"),
            ClusterSpec("c", tmp_path),
            "r1",
            print,
        )
        with pytest.raises(ProviderError, match=r"^Istio 1\.30\.3 \(helm\) cannot be installed: may only read$"):
            made.then(Cluster("c", tmp_path, "c", False, "existing", read_only="may only read"))


IMAGES = [Image("docker.io/istio/pilot", "1", ""), Image("docker.io/istio/ztunnel", "1", "")]


def test_what_this_machine_has_is_loaded_and_the_rest_is_one_line(tmp_path: Path) -> None:
    """The first that is missing, and why."""
    told: list[str] = []
    fake = FakeProvider(tmp_path / "diary", host=("docker.io/istio/pilot:1",))
    _bringup.preload(IMAGES, CLUSTER, fake, told.append, 10)
    assert fake.asked() == ["load_image", "load_image"]
    assert told == [
        "the nodes pull 1 of 2 images themselves, docker.io/istio/ztunnel:1 among them: "
        "docker.io/istio/ztunnel:1 is not on this machine"
    ]


def test_loading_ends_in_time(tmp_path: Path) -> None:
    """The nodes are quicker then."""
    told: list[str] = []
    clock = ManualClock()
    fake = FakeProvider(tmp_path / "diary")
    fake.load_image = lambda cluster, image: clock.sleep(20)  # type: ignore[method-assign]  # slow
    _bringup.preload(IMAGES, CLUSTER, fake, told.append, 10, clock)
    assert told == [
        "the nodes pull 1 of 2 images themselves, docker.io/istio/ztunnel:1 among them: not all within 10 s"
    ]
