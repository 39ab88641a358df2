"""Which images a run pulls: each once, of that Istio's own registries, from the mirror where there is one."""

from pathlib import Path

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.manifest import read
from pytest_ambient.mesh import bookinfo
from pytest_ambient.mesh import installer as installers
from pytest_ambient.mesh.images import Image, in_manifest, needed, own
from pytest_ambient.mesh.sail import operator
from pytest_ambient.places import Places

PLACES = Places("shop", "shop-other", "shop-outside")
SUITE = Path(__file__).parent.parent.parent / "conformance"


def listed(version: str, **wanted: object) -> list[str]:
    """The references that are needed."""
    return [image.reference for image in needed(version, **wanted)]  # type: ignore[arg-type]  # as the test says


def test_a_run_needs_istio_bookinfo_and_curl() -> None:
    """The whole list for one version, in the order of a bring-up."""
    hub = "registry.istio.io/release"
    assert listed("1.30.3") == [
        f"{hub}/pilot:1.30.3-distroless",
        f"{hub}/install-cni:1.30.3-distroless",
        f"{hub}/ztunnel:1.30.3-distroless",
        f"{hub}/proxyv2:1.30.3-distroless",
        f"{hub}/examples-bookinfo-productpage-v1:1.20.3",
        f"{hub}/examples-bookinfo-details-v1:1.20.3",
        f"{hub}/examples-bookinfo-ratings-v1:1.20.3",
        f"{hub}/examples-bookinfo-reviews-v1:1.20.3",
        f"{hub}/examples-bookinfo-reviews-v2:1.20.3",
        f"{hub}/examples-bookinfo-reviews-v3:1.20.3",
        "docker.io/mccutchen/go-httpbin:v2.15.0",
        "docker.io/curlimages/curl:8.16.0",
    ]


@pytest.mark.parametrize(
    ("version", "pilot", "details"),
    [
        ("1.24.6", "docker.io/istio/pilot:1.24.6-distroless", "docker.io/istio/examples-bookinfo-details-v1:1.20.2"),
        ("1.29.7", "docker.io/istio/pilot:1.29.7-distroless", "docker.io/istio/examples-bookinfo-details-v1:1.20.3"),
        (
            "1.31.1",
            "docker.io/istio/pilot:1.31.1-distroless",
            "registry.istio.io/release/examples-bookinfo-details-v1:1.20.3",
        ),
    ],
)
def test_registries_and_tags_follow_the_version(version: str, pilot: str, details: str) -> None:
    """Istio moved its images twice, and its samples once."""
    assert {pilot, details} <= set(listed(version))


def test_curl_is_pinned_where_the_samples_are_not() -> None:
    """Istio 1.24 names no tag: what is pulled must not change between two runs."""
    assert "docker.io/curlimages/curl:8.16.0" in listed("1.24.6")


def test_a_mirror_gives_them_all() -> None:
    """Names and tags stay as they are."""
    found = needed("1.30.3", hub="mirror.example:5000/x", addons=("kiali", "prometheus"))
    assert {image.name.rpartition("/")[0] for image in found} == {"mirror.example:5000/x"}
    assert {image.reference.rpartition("/")[2] for image in found} == {
        reference.rpartition("/")[2] for reference in listed("1.30.3", addons=("kiali", "prometheus"))
    }


def test_a_mesh_that_is_there_needs_its_waypoints_alone() -> None:
    """Nothing of Istio but what rules start."""
    assert [one for one in listed("1.30.3", installs=False) if "1.30.3" in one] == [
        "registry.istio.io/release/proxyv2:1.30.3-distroless"
    ]


def test_another_data_plane_takes_istiod_alone_and_brings_its_own() -> None:
    """Of the release that goes with that Istio; Misuse where none does."""
    found = listed("1.26.8", dataplane="kmesh")
    assert found[:3] == [
        "docker.io/istio/pilot:1.26.8-distroless",
        "ghcr.io/kmesh-net/kmesh:v1.2.0",
        "ghcr.io/kmesh-net/waypoint:v1.2.0",
    ]
    assert not [one for one in found if "ztunnel" in one or "proxyv2" in one or "install-cni" in one]
    with pytest.raises(Misuse, match=r"no Kmesh that is known here goes with Istio 1\.30\.3"):
        needed("1.30.3", dataplane="kmesh")


def test_sail_brings_its_operator() -> None:
    """Of the release that installs that Istio."""
    extra = [one for one in listed("1.27.3", installer="sail") if one not in listed("1.27.3")]
    assert extra == [f"quay.io/sail-dev/sail-operator:{operator('1.27.3').version}"]


