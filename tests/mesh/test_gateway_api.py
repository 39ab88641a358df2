"""The Gateway API's CRDs: which bundle, whose, how applied, and when they are taken out again."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ambient.errors import FetchFailed, InstallerError, Invalid, NotInTime
from pytest_ambient.mesh import bundle as published
from pytest_ambient.mesh import gateway_api, versions
from pytest_ambient.mesh.landed import CRD, GATEWAY_CLASS
from tests.fileserver import FileServer, file_server
from tests.mesh.landing import Cluster, FakeTarget, spec, target

KINDS = {
    "gatewayclasses": "GatewayClass",
    "gateways": "Gateway",
    "httproutes": "HTTPRoute",
    "referencegrants": "ReferenceGrant",
}
GROUP = published.GROUP
GATEWAY = f"{GROUP}/v1/Gateway"


def definition(plural: str, version: str = "v1.5.1", channel: str = "standard") -> dict[str, Any]:
    """A CRD as generated ones are, empty status included."""
    notes = {published.BUNDLE: version, published.CHANNEL: channel}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", "annotations": notes, "creationTimestamp": None},
        "spec": {
            "group": GROUP,
            "names": {"kind": KINDS[plural], "plural": plural},
            "versions": [{"name": "v1", "served": True}],
        },
        "status": {"conditions": None, "storedVersions": None},
    }


def bundle(version: str = "v1.5.1", channel: str = "standard") -> str:
    """A release's file: CRDs, and the policy that came with 1.5."""
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": gateway_api.POLICY},
    }
    return yaml.safe_dump_all(
        [policy, {**policy, "kind": "ValidatingAdmissionPolicyBinding"}]
        + [definition(plural, version, channel) for plural in KINDS]
    )


class Api(Cluster):
    """A cluster that serves CRDs as soon as they are applied, unless it is slow or its policy refuses them."""

    refuses: str = ""
    slow: bool = False

    def apply(
        self, obj: dict[str, Any], *, force: bool = False, field_manager: str = "", strict: bool = True
    ) -> dict[str, Any]:
        """Take a CRD, with whom it is from."""
        if self.refuses:
            raise Invalid(self.refuses)
        assert force
        assert "status" not in obj
        conditions = [] if self.slow else [{"type": "Established", "status": "True"}]
        made = {**obj, "status": {"conditions": conditions}, "manager": field_manager}
        return super().apply(made, force=force, field_manager=field_manager, strict=strict)


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """A cluster without the Gateway API."""
    return Api(tmp_path)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A release folder into which somebody has put the standard bundle."""
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "standard-install.yaml").write_text(bundle())
    return folder


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FileServer]:
    """The Gateway API's releases, on this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with file_server() as served:
        monkeypatch.setattr(published, "RELEASES", served.url)
        monkeypatch.setattr(published, "_table", dict)  # ours are no published CRDs
        yield served


def there(api: Api, version: str = "v1.5.1", channel: str = "standard", without: str = "", **labels: str) -> None:
    """Have CRDs of somebody, or of a run."""
    for plural in KINDS:
        if plural != without:
            made = definition(plural, version, channel)
            made["metadata"]["labels"] = labels
            api.objects[CRD, "", made["metadata"]["name"]] = made


def test_crds_are_applied_as_ours_without_the_policy(api: Api, tmp_path: Path, local: Path) -> None:
    """Each has the run's label and our field manager, no empty status; the policy that comes along stays out."""
    gateway_api.install(target(api), spec(tmp_path, release=local))
    assert {kind for kind, _, _ in api.objects} == {CRD}
    assert api.names(CRD) == sorted(f"{plural}.{GROUP}" for plural in KINDS)
    for item in api.objects.values():
        assert item["metadata"]["labels"] == {"pytest-ambient/run": "r1"}
        assert "creationTimestamp" not in item["metadata"]
        assert "storedVersions" not in item["status"]
        assert item["manager"] == "pytest-ambient-install"


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


def test_crds_that_are_not_served_in_time(api: Api, tmp_path: Path, local: Path) -> None:
    """They are named."""
    api.slow = True
    with pytest.raises(
        NotInTime, match=r"the Gateway API's CRDs to be established: not within 0\.3 s .*gatewayclasses"
    ):
        gateway_api.install(target(api), spec(tmp_path, release=local))


def test_crds_of_others_are_used_as_they_are(api: Api, tmp_path: Path) -> None:
    """Nothing is applied, fetched or labelled, and a line says so."""
    there(api)
    before = dict(api.objects)
    said: list[str] = []
    gateway_api.install(target(api, said), spec(tmp_path))
    assert said == ["Gateway API v1.5.1 is there already and used as it is"]
    gateway_api.uninstall(target(api, said), spec(tmp_path))
    assert api.objects == before


def test_another_channel_of_others_is_said(api: Api, tmp_path: Path) -> None:
    """It is not what was asked for, and still not replaced."""
    there(api, channel="experimental")
    said: list[str] = []
    gateway_api.install(target(api, said), spec(tmp_path))
    assert said == [
        "Gateway API v1.5.1 is there already and used as it is, experimental channel where standard was asked for"
    ]


