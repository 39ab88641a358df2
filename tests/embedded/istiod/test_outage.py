"""While no istiod is ready proxies keep what they know, nothing is reported, and Istio's objects are refused."""

import asyncio
from functools import partial
from typing import Any

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.istiod import Istiod
from pytest_ambient.embedded.istiod.view import DISCOVERY, GATEWAY_API, SECURITY
from pytest_ambient.embedded.objects import Object

from .test_istiod import DENY, Dataplane, fresh, run
from .world import endpoint_slice, pod, policy, service, waypoint_objects

POLICIES, GATEWAYS, SLICES = (
    find("AuthorizationPolicy", SECURITY),
    find("Gateway", GATEWAY_API),
    find("EndpointSlice", DISCOVERY),
)
DB_A, DB_B = ("Kubernetes//Pod/bookinfo/db-a", "Kubernetes//Pod/bookinfo/db-b")


def istiod_is(store: Store, *, ready: bool) -> None:
    """Let istiod's Service have a ready pod, or none."""
    labels = {"kubernetes.io/service-name": "istiod"}
    meta: dict[str, Any] = {"name": "istiod-x", "namespace": "istio-system", "labels": labels}
    item: dict[str, Any] = {"metadata": meta, "addressType": "IPv4", "ports": [], "endpoints": []}
    item["endpoints"] = [{"addresses": ["127.0.0.9"], "conditions": {"ready": True}}] if ready else []
    known = store.get(SLICES, "istiod-x", "istio-system")
    if known is None:
        store.create(find("Namespace"), {"metadata": {"name": "istio-system"}})
        store.create(SLICES, item)
    else:
        store.replace(SLICES, {**known, "endpoints": item["endpoints"]})


async def gone(store: Store, dataplane: Dataplane) -> None:
    """An istiod that was there and is away, with a policy that the proxies know."""
    istiod_is(store, ready=True)
    store.create(POLICIES, fresh(policy("deny", DENY)))
    await dataplane.until(lambda mesh: "bookinfo/deny" in mesh.l4_policies)
    istiod_is(store, ready=False)
    await asyncio.sleep(0.05)


def test_proxies_keep_what_they_know() -> None:
    """A policy that goes holds on; once istiod is back, it goes."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        await gone(store, dataplane)
        store.delete(POLICIES, "deny", "bookinfo")
        await asyncio.sleep(0.05)
        assert "bookinfo/deny" in dataplane.meshes[-1].l4_policies
        istiod_is(store, ready=True)
        await dataplane.until(lambda mesh: not mesh.l4_policies)

    run(scenario)


def test_istios_objects_are_refused_as_its_webhook_cannot_be_asked() -> None:
    """In the API server's words; other kinds are stored, and nothing is said about them before istiod is back."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        await gone(store, dataplane)
        with pytest.raises(ApiError) as refused:
            store.create(POLICIES, fresh(policy("late", DENY)))
        assert (refused.value.status, refused.value.reason) == (500, "InternalError")
        assert str(refused.value) == (
            'Internal error occurred: failed calling webhook "validation.istio.io": failed to call webhook: Post '
            '"https://istiod.istio-system.svc:443/validate?timeout=10s": no endpoints available for service "istiod"'
        )
        gateway, own = waypoint_objects()
        store.create(GATEWAYS, fresh(gateway))
        store.create(find("Service"), fresh(own))
        await asyncio.sleep(0.05)
        kept = store.get(GATEWAYS, "waypoint", "bookinfo")
        assert kept is not None
        assert {each["message"] for each in kept["status"]["conditions"]} == {"Waiting for controller"}
        istiod_is(store, ready=True)
        await dataplane.until(lambda mesh: "bookinfo/waypoint" in mesh.waypoints)
        store.create(POLICIES, fresh(policy("late", DENY)))

    run(scenario)


