"""Which endpoints of a Service a caller is led to, where the Service wants them near or callers to stay."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.embedded.dataplane.ca import Authority
from pytest_ambient.embedded.dataplane.dump import config_dump
from pytest_ambient.embedded.dataplane.nearest import balancing, by_node, nearest, serving
from pytest_ambient.embedded.istiod.model import (
    Endpoint,
    Identity,
    Locality,
    Mesh,
    Nearness,
    Service,
    ServicePort,
    Workload,
)

from .conftest import Bookinfo

CALLS = 40
"""So many that each of two pods is among the answers."""
VIP = "127.{}.200.250"
ZONES: dict[str, Locality] = {"n1": ("r", "a", ""), "n2": ("r", "a", ""), "n3": ("r", "b", "")}


def pod(name: str, node: str, *, ready: bool = True) -> Workload:
    """A pod on that node."""
    who, at = Identity("here", name), f"127.90.1.{name}"
    return Workload(name, "here", at, who, node, {}, name, "pod", ready=ready, captured=True, sockets={8080: name})


def mesh(*pods: Workload) -> tuple[Mesh, Service]:
    """Nodes in two zones, and a Service with these pods behind it."""
    behind = tuple(Endpoint(each.uid, {80: 8080}) for each in pods)
    made = Service("web", "here", "127.90.200.1", (ServicePort(80, "http", "HTTP"),), behind)
    return Mesh({each.uid: each for each in pods}, {made.key: made}, localities=ZONES), made


@pytest.mark.parametrize(
    ("wanted", "node", "found"),
    [
        ("anywhere", "n1", "123"),
        ("zone", "n1", "12"),
        ("zone", "n3", "3"),
        ("zone", "elsewhere", "123"),
        ("node", "n1", "1"),
        ("node", "n4", "3"),
        ("own-node", "n2", "2"),
        ("own-node", "elsewhere", ""),
    ],
)
def test_the_nearest_of_three(wanted: Nearness, node: str, found: str) -> None:
    """Those that share most with the caller's node, all where none is nearer, none where it must be the node itself."""
    world, service = mesh(pod("1", "n1"), pod("2", "n2"), pod("3", "n3"))
    world = replace(world, localities={**ZONES, "n4": ("r", "b", "")})
    near = nearest(world, wanted, serving(world, service, 80), node)
    assert "".join(each.name for each, _ in near) == found


def test_who_serves_a_port() -> None:
    """Ready pods, all of them where the Service wants that; none behind a port that it has not."""
    world, service = mesh(pod("1", "n1"), pod("2", "n2", ready=False))
    assert [each.name for each, _ in serving(world, service, 80)] == ["1"]
    assert [each.name for each, _ in serving(world, replace(service, unready_too=True), 80)] == ["1", "2"]
    assert serving(world, service, 81) == []


def test_pods_by_their_nodes() -> None:
    """Captured ones apart from the others."""
    world, _ = mesh(pod("1", "n1"), pod("2", "n1"), pod("3", "n3"))
    groups = by_node(world, frozenset({"127.90.1.1"}))
    one = {"prefix_len": 32}
    assert groups["n1"].captured == [{"address_prefix": "127.90.1.1", **one}]
    assert groups["n1"].others == [{"address_prefix": "127.90.1.2", **one}]
    assert (groups["n3"].captured, groups["n3"].others) == ([], [{"address_prefix": "127.90.1.3", **one}])


