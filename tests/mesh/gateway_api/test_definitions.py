"""The Gateway API's CRDs: which bundle, whose, how applied, and when they are taken out again."""

from pathlib import Path

import pytest

from pytest_ambient.errors import InstallerError, Invalid, NotInTime
from pytest_ambient.mesh import bundle as published
from pytest_ambient.mesh import gateway_api
from pytest_ambient.mesh.landed import CRD, GATEWAY_CLASS
from tests.mesh.gateway_api.bundled import GATEWAY, GROUP, KINDS, Api, there
from tests.mesh.landing import FakeTarget, spec, target


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