def test_nobody_is_told_of_new_services() -> None:
    """They are there all the same."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        await gone(store, dataplane)
        store.create(find("Service"), fresh(service("reviews")))
        await dataplane.until(lambda mesh: mesh.now is not None and "bookinfo/reviews" in mesh.now.services)
        assert "bookinfo/reviews" not in dataplane.meshes[-1].services
        istiod_is(store, ready=True)
        await dataplane.until(lambda mesh: "bookinfo/reviews" in mesh.services)

    run(scenario)


def test_nobody_is_told_of_new_pods() -> None:
    """They are there all the same; without a ztunnel, or in the place of one of the same name, they go on."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        create = partial(store.create, find("Pod"))
        store.create(SLICES, fresh(endpoint_slice("db", "db-0")))
        create(complete(pod("db-0", "db", "127.9.1.1")))
        await dataplane.until(lambda mesh: "Kubernetes//Pod/bookinfo/db-0" in mesh.workloads)
        await gone(store, dataplane)
        store.delete(find("Pod"), "db-0", "bookinfo", grace=0)
        plain = complete(pod("plain", "plain", "127.9.1.3"))
        del plain["metadata"]["annotations"]
        for each in (plain, complete(pod("late", "late", "127.9.1.2")), complete(pod("db-0", "db", "127.9.1.4"))):
            create(each)
        await dataplane.until(lambda mesh: mesh.now is not None and len(mesh.now.workloads) == 3)
        told = sorted(each.address for each in dataplane.meshes[-1].workloads.values())
        assert told == ["127.9.1.1", "127.9.1.3", "127.9.1.4"]
        istiod_is(store, ready=True)
        await dataplane.until(lambda mesh: mesh.now is None and len(mesh.workloads) == 3)

    run(scenario)


def test_services_keep_the_pods_of_then() -> None:
    """The ones that replace them, and a pod that fails, are told of when istiod is back."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        store.create(find("Service"), {**fresh(service("db")), "status": {}})
        store.create(SLICES, fresh(endpoint_slice("db", "db-a")))
        store.create(find("Pod"), complete(pod("db-a", "db", "127.9.1.1")))
        await dataplane.until(lambda mesh: DB_A in mesh.workloads)
        before = dataplane.meshes[-1].services["bookinfo/db"]
        assert [each.workload for each in before.endpoints] == [DB_A]
        await gone(store, dataplane)
        store.create(find("Pod"), complete(pod("db-b", "db", "127.9.1.2")))
        kept = store.get(SLICES, "db-x", "bookinfo")
        assert kept is not None
        store.replace(SLICES, {**kept, "endpoints": endpoint_slice("db", "db-b")["endpoints"]})
        store.delete(find("Pod"), "db-a", "bookinfo", grace=0)
        await dataplane.until(lambda mesh: mesh.now is not None and [*mesh.now.workloads] == [DB_B])
        assert dataplane.meshes[-1].services["bookinfo/db"] == before
        assert DB_A in dataplane.meshes[-1].workloads
        istiod_is(store, ready=True)
        await dataplane.until(lambda mesh: mesh.now is None and mesh.services["bookinfo/db"] != before)

    run(scenario)


def complete(item: Object) -> Object:
    """A pod for the store, with its address."""
    return {**fresh(item), "metadata": {**fresh(item)["metadata"], "annotations": item["metadata"]["annotations"]}}


def test_a_cluster_without_an_istiod_yet_has_no_outage() -> None:
    """What starts is served before its istiod is ready."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        istiod_is(store, ready=False)
        store.create(POLICIES, fresh(policy("deny", DENY)))
        await dataplane.until(lambda mesh: "bookinfo/deny" in mesh.l4_policies)

    run(scenario)


def test_a_fault_breaks_what_is_kept() -> None:
    """Proxies that forget without istiod do so once it is away, and know again when it is back."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        await gone(store, dataplane)
        assert "bookinfo/deny" in dataplane.meshes[-1].l4_policies

    run(scenario, frozenset({Fault.POLICY_ON_WRONG_WORKLOAD}))
