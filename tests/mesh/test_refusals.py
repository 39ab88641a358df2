"""A cluster that does not take our pods, or puts policies beside them: told with the reason and what to do."""

from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import BrokenEnvironment, Forbidden
from pytest_ambient.mesh import bookinfo, refusals
from pytest_ambient.mesh.refusals import EXEMPT, Patience, undecided
from pytest_ambient.places import Places
from pytest_ambient.testing import FakeKube, ManualClock

Object = dict[str, Any]
PLACES = Places("shop", "shop-other", "shop-outside")
QUOTA = 'pods "curl-1" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3'
PSS = 'pods "curl-1" is forbidden: violates PodSecurity "restricted:latest": seccompProfile'


def deployment(message: str = "", name: str = "curl", namespace: str = "shop") -> Object:
    """A Deployment without pods, of which the API server refused the making with a message."""
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    status = {"conditions": [failure] if message else []}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"replicas": 1}, "status": status}


@pytest.mark.parametrize("message", [QUOTA, PSS, 'admission webhook "x" denied the request: no latest'])
def test_pods_that_are_refused_are_told_with_the_servers_words(message: str) -> None:
    """After a moment in which that may pass: long before the time for Bookinfo is over."""
    clock = ManualClock()
    patience, refused = Patience(clock), {"shop/curl": refusals.refusal(deployment(message))}
    patience.spend(refused)
    clock.sleep(refusals.LASTING - 1)
    patience.spend(refused)
    clock.sleep(1)
    with pytest.raises(BrokenEnvironment) as caught:
        patience.spend(refused)
    assert str(caught.value) == f"the cluster refuses pods of Deployment shop/curl: {message}: {EXEMPT}"


def test_a_refusal_that_passes_is_forgotten() -> None:
    """A webhook that was down for a moment costs nothing."""
    clock = ManualClock()
    patience = Patience(clock)
    for refused in ({"shop/curl": "x"}, {}, {"shop/curl": "x"}):
        patience.spend(refused)
        clock.sleep(refusals.LASTING - 1)


def test_what_keeps_a_pod_from_running_is_told() -> None:
    """No node for it, no image."""
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    pods: list[Object] = [{"status": {"conditions": [unschedulable]}}, {"status": {"containerStatuses": [waiting]}}]
    found = list(refusals.reasons(deployment(QUOTA), pods))
    assert found == [QUOTA, "Unschedulable: 0/3 nodes", "ImagePullBackOff: no such image"]


def test_an_object_that_is_refused_is_told_with_the_refusers_words() -> None:
    """Whoever it is, as the API server names it."""

    class Guarded(FakeKube):
        def apply(self, obj: Object, **_named: Any) -> Object:
            if obj["kind"] == "Deployment":
                raise Forbidden('admission webhook "guard" denied the request: ask first (PATCH …: 403)')
            return super().apply(obj)

    with pytest.raises(BrokenEnvironment) as caught:
        bookinfo.install(cast(Kube, Guarded()), PLACES, "r1", within=1)
    assert "the cluster does not take Deployment shop" in str(caught.value)
    assert f'admission webhook "guard" denied the request: ask first (PATCH …: 403): {EXEMPT}' in str(caught.value)


def policy(kube: FakeKube, kind: str, manager: str) -> None:
    """A policy that somebody made in a namespace of ours."""
    meta = {"name": "default", "namespace": "shop", "managedFields": [{"manager": manager}]}
    kube.objects[kind, "shop", "default"] = {"metadata": meta}


@pytest.mark.parametrize("kind", [*refusals.DECIDING, refusals.NETWORK])
def test_policies_that_come_by_themselves_end_the_run(kind: str) -> None:
    """A policy engine's default for new namespaces would be judged in place of the mesh; ours are no such."""
    kube = FakeKube()
    policy(kube, kind, "pytest-ambient")
    undecided(cast(Kube, kube), PLACES.ours, answered=False)
    policy(kube, kind, "kyverno")
    with pytest.raises(BrokenEnvironment) as caught:
        undecided(cast(Kube, kube), PLACES.ours, answered=False)
    told = (
        f"{kind.rpartition('/')[2]} shop/default came into a namespace of this run by itself and decides here: {EXEMPT}"
    )
    assert str(caught.value) == told


def test_a_network_policy_that_lets_bookinfo_answer_is_borne() -> None:
    """It admits the mesh's port."""
    kube = FakeKube()
    policy(kube, refusals.NETWORK, "kyverno")
    undecided(cast(Kube, kube), PLACES.ours, answered=True)
