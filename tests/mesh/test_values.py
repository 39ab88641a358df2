"""Istio's values by platform, data plane and mirror, in istioctl's form and in Helm's."""

from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.mesh import values
from pytest_ambient.mesh.installer import MeshSpec
from pytest_ambient.testing import FakeKube
from tests.mesh.landing import FakeTarget, spec, target

SPEC = spec(Path("f"))


def whole(owned: bool = False, **more: Any) -> FakeTarget:
    """A cluster."""
    return target(FakeKube(), owned=owned, **more)


def settings(one: FakeTarget, wanted: MeshSpec = SPEC) -> Any:
    """istioctl's values."""
    return values.operator(one, wanted)["spec"]["values"]


WAYPOINTS = {"seccompProfile": {"type": "RuntimeDefault"}}


def test_waypoints_may_run_where_pod_security_is_restricted() -> None:
    """Istio's own values leave them without a seccomp profile."""
    assert settings(whole())["gateways"] == WAYPOINTS
    assert values.charts(whole(), SPEC)["istiod"]["gateways"] == WAYPOINTS


def test_a_cluster_of_our_own_is_small() -> None:
    """Requests that fit a laptop and no autoscaler; in somebody's cluster Istio's own hold."""
    small = settings(whole(owned=True))
    assert small["pilot"] == {
        "autoscaleEnabled": False,
        "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}},
    }
    assert small["ztunnel"] == {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}}
    assert small["cni"] == {"resources": {"requests": {"cpu": "10m", "memory": "64Mi"}}}
    assert settings(whole()) == {"gateways": WAYPOINTS}
    charts = values.charts(whole(owned=True), SPEC)
    assert charts["ztunnel"]["resources"] == small["ztunnel"]["resources"]
    assert charts["cni"]["cni"] == small["cni"]
    assert charts["istiod"]["pilot"] == small["pilot"]


@pytest.mark.parametrize("platform", ["k3d", "k3s", "minikube", "gke"])
def test_a_platform_is_named_in_istios_words(platform: str) -> None:
    """For every chart that heeds it."""
    one = whole(platform=platform)
    assert settings(one)["global"] == {"platform": platform}
    charts = values.charts(one, SPEC)
    assert [name for name, made in charts.items() if made.get("global") == {"platform": platform}] == [
        "istiod",
        "cni",
        "ztunnel",
    ]


@pytest.mark.parametrize(("platform", "version"), [("", "1.30.3"), ("eks", "1.30.3"), ("gke", "1.24.6")])
def test_a_platform_without_a_profile_is_left_out(platform: str, version: str) -> None:
    """Istio refuses words that it does not know; it knows gke since 1.25."""
    assert "global" not in settings(whole(platform=platform), spec(Path("f"), version=version))


def test_folders_that_were_read_from_the_nodes_go_before_the_platforms() -> None:
    """k3d's own word points to a folder that newer images do not have."""
    one = whole(platform="k3d", cni_bin_dir="/bin/cni", cni_conf_dir="/conf", cni_netns_dir="/netns")
    wanted = {"cniBinDir": "/bin/cni", "cniConfDir": "/conf", "cniNetnsDir": "/netns"}
    assert settings(one)["cni"] == wanted
    assert values.charts(one, SPEC)["cni"]["cni"] == wanted


def test_openshift_has_a_profile_of_its_own() -> None:
    """What must be privileged lives in kube-system there."""
    one = whole(platform="openshift")
    assert values.operator(one, SPEC)["spec"]["profile"] == "openshift-ambient"
    assert values.daemons(one) == "kube-system"
    assert values.daemons(whole()) == "istio-system"


def test_images_come_from_the_mirror() -> None:
    """All of them, with one word for each form."""
    wanted = spec(Path("f"), hub="mirror.example/istio/")
    assert values.operator(whole(), wanted)["spec"]["hub"] == "mirror.example/istio"
    for name, made in values.charts(whole(), wanted).items():
        assert name == "base" or made["global"]["hub"] == "mirror.example/istio"


def test_ztunnel_has_its_name_whatever_its_release_is_called() -> None:
    """The chart of 1.25 would take the release's."""
    assert values.charts(whole(), SPEC)["ztunnel"]["resourceName"] == "ztunnel"


def test_every_chart_but_base_has_the_ambient_profile_and_waypoints_log() -> None:
    """Without the profile ztunnel would come with a shell, and istiod without ambient mode."""
    charts = values.charts(whole(), SPEC)
    assert list(charts) == ["base", "istiod", "cni", "ztunnel"]
    assert [made.get("profile", "") for made in charts.values()] == ["", "ambient", "ambient", "ambient"]
    assert charts["istiod"]["meshConfig"] == {"accessLogFile": "/dev/stdout"}


def test_kmesh_takes_istiod_alone() -> None:
    """In ambient mode, without CNI agent or ztunnel."""
    wanted = spec(Path("f"), dataplane="kmesh")
    made = values.operator(whole(owned=True), wanted)["spec"]
    assert made["profile"] == "minimal"
    assert made["values"]["pilot"]["env"] == {"PILOT_ENABLE_AMBIENT": "true"}
    assert set(made["values"]) == {"pilot", "gateways"}
    charts = values.charts(whole(), wanted)
    assert list(charts) == ["base", "istiod"]
    assert "profile" not in charts["istiod"]
    assert charts["istiod"]["pilot"] == {"env": {"PILOT_ENABLE_AMBIENT": "true"}}


def test_crds_of_others_are_left_out() -> None:
    """In both forms alike."""
    without = {"enableCRDTemplates": True, "excludedCRDs": ["a.istio.io"]}
    assert values.operator(whole(), SPEC, ["a.istio.io"])["spec"]["values"]["base"] == without
    assert values.charts(whole(), SPEC, ["a.istio.io"])["base"] == {"base": without}


def test_values_are_for_this_user_alone(tmp_path: Path) -> None:
    """They may say where a private mirror is."""
    path = values.write(tmp_path / "v.yaml", {"a": {"b": True}})
    assert path.read_text() == "a:\n  b: true\n"
    assert path.stat().st_mode & 0o777 == 0o600
