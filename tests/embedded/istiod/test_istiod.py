"""The control plane over a store: what it pushes, what it reports, and when."""

import asyncio
from collections.abc import Awaitable, Callable

from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.istiod import SLOW, Istiod
from pytest_ambient.embedded.istiod.model import Mesh
from pytest_ambient.embedded.istiod.view import GATEWAY_API, SECURITY
from pytest_ambient.embedded.objects import Object

from .world import USE_WAYPOINT, facts, namespace, policy, service, waypoint_objects

DENY: Object = {"action": "DENY", "rules": [{}]}


class Dataplane:
    """Keeps what it was told; fails as often as it is told to."""

    def __init__(self) -> None:
        self.meshes: list[Mesh] = []
        self.failures = 0

    async def push(self, mesh: Mesh) -> None:
        """Keep the mesh."""
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the proxies are away")
        self.meshes.append(mesh)

    async def until(self, check: Callable[[Mesh], bool]) -> None:
        """Wait for a mesh that passes the check."""
        async with asyncio.timeout(5):
            while not self.meshes or not check(self.meshes[-1]):
                await asyncio.sleep(0.005)


def run(
    scenario: Callable[[Store, Dataplane, Istiod], Awaitable[None]],
    faults: frozenset[Fault] = frozenset(),
    delay: float | None = None,
) -> None:
    """Run a scenario beside a started istiod."""

    async def whole() -> None:
        store, dataplane = Store(), Dataplane()
        store.create(find("Namespace"), namespace("bookinfo"))
        istiod = Istiod(store, dataplane, lambda uid: {}, faults=faults, debounce=0.001, delay=delay)
        await istiod.start()
        try:
            await scenario(store, dataplane, istiod)
        finally:
            await istiod.stop()

    asyncio.run(whole())


def fresh(item: Object) -> Object:
    """The object without the metadata that the store gives."""
    meta = {key: value for key, value in item["metadata"].items() if key in ("name", "namespace", "labels")}
    return item | {"metadata": meta}


def test_a_policy_is_pushed_and_reported() -> None:
    """Creating a policy reaches the data plane and its status; deleting it leaves the data plane."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        policies = find("AuthorizationPolicy", SECURITY)
        store.create(policies, fresh(policy("deny", DENY)))
        await dataplane.until(lambda mesh: "bookinfo/deny" in mesh.l4_policies)
        kept = store.get(policies, "deny", "bookinfo")
        assert kept is not None
        assert facts(kept["status"]) == [("ZtunnelAccepted", "True", "Accepted", "attached to ztunnel")]
        store.delete(policies, "deny", "bookinfo")
        await dataplane.until(lambda mesh: not mesh.l4_policies)

    run(scenario)


def test_a_waypoint_becomes_ready_and_its_service_bound() -> None:
    """From Gateway and Service to addresses, conditions and a bound Service, with nothing left to write."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        gateway, own = waypoint_objects()
        gateways, services = find("Gateway", GATEWAY_API), find("Service")
        store.create(services, fresh(service("reviews", labels={USE_WAYPOINT: "waypoint"})))
        store.create(gateways, fresh(gateway))
        await asyncio.sleep(0.05)
        waiting = store.get(services, "reviews", "bookinfo")
        assert waiting is not None
        assert facts(waiting["status"])[0][2] == "WaypointIsNotReady"
        store.create(services, fresh(own))
        await dataplane.until(lambda mesh: mesh.services["bookinfo/reviews"].waypoint is not None)
        bound, ready = store.get(services, "reviews", "bookinfo"), store.get(gateways, "waypoint", "bookinfo")
        assert bound is not None
        assert ready is not None
        assert facts(bound["status"])[0][2] == "WaypointAccepted"
        assert [each[:3] for each in facts(ready["status"])] == [
            ("Accepted", "True", "Accepted"),
            ("Programmed", "True", "Programmed"),
        ]
        await asyncio.sleep(0.05)
        version, pushes = store.version, len(dataplane.meshes)
        istiod.touch()
        await asyncio.sleep(0.05)
        assert (store.version, len(dataplane.meshes)) == (version, pushes)

    run(scenario)


def test_gateway_class_is_there_and_accepted() -> None:
    """istiod brings the waypoint's GatewayClass."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        await dataplane.until(lambda mesh: True)
        item = store.get(find("GatewayClass", GATEWAY_API), "istio-waypoint")
        assert item is not None
        assert facts(item["status"]) == [("Accepted", "True", "Accepted", "Handled by Istio controller")]

    run(scenario)


def test_status_is_right_while_the_mesh_is_broken() -> None:
    """Under a fault the status says what a healthy mesh would say."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        policies = find("AuthorizationPolicy", SECURITY)
        store.create(policies, fresh(policy("deny", DENY)))
        await asyncio.sleep(0.05)
        kept = store.get(policies, "deny", "bookinfo")
        assert kept is not None
        assert facts(kept["status"])[0][2] == "Accepted"
        assert not dataplane.meshes[-1].l4_policies

    run(scenario, frozenset({Fault.POLICY_IGNORED}))


def test_slow_propagation_delays_policies_and_nothing_else() -> None:
    """A policy arrives after the delay, a Service at once; the policy's removal is late too."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        policies = find("AuthorizationPolicy", SECURITY)
        store.create(policies, fresh(policy("deny", DENY)))
        store.create(find("Service"), fresh(service("reviews")))
        await dataplane.until(lambda mesh: bool(mesh.services))
        assert not dataplane.meshes[-1].l4_policies
        await dataplane.until(lambda mesh: bool(mesh.l4_policies))
        store.delete(policies, "deny", "bookinfo")
        await asyncio.sleep(0.05)
        assert dataplane.meshes[-1].l4_policies
        await dataplane.until(lambda mesh: not mesh.l4_policies)

    run(scenario, delay=0.2)


def test_the_fault_slow_propagation_delays_by_a_minute() -> None:
    """Under the fault a policy is not there for as long as any rule waits."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        store.create(find("AuthorizationPolicy", SECURITY), fresh(policy("deny", DENY)))
        await asyncio.sleep(0.1)
        assert not dataplane.meshes[-1].l4_policies

    assert SLOW == 60
    run(scenario, frozenset({Fault.SLOW_PROPAGATION}))


def test_a_push_that_failed_is_repeated_at_the_next_change() -> None:
    """A failing data plane is logged and told again; istiod lives on."""

    async def scenario(store: Store, dataplane: Dataplane, istiod: Istiod) -> None:
        dataplane.failures = 1
        store.create(find("Service"), fresh(service("reviews")))
        await asyncio.sleep(0.05)
        istiod.touch()
        await dataplane.until(lambda mesh: "bookinfo/reviews" in mesh.services)

    run(scenario)
