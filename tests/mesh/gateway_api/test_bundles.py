"""Where a bundle comes from, and what is not taken for one."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ambient.errors import FetchFailed, InstallerError
from pytest_ambient.mesh import bundle as published
from pytest_ambient.mesh import gateway_api, versions
from pytest_ambient.mesh.landed import CRD
from tests.fileserver import FileServer
from tests.mesh.gateway_api.bundled import KINDS, Api, bundle, definition
from tests.mesh.landing import spec, target


@pytest.mark.parametrize(
    ("version", "channel", "path"),
    [
        ("1.30.3", "standard", "/v1.5.1/standard-install.yaml"),
        ("1.28.10", "experimental", "/v1.4.1/experimental-install.yaml"),
    ],
)
def test_the_bundle_of_the_istio_version_is_downloaded_once(
    api: Api, tmp_path: Path, downloads: FileServer, version: str, channel: Any, path: str
) -> None:
    """Version by Istio's, channel as asked; a second cluster takes it from the cache."""
    downloads.files[path] = bundle(path.split("/")[1], channel).encode()
    wanted = spec(tmp_path, version=version, gateway_api=channel, within=20)
    gateway_api.install(target(api), wanted)
    gateway_api.install(target(Api(tmp_path)), wanted)
    assert downloads.asked == [path]
    assert len(api.names(CRD)) == len(KINDS)


def test_no_network_says_what_to_do(api: Api, tmp_path: Path, downloads: FileServer) -> None:
    """The address, the reason, and where a file can be put."""
    with pytest.raises(FetchFailed) as error:
        gateway_api.install(target(api), spec(tmp_path, within=20))
    assert str(error.value).startswith(f"{downloads.url}/v1.5.1/standard-install.yaml: cannot be downloaded: HTTP 404")
    assert str(error.value).endswith("; or put the file into the folder of --ambient-istio-dir")


@pytest.mark.parametrize(("text", "why"), [("a: [", "while parsing"), ("a: 1", "it has no CRDs")])
def test_a_file_that_is_no_bundle_is_told(api: Api, tmp_path: Path, local: Path, text: str, why: str) -> None:
    """Broken YAML and YAML of something else, in one line."""
    (local / "standard-install.yaml").write_text(text)
    with pytest.raises(InstallerError, match=f"standard-install.yaml: is no bundle of the Gateway API: {why}") as error:
        gateway_api.install(target(api), spec(tmp_path, release=local))
    assert "\n" not in str(error.value)


PATH = "/v1.5.1/standard-install.yaml"
PORTAL = "<!DOCTYPE html><html><body><h1>Welcome to our network</h1><p>Please log in: now.</p></body></html>"
WRONG = {
    "portal": (PORTAL, "is no bundle of the Gateway API: "),
    "cut": (bundle()[:-200], "is no bundle of the Gateway API: 1 of its CRDs are not whole"),
    "cut-within-words": (bundle()[:-200] + ': "', "is no bundle of the Gateway API: mapping values are not allowed "),
    "policy": ("kind: ValidatingAdmissionPolicy\n", "is no bundle of the Gateway API: it has no CRDs"),
    "older": (bundle("v1.4.1"), "is the Gateway API v1.4.1 standard, wanted v1.5.1 standard"),
    "channel": (bundle(channel="experimental"), "is the Gateway API v1.5.1 experimental, wanted v1.5.1 standard"),
    "mixed": (bundle() + "---\n" + bundle("v1.6.0"), "is the Gateway API v1.5.1 standard, v1.6.0 standard, wanted v1"),
    "part": (
        yaml.safe_dump_all([definition("gateways"), definition("httproutes")]),
        "is not the whole Gateway API v1.5.1, it lacks gatewayclasses, referencegrants",
    ),
}


@pytest.mark.parametrize(("text", "why"), WRONG.values(), ids=WRONG)
def test_what_is_no_such_bundle_is_never_kept(
    api: Api, tmp_path: Path, downloads: FileServer, text: str, why: str
) -> None:
    """A network that answers everything with its log-in page spoils one run, not all after it."""
    downloads.files[PATH] = text.encode()
    with pytest.raises(FetchFailed) as error:
        gateway_api.install(target(api), spec(tmp_path, within=20))
    said = str(error.value)
    assert said.startswith(f"{downloads.url}{PATH}: what came {why}")
    kept = tmp_path / "cache" / "pytest-ambient" / "gateway-api" / "v1.5.1" / "standard-install.yaml"
    assert said.endswith(
        f": nothing was kept; a proxy may have put something else in its place, the right file can be put at {kept}; "
        "or put the file into the folder of --ambient-istio-dir"
    )
    assert "\n" not in said
    assert [path.name for path in kept.parent.iterdir()] == []
    downloads.files[PATH] = bundle().encode()
    gateway_api.install(target(api), spec(tmp_path, within=20))
    assert len(api.names(CRD)) == len(KINDS)


def test_what_lies_in_the_cache_is_looked_at_too(api: Api, tmp_path: Path, downloads: FileServer) -> None:
    """It may be from before anybody looked."""
    kept = tmp_path / "cache" / "pytest-ambient" / "gateway-api" / "v1.5.1" / "standard-install.yaml"
    kept.parent.mkdir(parents=True)
    kept.write_text(PORTAL)
    downloads.files[PATH] = bundle().encode()
    gateway_api.install(target(api), spec(tmp_path, within=20))
    assert (downloads.asked, kept.read_text()) == ([PATH], bundle())


def test_crds_of_a_known_bundle_are_as_they_were_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their contents: comments and the order of a file do not count, a changed default does."""
    path = tmp_path / "bundle.yaml"
    path.write_text(bundle())
    known = published.digest(published.read(path))
    monkeypatch.setattr(published, "_table", lambda: {"v1.5.1": {"standard": known}})
    turned = "---\n".join(["# Copyright 2027\n", *reversed(bundle().split("---\n"))])
    path.write_text(turned)
    assert published.wrong(path, "v1.5.1", "standard") == ""
    path.write_text(bundle().replace("served: true", "served: false", 1))
    assert published.wrong(path, "v1.5.1", "standard") == (
        "is not the Gateway API v1.5.1 as it was published: the contents of its CRDs are others"
    )


def test_every_bundle_that_an_istio_is_built_with_is_known() -> None:
    """In both channels."""
    table = tomllib.loads(published.TABLE.read_text())
    assert {row.gateway_api for row in versions.table()} <= set(table)
    assert all(set(row) == {"standard", "experimental"} for row in table.values())
    assert all(re.fullmatch("[0-9a-f]{64}", one) for row in table.values() for one in row.values())


def test_a_local_file_of_another_bundle_is_said(api: Api, tmp_path: Path, local: Path) -> None:
    """And used: whoever put it there has decided."""
    (local / "standard-install.yaml").write_text(bundle("v1.4.1"))
    said: list[str] = []
    gateway_api.install(target(api, said), spec(tmp_path, release=local))
    assert said == [f"{local / 'standard-install.yaml'} is the Gateway API v1.4.1: Istio 1.30.3 is built with v1.5.1"]
    assert len(api.names(CRD)) == len(KINDS)
