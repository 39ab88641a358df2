"""The table of kind's releases: consistent in itself, and what is chosen from it."""

import re

import pytest

from pytest_ambient.cluster.kind_table import table
from pytest_ambient.errors import Misuse

PLATFORMS = {"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"}
SHA256 = re.compile(r"[0-9a-f]{64}")


def numbers(version: str) -> tuple[int, ...]:
    """For comparison."""
    return tuple(int(number) for number in version.split("."))


def test_releases_and_their_nodes_come_newest_first() -> None:
    """What is taken first is the newest."""
    releases = [numbers(one.version) for one in table().releases]
    assert releases == sorted(releases, reverse=True)
    for one in table().releases:
        nodes = [numbers(version) for version in one.nodes]
        assert nodes == sorted(nodes, reverse=True)
        assert len({version[:2] for version in nodes}) == len(nodes)


def test_every_checksum_is_one_and_none_is_there_twice() -> None:
    """A digest that was copied to the wrong place would be found here."""
    sums = [text for one in table().releases for text in (*one.sha256.values(), *one.nodes.values())]
    assert all(SHA256.fullmatch(text) for text in sums)
    assert len(set(sums)) == len(sums)
    versions = [version for one in table().releases for version in one.nodes]
    assert len(set(versions)) == len(versions)


def test_every_release_has_a_binary_for_every_platform() -> None:
    """amd64 and arm64, Linux and macOS."""
    assert all(set(one.sha256) == PLATFORMS for one in table().releases)


def test_the_default_is_brought_by_a_release() -> None:
    """And 1.31 to 1.36, which the supported Istio versions ask for."""
    for version in (table().default, "1.31", "1.32", "1.33", "1.34", "1.35", "1.36"):
        assert table().bringing(version).kubernetes(version)


def test_the_newest_release_that_brings_a_version_is_taken() -> None:
    """By minor or by patch; the image is pinned by digest."""
    assert table().bringing("1.34").version == "0.33.0"
    assert table().bringing("1.34.3").version == "0.31.0"
    assert table().bringing("1.33").version == "0.32.0"
    release = table().bringing("1.32")
    assert (release.version, release.kubernetes("1.32"), release.kubernetes("1.3")) == ("0.31.0", "1.32.11", None)
    assert release.image("1.32.11") == (
        "kindest/node:v1.32.11@sha256:5fc52d52a7b9574015299724bd68f183702956aa4a2116ae75a63cb574b35af8"
    )


def test_a_version_that_no_kind_brings_is_a_mistake() -> None:
    """The line lists what there is."""
    with pytest.raises(Misuse) as caught:
        table().bringing("1.28")
    assert str(caught.value) == (
        "--ambient-kubernetes-version=1.28: kind has no node image of it, "
        "known are 1.30, 1.31, 1.32, 1.33, 1.34, 1.35, 1.36, 1.37"
    )