@pytest.mark.parametrize(
    ("found", "istio", "oldest"), [("v1.4.1", "1.30.3", "v1.5.0"), ("v1.0.0", "1.28.10", "v1.1.0")]
)
def test_crds_of_others_that_are_too_old(api: Api, tmp_path: Path, found: str, istio: str, oldest: str) -> None:
    """One line names both versions and what is needed."""
    there(api, version=found)
    with pytest.raises(InstallerError) as error:
        gateway_api.install(target(api), spec(tmp_path, version=istio))
    assert str(error.value) == (
        f"the cluster's Gateway API {found} is too old for Istio {istio}, which needs {oldest} or newer; "
        "it was not installed by this run and is left as it is"
    )


def test_crds_of_others_that_do_not_say_their_version(api: Api, tmp_path: Path) -> None:
    """istiod ignores a CRD without the annotation, too."""
    there(api)
    del api.objects[CRD, "", f"gateways.{GROUP}"]["metadata"]["annotations"]
    with pytest.raises(InstallerError, match=r"Gateway API of unknown version is too old for Istio 1\.30\.3"):
        gateway_api.install(target(api), spec(tmp_path))


def test_crds_of_others_must_be_all_that_waypoints_need(api: Api, tmp_path: Path) -> None:
    """Ours are not put among theirs."""
    there(api, without="httproutes")
    with pytest.raises(InstallerError) as error:
        gateway_api.install(target(api), spec(tmp_path))
    assert str(error.value) == "the cluster's Gateway API lacks httproutes: install the whole bundle"


def test_crds_of_this_run_are_applied_again(api: Api, tmp_path: Path, local: Path) -> None:
    """A second try finishes what the first began."""
    there(api, version="v1.4.1", without="gateways", **{"pytest-ambient/run": "r1"})
    gateway_api.install(target(api), spec(tmp_path, release=local))
    assert len(api.names(CRD)) == len(KINDS)
    notes = api.objects[CRD, "", f"httproutes.{GROUP}"]["metadata"]["annotations"]
    assert notes[published.BUNDLE] == "v1.5.1"


def test_a_kept_cluster_of_ours_loses_the_policy_before_a_downgrade(api: Api, tmp_path: Path, local: Path) -> None:
    """It would refuse older bundles; a cluster that is not ours keeps it."""
    for kind in gateway_api.GUARDS:
        api.keep(kind, gateway_api.POLICY)
    gateway_api.install(target(api), spec(tmp_path, release=local))
    assert all(api.names(kind) for kind in gateway_api.GUARDS)
    gateway_api.install(target(api, owned=True), spec(tmp_path, release=local))
    assert not any(api.names(kind) for kind in gateway_api.GUARDS)


def test_a_policy_that_refuses_the_bundle_is_named(api: Api, tmp_path: Path, local: Path) -> None:
    """On a cluster that is not ours it is for its owner to remove."""
    api.refuses = f"ValidatingAdmissionPolicy '{gateway_api.POLICY}' with binding '{gateway_api.POLICY}' denied request"
    with pytest.raises(InstallerError) as error:
        gateway_api.install(target(api), spec(tmp_path, release=local))
    assert str(error.value) == (
        f"the cluster's ValidatingAdmissionPolicy {gateway_api.POLICY} refuses the Gateway API v1.5.1: "
        "remove the policy and its binding, or install the CRDs yourself"
    )
    api.refuses = "spec.versions: Required value"
    with pytest.raises(Invalid):
        gateway_api.install(target(api), spec(tmp_path, release=local))


def test_crds_of_this_run_go_again_and_again(api: Api, tmp_path: Path, local: Path) -> None:
    """Classes that istiod made and Gateways of this run's namespaces do not keep them; a second time is fine."""
    gateway_api.install(target(api), spec(tmp_path, release=local))
    api.keep(GATEWAY_CLASS, "istio-waypoint", spec={"controllerName": "istio.io/mesh-controller"})
    api.keep("v1/Namespace", "bookinfo-r1", labels={"pytest-ambient/run": "r1"})
    api.keep(GATEWAY, "waypoint", "bookinfo-r1", spec={})
    gateway_api.uninstall(target(api), spec(tmp_path))
    assert api.names(CRD) == []
    gateway_api.uninstall(target(api), spec(tmp_path))


def test_crds_that_others_use_stay(api: Api, tmp_path: Path, local: Path) -> None:
    """All of them: half a bundle is worse than one; a line says who."""
    gateway_api.install(target(api), spec(tmp_path, release=local))
    for name in ("a", "b", "c", "d"):
        api.keep(GATEWAY, name, "shop", spec={})
    said: list[str] = []
    gateway_api.uninstall(target(api, said), spec(tmp_path))
    assert said == [
        "the Gateway API's CRDs stay, others use them: Gateway shop/a, Gateway shop/b, Gateway shop/c and 1 more"
    ]
    assert len(api.names(CRD)) == len(KINDS)


def test_crds_of_another_run_stay(api: Api, tmp_path: Path) -> None:
    """Only the run that made them takes them out."""
    there(api, **{"pytest-ambient/run": "r2"})
    gateway_api.uninstall(target(api), spec(tmp_path))
    assert len(api.names(CRD)) == len(KINDS)


@pytest.mark.parametrize("owned", [True, False])
def test_the_step_has_the_name_of_the_bundle(api: Api, tmp_path: Path, local: Path, owned: bool) -> None:
    """It undoes itself, except in a cluster that goes with the run."""
    whole: FakeTarget = target(api, owned=owned)
    (step,) = gateway_api.steps(whole, spec(tmp_path, release=local))
    assert step.name == "gateway-api v1.5.1"
    step.do()
    assert len(api.names(CRD)) == len(KINDS)
    assert (step.undo is None) is owned
    if step.undo:
        step.undo()
        assert api.names(CRD) == []
