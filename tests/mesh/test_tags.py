"""Versions out of images: as upstream, vendors and mirrors write them."""

from typing import Any

import pytest

from pytest_ambient.mesh import tags

DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize(
    ("image", "tag", "build", "release"),
    [
        ("registry.istio.io/release/pilot:1.30.3-distroless", "1.30.3-distroless", "1.30.3", "1.30.3"),
        ("host:5000/pilot:v1.30.3", "v1.30.3", "1.30.3", "1.30.3"),
        (f"host:5000/pilot@{DIGEST}", "", "", ""),
        (f"pilot:1.30.0-rc.1-debug@{DIGEST}", "1.30.0-rc.1-debug", "1.30.0-rc.1", "1.30.0-rc.1"),
        ("pilot", "", "", ""),
        ("pilot:latest", "latest", "latest", ""),
        ("x/pilot:1.30.3-fips", "1.30.3-fips", "1.30.3-fips", "1.30.3"),
        ("x/pilot:1.30.3-fips-distroless", "1.30.3-fips-distroless", "1.30.3-fips", "1.30.3"),
        ("x/pilot:1.30.3-solo-fips-distroless", "1.30.3-solo-fips-distroless", "1.30.3-solo-fips", "1.30.3"),
        ("x/pilot:1.20.3-tetrate-v0", "1.20.3-tetrate-v0", "1.20.3-tetrate-v0", "1.20.3"),
        ("x/pilot:1.27.3-asm.12", "1.27.3-asm.12", "1.27.3-asm.12", "1.27.3"),
        ("x/pilot:1.31-alpha.5b3c2ab1", "1.31-alpha.5b3c2ab1", "1.31-alpha.5b3c2ab1", "1.31-alpha.5b3c2ab1"),
        ("x/pilot:1.30", "1.30", "1.30", "1.30"),
        ("x/pilot:20261121", "20261121", "20261121", ""),
        ("ghcr.io/kmesh-net/kmesh:v1.1.0", "v1.1.0", "1.1.0", "1.1.0"),
    ],
)
def test_what_an_image_says(image: str, tag: str, build: str, release: str) -> None:
    """Ports, digests, a leading v and the base are no part of a build; vendors' words are none of a release."""
    assert (tags.tag_of(image), tags.build_of(image), tags.release(tags.tag_of(image))) == (tag, build, release)


@pytest.mark.parametrize(
    ("image", "label", "release"),
    [
        (f"x/ztunnel@{DIGEST}", "1.30.3", "1.30.3"),
        (f"x/ztunnel@{DIGEST}", "unknown", ""),
        ("x/ztunnel:1.30", "1.30.3", "1.30.3"),
        ("x/ztunnel:1.29.1", "1.30.3", "1.29.1"),
        ("x/ztunnel:latest", "v1.30.3", "1.30.3"),
    ],
)
def test_what_a_label_says_where_the_tag_says_less(image: str, label: str, release: str) -> None:
    """A tag that contradicts it was set by hand, and is what runs."""
    item: dict[str, Any] = {"metadata": {"labels": {tags.LABEL: label}}}
    assert tags.release_of(item, image) == release


@pytest.mark.parametrize(
    ("found", "wanted", "fitting"),
    [
        ("1.30.3", "1.30.3", True),
        ("1.30.3", "1.30", True),
        ("1.30.3-fips", "1.30.3", True),
        ("1.30.3-fips", "1.30.3-fips", True),
        ("1.30.3", "1.30.3-fips", False),
        ("1.30.30", "1.30.3", False),
        ("1.3.0", "1.30", False),
        ("1.31.0-rc.0", "1.31.0", False),
        ("1.31.0-rc.0", "1.31.0-rc.0", True),
        ("1.31.0-rc.0", "1.31", True),
    ],
)
def test_whether_a_version_is_the_wanted_one(found: str, wanted: str, fitting: bool) -> None:
    """A pre-release is not yet the release."""
    assert tags.fits(found, wanted) is fitting


def test_a_part_is_its_own_container() -> None:
    """Whatever was put beside it, in whatever order; a mesh with other names has its first one."""
    containers = [{"name": "agent", "image": "vault:1"}, {"name": "discovery", "image": "pilot:1.30.3"}]
    item = {"spec": {"template": {"spec": {"containers": containers}}}}
    assert tags.image_of(item, "istiod") == "pilot:1.30.3"
    assert tags.image_of(item, "kmesh") == "vault:1"
