"""Policies of others in the root namespace: which of them could decide our rows, and which could not."""

from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh.foreign import Foreign, Ours, look, weighed
from pytest_ambient.places import Places
from pytest_ambient.testing import FakeKube

Object = dict[str, Any]
PLACES = Places("bookinfo-r1", "bookinfo-r1-other", "bookinfo-r1-outside")
OURS = Ours.of(PLACES)


def policy(**spec: Any) -> Object:
    """A policy of the root namespace."""
    return {"metadata": {"name": "theirs", "namespace": "istio-system"}, "spec": spec}


def rule(source: Object | None = None, operation: Object | None = None, **more: Any) -> list[Object]:
    """One rule of callers and operations."""
    made = {
        **({"from": [{"source": source}]} if source else {}),
        **({"to": [{"operation": operation}]} if operation else {}),
    }
    return [{**made, **more}]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"rules": rule({"namespaces": ["monitoring"]})},
        {"action": "ALLOW", "rules": [{}]},
        {"selector": {"matchLabels": {"app": "reviews"}}, "rules": [{}]},
        {"action": "DENY", "rules": [{}]},
        {"action": "DENY", "rules": rule({"notNamespaces": ["trusted"]})},
        {"action": "DENY", "rules": rule({"namespaces": ["bookinfo-*"]})},
        {"action": "DENY", "rules": rule({"principals": ["*/sa/curl"]})},
        {"action": "DENY", "rules": rule({"serviceAccounts": ["bookinfo-r1/curl"]})},
        {"action": "DENY", "rules": rule({"ipBlocks": ["10.0.0.0/8"]})},
        {"action": "DENY", "rules": rule(operation={"ports": ["9080"], "methods": ["POST"]})},
        {"action": "DENY", "rules": [*rule({"namespaces": ["x"]}), *rule(operation={"ports": ["9080"]})]},
    ],
    ids=str,
)
def test_what_could_decide_every_row(spec: Object) -> None:
    """Any ALLOW that selects us, and a DENY that may speak of a call of ours."""
    found = weighed([policy(**spec)], OURS, "istio-waypoint")
    assert found == Foreign("AuthorizationPolicy istio-system/theirs of somebody else could decide it")


@pytest.mark.parametrize(
    "spec",
    [
        {"action": "DENY"},
        {"action": "AUDIT", "rules": [{}]},
        {"selector": {"matchLabels": {"app": "shop"}}},
        {"selector": {"matchLabels": {"app": "reviews", "team": "x"}}},
        {"action": "DENY", "rules": rule({"namespaces": ["legacy", "old-*"]})},
        {"action": "DENY", "rules": rule({"principals": ["cluster.local/ns/legacy/sa/a", "*/ns/x/sa/curl"]})},
        {"action": "DENY", "rules": rule({"namespaces": ["*"], "principals": ["cluster.local/ns/x/sa/y"]})},
        {"action": "DENY", "rules": rule(operation={"ports": ["22", "3306"]})},
        {"action": "CUSTOM", "selector": {"matchLabels": {"app": "shop"}}, "rules": [{}]},
        {"action": "DENY", "selector": {"matchLabels": {"app": "shop"}}, "rules": rule(operation={"paths": ["/"]})},
        {"targetRefs": [{"kind": "GatewayClass", "name": "istio-remote"}]},
    ],
    ids=str,
)
def test_what_leaves_our_rows_alone(spec: Object) -> None:
    """Others are selected, called or calling; or the proxy cannot read it and never fires."""
    assert weighed([policy(**spec)], OURS, "istio-waypoint") == Foreign()


@pytest.mark.parametrize(
    "spec",
    [
        {"action": "CUSTOM", "rules": [{}]},
        {"action": "DENY", "rules": rule(operation={"methods": ["TRACE"]})},
        {"action": "DENY", "rules": rule(operation={"paths": ["/admin"], "ports": []})},
    ],
    ids=str,
)
def test_what_decides_at_sidecars_alone(spec: Object) -> None:
    """They read what ztunnels cannot: what HTTP says, and who is to be asked."""
    found = weighed([policy(**spec)], OURS, "istio-waypoint")
    assert found == Foreign(sidecars="AuthorizationPolicy istio-system/theirs of somebody else could decide it")


@pytest.mark.parametrize(
    ("found", "needs", "why"),
    [
        (Foreign("all", "behind", "hidden", "beside"), (), "all"),
        (Foreign("", "behind", "hidden", "beside"), (), ""),
        (Foreign("", "behind", "hidden", "beside"), ("Permissive", "Waypoint"), "behind"),
        (Foreign("", "behind", "hidden", "beside"), ("Sidecar",), "beside"),
        (Foreign("", "behind"), ("Sidecar",), ""),
        (Foreign(hidden="hidden"), ("Sidecar",), "hidden"),
        (Foreign(hidden="hidden"), ("Waypoint",), "hidden"),
        (Foreign(hidden="hidden"), ("Permissive",), ""),
    ],
)
def test_what_a_row_needs_says_what_could_decide_it(found: Foreign, needs: tuple[str, ...], why: str) -> None:
    """Proxies that it has nothing to do with decide nothing."""
    assert found.keeps_from(needs) == why


def test_what_decides_behind_waypoints_alone() -> None:
    """A policy for the class of waypoints says nothing about the rest."""
    target = {"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": "istio-waypoint"}
    found = weighed([policy(targetRefs=[target], rules=[{}])], OURS, "istio-waypoint")
    assert found == Foreign("", "AuthorizationPolicy istio-system/theirs of somebody else could decide it")


def test_our_own_is_none_of_others_and_that_of_another_run_is() -> None:
    """Known by the label of the run; rows with scope=mesh write there."""
    kube = FakeKube()
    for run in ("r1", "r2"):
        item = {"metadata": {"name": run, "namespace": "istio-system", "labels": {"pytest-ambient/run": run}}}
        kube.objects["security.istio.io/v1/AuthorizationPolicy", "istio-system", run] = item
    found = look(cast(Kube, kube), PLACES, "r1")
    assert found.everywhere == "AuthorizationPolicy istio-system/r2 of somebody else could decide it"


def test_who_may_not_look_goes_on() -> None:
    """The run then tells nothing of others."""

    class Closed(FakeKube):
        def list(self, *_arguments: Any, **_named: Any) -> list[Object]:
            raise Forbidden("no")

    assert look(cast(Kube, Closed()), PLACES, "r1") == Foreign()
