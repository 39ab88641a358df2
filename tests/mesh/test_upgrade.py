"""The version that a mesh goes to for a while: which it may be, what images it has, and why it is not gone to."""

from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh import upgrade
from pytest_ambient.mesh.asked import looked
from pytest_ambient.mesh.features import detect
from pytest_ambient.places import Places
from pytest_ambient.testing import FakeKube

HUB = "registry.example/release"
IMAGES = {
    "discovery": f"{HUB}/pilot:1.30.3-distroless",
    "install-cni": f"{HUB}/install-cni:1.30.3-distroless",
    "istio-proxy": f"{HUB}/ztunnel:1.30.3-distroless",
}
LABELS = {
    "discovery": {"app": "istiod"},
    "install-cni": {"k8s-app": "istio-cni-node"},
    "istio-proxy": {"app": "ztunnel"},
}
NAMES = {"discovery": "istiod", "install-cni": "istio-cni-node", "istio-proxy": "ztunnel"}


def mesh(strategy: str = "RollingUpdate", container: str = "", **images: str) -> Kube:
    """A cluster with the parts of a mesh; `images` by container, `-` as `_`."""
    kube = FakeKube()
    for name, image in (IMAGES | {key.replace("_", "-"): value for key, value in images.items()}).items():
        kind = "Deployment" if name == "discovery" else "DaemonSet"
        pods: dict[str, Any] = {"containers": [{"name": container or name, "image": image}]}
        kube.objects[f"apps/v1/{kind}", "istio-system", NAMES[name]] = {
            "metadata": {"name": NAMES[name], "namespace": "istio-system", "labels": LABELS[name]},
            "spec": {
                "template": {"metadata": {"labels": LABELS[name]}, "spec": pods},
                "updateStrategy": {"type": strategy},
            },
        }
    return cast(Kube, kube)


@pytest.mark.parametrize(
    ("runs", "to", "reason"),
    [
        ("1.30.3", "1.30.4", None),
        ("1.30.3", "1.30.2", None),
        ("1.31.0-rc.0", "1.31.0", None),
        (
            "1.30.3",
            "1.31.0",
            "1.31.0 is no patch of Istio 1.30: name another patch of 1.30, as images alone are changed (1.30.3 runs)",
        ),
        (
            "1.30.3",
            "1.30.3",
            "1.30.3 is the version that runs: name another patch of 1.30, as images alone are changed (1.30.3 runs)",
        ),
    ],
)
def test_only_another_patch_is_reached_by_images_alone(runs: str, to: str, reason: str | None) -> None:
    """Another minor version brings rights, variables and definitions that its installer alone knows."""
    assert upgrade.wrong(runs, to) == reason


def test_all_parts_have_their_image_of_that_version() -> None:
    """What vendors and variants add to a tag stays; waypoints' image is beside istiod's."""
    assert upgrade.images(mesh(), "1.30.4") == {
        "NEXT_PILOT": f"{HUB}/pilot:1.30.4-distroless",
        "NEXT_INSTALL_CNI": f"{HUB}/install-cni:1.30.4-distroless",
        "NEXT_ZTUNNEL": f"{HUB}/ztunnel:1.30.4-distroless",
        "NEXT_PROXYV2": f"{HUB}/proxyv2:1.30.4-distroless",
    }
    vendor = upgrade.images(mesh(discovery="v.example:5000/pilot:v1.30.3-fips@sha256:ab"), "1.30.4")
    assert (vendor["NEXT_PILOT"], vendor["NEXT_PROXYV2"]) == (
        "v.example:5000/pilot:v1.30.4-fips",
        "v.example:5000/proxyv2:v1.30.4-fips",
    )


def test_what_vendors_add_is_added_once() -> None:
    """Whoever names a vendor's version means its release."""
    found = upgrade.images(mesh(discovery="v.example/pilot:1.30.3-solo"), "1.30.4-solo")
    assert found["NEXT_PILOT"] == "v.example/pilot:1.30.4-solo"


def test_who_may_not_look_goes_nowhere() -> None:
    """Without an end of the whole run."""
    kube = mesh()

    def forbidden(*words: object, **more: object) -> list[dict[str, Any]]:
        raise Forbidden("no")

    kube.list = forbidden  # type: ignore[method-assign]  # a double
    assert upgrade.images(kube, "1.30.4") == {}


def test_manifests_name_them_only_where_a_version_was_named() -> None:
    """A manifest that asks for one without it is told what there is."""
    places = Places("a", "b", "c", following=upgrade.images(mesh(), "1.30.4"))
    assert places.fill("${NEXT_ZTUNNEL}") == f"{HUB}/ztunnel:1.30.4-distroless"
    assert upgrade.images(mesh(), None) == {}
    with pytest.raises(ValueError, match=r"unknown name \$\{NEXT_ZTUNNEL\}, known are .*ZTUNNEL"):
        Places("a", "b", "c").fill("${NEXT_ZTUNNEL}")


@pytest.mark.parametrize(
    ("kube", "reason"),
    [
        (mesh(), ""),
        (cast(Kube, FakeKube()), "found none, one Deployment labelled app=istiod is needed"),
        (
            mesh(strategy="OnDelete"),
            "DaemonSet istio-system/istio-cni-node restarts its pods only when they are deleted",
        ),
        (mesh(container="own"), "istio-system/istiod has no container discovery"),
        (
            mesh(istio_proxy=f"{HUB}/ztunnel@sha256:ab"),
            f"istio-system/ztunnel runs {HUB}/ztunnel@sha256:ab, whose tag names no release that another could take",
        ),
        (
            mesh(istio_proxy=f"{HUB}/ztunnel:1.29.6"),
            "istio-system/ztunnel: 1.30.4 is no patch of Istio 1.29: name another patch of 1.29, as images alone are",
        ),
        (
            mesh(install_cni=f"{HUB}/install-cni:1.30.4-distroless"),
            "istio-system/istio-cni-node: 1.30.4 is the version that runs: name another patch of 1.30",
        ),
        (
            mesh(discovery=f"{HUB}/istiod:1.30.3"),
            f"istio-system/istiod runs {HUB}/istiod:1.30.3, not Istio's pilot: where its proxyv2 is, nobody says",
        ),
    ],
)
def test_what_cannot_be_given_another_image_is_left_alone(kube: Kube, reason: str) -> None:
    """The rows are skipped with the reason, and no image is made up."""
    found = detect(kube, upgrade_to="1.30.4")["Upgrade"]
    assert found.present == (not reason)
    assert found.reason.startswith(reason)
    assert bool(upgrade.images(kube, "1.30.4")) == found.present


def test_without_a_version_nothing_is_asked() -> None:
    """The row is skipped with the option that it needs; a report says what would be looked at."""
    assert detect(mesh())["Upgrade"].reason == "no version to go to was named: --ambient-upgrade-to"
    words = "--ambient-upgrade-to, who owns and updates istiod, the CNI agents and the ztunnels, and their images"
    assert looked("Upgrade", "") == f"asked of the cluster: {words}"


def test_who_may_not_change_the_agents_does_not_go_there() -> None:
    """By the API server's own word."""
    kube = mesh()
    kube.can = lambda verb, resource, namespace=None: resource != "daemonsets.apps"  # type: ignore[method-assign]  # a double
    found = detect(kube, upgrade_to="1.30.4")["Upgrade"]
    assert found.reason == "this user may not patch daemonsets.apps in istio-system"