@pytest.mark.parametrize(
    ("wanted", "unready", "mode", "scopes"),
    [
        ("own-node", False, "Strict", ["Node"]),
        ("zone", False, "Failover", ["Network", "Region", "Zone"]),
        ("node", True, "Failover", ["Network", "Region", "Zone", "Subzone", "Node"]),
        ("anywhere", True, "Standard", []),
    ],
)
def test_ztunnel_tells_how_it_chooses(
    tmp_path: Path, wanted: Nearness, unready: bool, mode: str, scopes: list[str]
) -> None:
    """In the words of its config_dump, where workloads have a place, too."""
    world, service = mesh(pod("1", "n1"))
    chosen = replace(service, nearness=wanted, unready_too=unready)
    dump = config_dump(replace(world, services={chosen.key: chosen}), "n1", Authority(tmp_path))
    health = "AllowAll" if unready else "OnlyHealthy"
    assert dump["services"][0]["loadBalancer"] == {"mode": mode, "routingPreferences": scopes, "healthPolicy": health}
    assert dump["workloads"][0]["locality"] == {"region": "r", "zone": "a", "subzone": ""}
    assert balancing(service) is None


def led(bookinfo: Bookinfo, world: Mesh, source: Workload, **said: Any) -> set[str]:
    """Which pods answer that caller where the Service says so; `-` stands for none."""
    service = replace(world.services["bookinfo/near"], **said)
    with bookinfo.world.having(workloads=world.workloads, services={**world.services, service.key: service}):
        return {bookinfo.world.call(source, service).pod or "-" for _ in range(CALLS)}


def test_callers_are_led_by_their_node(bookinfo: Bookinfo) -> None:
    """Captured or not, each by its own measure; where no pod is near enough, ztunnel says that none is healthy."""
    here, there = bookinfo.reviews
    mesh = bookinfo.world.mesh
    near = Service("near", "bookinfo", VIP.format(bookinfo.world.addresses.block), bookinfo.to_details.ports, ())
    near = replace(near, endpoints=tuple(Endpoint(each.uid, {9080: 9080}) for each in (here, there)))
    moved = replace(mesh, workloads={**mesh.workloads, there.uid: replace(there, node="node-2")})
    world = replace(moved, services={**moved.services, near.key: near})
    assert led(bookinfo, world, bookinfo.curl) == {"reviews-v1", "reviews-v2"}
    assert led(bookinfo, world, bookinfo.curl, nearness="own-node", node_nearness="own-node") == {"reviews-v1"}
    assert led(bookinfo, world, bookinfo.outside, nearness="own-node", node_nearness="own-node") == {"reviews-v1"}
    assert led(bookinfo, world, bookinfo.outside, nearness="node") == {"reviews-v1", "reviews-v2"}
    alone = {"endpoints": near.endpoints[1:], "nearness": "own-node", "node_nearness": "own-node"}
    assert led(bookinfo, world, bookinfo.curl, **alone) == {"-"}
    assert bookinfo.world.logged("istio-system/ztunnel-abc", "no healthy upstream", near.vip)


def test_callers_without_ztunnel_stay(bookinfo: Bookinfo) -> None:
    """With one endpoint, where the Service wants that; ztunnel goes on choosing."""
    mesh = bookinfo.world.mesh
    near = Service("near", "bookinfo", VIP.format(bookinfo.world.addresses.block), bookinfo.to_details.ports, ())
    near = replace(near, endpoints=tuple(Endpoint(each.uid, {9080: 9080}) for each in bookinfo.reviews))
    world = replace(mesh, services={**mesh.services, near.key: near})
    assert len(led(bookinfo, world, bookinfo.outside, sticky=True)) == 1
    assert len(led(bookinfo, world, bookinfo.curl, sticky=True)) == 2


def test_a_waypoint_goes_to_what_is_near_to_it(bookinfo: Bookinfo) -> None:
    """It runs on node-1."""
    mesh, there = bookinfo.world.mesh, bookinfo.reviews[1]
    moved = {**mesh.workloads, there.uid: replace(there, node="node-2")}
    service = replace(bookinfo.to_reviews, nearness="node")
    with bookinfo.world.having(workloads=moved, services={**mesh.services, service.key: service}):
        assert {bookinfo.world.call(bookinfo.curl, service).pod for _ in range(CALLS)} == {"reviews-v1"}
