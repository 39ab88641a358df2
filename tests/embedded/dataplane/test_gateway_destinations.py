"""What DestinationRules say is followed at an ingress gateway, too."""

import json
from collections.abc import Iterator

import pytest

from pytest_ambient.embedded.istiod.destination_model import Hash
from pytest_ambient.embedded.istiod.model import Backend, Destination, Ejection, Policy, Route, RouteRule, Subset

from .entrance import Entry, route
from .world import eventually

V1 = Subset({"version": "v1"}, Policy())


@pytest.fixture(scope="module")
def pair(entry: Entry) -> Iterator[str]:
    """The key of a Service with two pods."""
    before = entry.world.mesh
    made = entry.world.service("pair", *(entry.world.pod(f"pair-v{number}", 9080) for number in (1, 2)))
    yield made.key
    entry.world.push(before)
    entry.world.mesh = before


def to(service: str, subset: str = "") -> Route:
    """A route for everything to that Service."""
    return Route("r", "bookinfo", "", None, (RouteRule((), (Backend(service, 9080, subset=subset),)),))


def answering(entry: Entry, *arguments: str) -> list[str]:
    """Who answers four requests."""
    replies = [entry.world.call(entry.outsider, entry.front, "/", *arguments) for _ in range(4)]
    return [each.pod or str(each.status) for each in replies]


def test_balancing(entry: Entry, pair: str) -> None:
    """Round robin is one after the other."""
    with entry.following(to(pair), destinations={pair: Destination(Policy("ROUND_ROBIN"))}):
        found = answering(entry)
    assert (found[:2], set(found)) == (found[2:], {"pair-v1", "pair-v2"})


@pytest.mark.parametrize(("subset", "pods"), [("v1", {"pair-v1"}), ("v2", {"503"}), ("", {"pair-v1", "pair-v2"})])
def test_subsets(entry: Entry, pair: str, subset: str, pods: set[str]) -> None:
    """A route that names a subset leads to the endpoints with its labels; one that nobody knows is 503."""
    said = {pair: Destination(Policy("ROUND_ROBIN"), {"v1": V1})}
    virtual = Route("r", "bookinfo", "", None, to(pair, subset).rules, virtual=True)
    with entry.following(virtual, destinations=said):
        assert set(answering(entry)) == pods


def test_like_requests_come_to_the_same_endpoint(entry: Entry, pair: str) -> None:
    """Each user has an endpoint, not all the same."""
    with entry.following(to(pair), destinations={pair: Destination(Policy(hash=Hash("header", "x-user", size=1024)))}):
        found = [set(answering(entry, "-H", f"x-user: {user}")) for user in range(12)]
    assert {len(each) for each in found} == {1}
    assert set.union(*found) == {"pair-v1", "pair-v2"}


def test_failing_endpoint_is_ejected(entry: Entry) -> None:
    """After one failure nobody is left, which the gateway says by itself."""
    before, ejection = entry.world.mesh, Ejection(errors=1, interval=0.1, max_percent=100)
    dead = entry.world.service("dead", entry.world.pod("dead-v1", 9080, dead=True)).key
    try:
        with entry.following(to(dead), destinations={dead: Destination(Policy(ejection=ejection))}):
            assert eventually(
                lambda: entry.world.call(entry.outsider, entry.front, "/").body == "no healthy upstream", within=5
            )
    finally:
        entry.world.mesh = before


def test_connection_pools(entry: Entry) -> None:
    """Limits stand in the cluster, those of a port before those of all."""
    said = Destination(Policy(max_connections=7), ports={9080: Policy(max_connections=8, connect_timeout=2.0)})
    with entry.following(route(entry.reviews), destinations={entry.reviews.key: said}):
        _, _, body = entry.world.run(entry.world.plane.waypoint_admin("front-istio-abc", "bookinfo", "/config_dump"))
        dumped = next(each for each in json.loads(body)["configs"] if "dynamic_active_clusters" in each)
        clusters = {each["cluster"]["name"]: each["cluster"] for each in dumped["dynamic_active_clusters"]}
    cluster = clusters["outbound|9080||reviews.bookinfo.svc.cluster.local"]
    assert cluster["circuit_breakers"]["thresholds"][0]["max_connections"] == 8
    assert cluster["connect_timeout"] == "2s"