def test_an_installer_adds_what_it_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says so; one that is unknown is a mistake."""

    class Operator:
        def check(self, spec: object) -> None: ...

        def steps(self, target: object, spec: object) -> tuple[()]:
            return ()

        def uninstall(self, target: object, spec: object) -> None: ...

        def images(self, version: str) -> list[tuple[str, str]]:
            return [(f"quay.io/x/operator:{version}", "the operator")]

    installers.register("operator", Operator)
    try:
        found = {image.reference: image.why for image in needed("1.30.3", installer="operator", hub="m.example")}
    finally:
        installers.forget("operator")
    assert found["m.example/operator:1.30.3"] == "the operator"
    assert needed("1.30.3", installer="none") == needed("1.30.3")
    with pytest.raises(Misuse, match="unknown installer 'operator'"):
        needed("1.30.3", installer="operator")


def test_addons_bring_all_images_of_their_pods() -> None:
    """Prometheus has one that reloads its configuration; MetalLB has two of its own."""
    found = [one for one in listed("1.30.3", addons=("prometheus", "metallb")) if "istio" not in one]
    assert found == [
        "docker.io/mccutchen/go-httpbin:v2.15.0",
        "docker.io/curlimages/curl:8.16.0",
        "docker.io/prom/prometheus:v3.10.0",
        "ghcr.io/prometheus-operator/prometheus-config-reloader:v0.89.0",
        "quay.io/metallb/controller:v0.15.3",
        "quay.io/metallb/speaker:v0.15.3",
    ]


def test_an_unknown_addon_is_a_mistake() -> None:
    """The known ones are listed."""
    with pytest.raises(Misuse, match="unknown addon 'zipkin', known are grafana, jaeger, kiali, metallb, prometheus"):
        needed("1.30.3", addons=("zipkin",))


@pytest.mark.parametrize(
    ("reference", "name", "tag"),
    [
        ("docker.io/a/b:1.2", "docker.io/a/b", "1.2"),
        ("host:5000/b", "host:5000/b", ""),
        ("a/b@sha256:00", "a/b@sha256:00", ""),
    ],
)
def test_a_reference_is_name_and_tag(reference: str, name: str, tag: str) -> None:
    """A port is no tag, and a digest stays with its name."""
    image = Image.of(reference, "why")
    assert (image.name, image.tag, image.reference) == (name, tag, reference)


def test_our_manifests_name_nothing_else() -> None:
    """What they pull is what the list says, for every version: no image is written down twice."""
    for version in ("1.24.6", "1.30.3", "1.31.1"):
        pulled = set()
        for path in bookinfo.FOLDER.glob("*.yaml"):
            for document in read(path, PLACES, image=lambda name, version=version: own(name, version=version)):  # type: ignore[misc]  # bound
                spec = document.object.get("spec") or {}
                pod = (spec.get("template") or {}).get("spec") or {}
                pulled |= {container["image"] for container in pod.get("containers", [])}
        assert pulled == {
            image.reference for image in needed(version) if "istiod" not in image.why and version not in image.tag
        }


def test_the_suites_manifests_name_nothing_else() -> None:
    """What rules start themselves is in the list too; of a version that a mesh goes to it is that version's list."""
    pulled = {image for path in SUITE.rglob("*.yaml") for image in in_manifest(path) if not image.startswith("${NEXT_")}
    assert pulled <= {image.reference for image in needed("1.30.3")}


@pytest.mark.parametrize("version", [None, "1.99.0", "canary"])
def test_a_mesh_of_an_unknown_version_gets_the_newest_samples(version: str | None) -> None:
    """A vendor's version is no reason to have no Bookinfo."""
    assert own("curl", version=version) == "docker.io/curlimages/curl:8.16.0"
    assert own("examples-bookinfo-reviews-v3", version=version).endswith("/examples-bookinfo-reviews-v3:1.20.3")


def test_a_name_of_nobodys_is_left(tmp_path: Path) -> None:
    """A full reference in a manifest of ours only goes through the mirror."""
    assert own("docker.io/x/y:1", version="1.30.3") == "docker.io/x/y:1"
    assert own("docker.io/x/y:1", version="1.30.3", hub="m.example") == "m.example/y:1"


def test_a_release_at_hand_says_its_addons_images_itself(tmp_path: Path) -> None:
    """Each once, however deep, and nothing that only reads like one; of an addon that it lacks the table knows."""
    path = tmp_path / "samples" / "addons" / "kiali.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "kind: ConfigMap\ndata: {a: 'image: no'}\n---\nspec: {template: {spec: {containers: [{image: 'q/k:v1'}],"
        " initContainers: [{image: 'q/k:v1'}, {image: 'q/i:v2'}]}}}\n"
    )
    found = needed("1.30.3", addons=("kiali", "grafana"), hub="m.example", release=tmp_path)
    assert [(one.reference, one.why) for one in found if one.why.startswith("addon")] == [
        ("m.example/k:v1", "addon kiali"),
        ("m.example/i:v2", "addon kiali"),
        ("m.example/grafana:12.0.1", "addon grafana"),
    ]
