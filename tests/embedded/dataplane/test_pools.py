"""How a waypoint keeps its connections to endpoints, seen on the wire and in what its Envoy counts."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pytest_ambient.embedded.istiod.model import (
    Backend,
    Destination,
    Ejection,
    Keepalive,
    Policy,
    Retries,
    RetryBudget,
    RouteRule,
)
from pytest_ambient.embedded.objects import Object

from .conftest import Bookinfo
from .test_virtual_routes import ATTEMPTS, EVERYTHING, OWN, virtual
from .world import World, eventually


def said(policy: Policy) -> dict[str, Destination]:
    """A DestinationRule for Service reviews."""
    return {"bookinfo/reviews": Destination(policy)}


def ended(world: World) -> int:
    """How many connections of the waypoint's to pods are over."""
    parts = ('src.workload="waypoint-abc"', 'direction="inbound"')
    return sum(all(part in line for part in parts) for line in world.logs.get("istio-system/ztunnel-abc", []))


@pytest.mark.parametrize(
    ("policy", "ends"),
    [
        pytest.param(Policy(requests_per_connection=9, idle=60.0), False, id="without-a-word"),
        pytest.param(Policy(idle=0.4), True, id="idle"),
        pytest.param(Policy(idle=60.0, http_idle=0.4), True, id="idle-for-requests"),
        pytest.param(Policy(idle=0.4, http_idle=60.0), False, id="idle-but-not-for-requests"),
        pytest.param(Policy(longest=0.4), True, id="longest"),
    ],
)
def test_connections_end_in_time(bookinfo: Bookinfo, policy: Policy, ends: bool) -> None:
    """What is kept for later requests is closed when it is due."""
    world = bookinfo.world
    with world.having(destinations=said(policy)):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        time.sleep(0.2)  # those of the cluster before are over then
        before = ended(world)
        assert eventually(lambda: ended(world) > before, within=2 if ends else 0.6) is ends


@pytest.mark.parametrize(
    "policy", [pytest.param(Policy(idle=0.3), id="idle"), pytest.param(Policy(longest=0.3), id="longest")]
)
def test_copied_connections_end_in_time(bookinfo: Bookinfo, policy: Policy) -> None:
    """Those that carry no requests too: the caller's own."""
    world, service = bookinfo.world, bookinfo.to_tcp
    ended = []
    for asked in (Policy(), policy):
        with (
            world.having(destinations={service.key: Destination(asked)}),
            socket.create_connection((service.vip, 9000), timeout=1, source_address=(bookinfo.curl.address, 0)) as held,
        ):
            try:
                ended.append(held.recv(1) == b"")
            except TimeoutError:
                ended.append(False)
    assert ended == [False, True]


SNIFFED: Object = {"sniffed": True}
SECOND: Object = {"http2": True}
BY_SECOND = ("--http2-prior-knowledge",)


@pytest.mark.parametrize(
    ("policy", "port", "arguments", "two"),
    [
        pytest.param(Policy(), {}, BY_SECOND, False, id="the-ports-own"),
        pytest.param(Policy(), SECOND, (), True, id="the-ports-own-second"),
        pytest.param(Policy(speaks="HTTP/2"), {}, (), True, id="upgraded"),
        pytest.param(Policy(speaks="client's"), {}, BY_SECOND, True, id="the-clients-second"),
        pytest.param(Policy(speaks="client's"), SECOND, (), False, id="the-clients-first"),
        pytest.param(Policy(), SNIFFED, BY_SECOND, True, id="as-it-came"),
        pytest.param(Policy(speaks="HTTP/2"), SNIFFED, (), False, id="not-upgraded-where-anything-comes"),
    ],
)
def test_protocol_towards_endpoints(
    bookinfo: Bookinfo, policy: Policy, port: Object, arguments: tuple[str, ...], two: bool
) -> None:
    """An application that knows HTTP/1.1 alone is greeted in HTTP/2, for which the waypoint answers 502."""
    world = bookinfo.world
    service = replace(bookinfo.to_reviews, ports=(replace(bookinfo.to_reviews.ports[0], **port),))
    services = {**world.mesh.services, service.key: service}
    with world.having(destinations=said(policy), services=services):
        world.asked.clear()
        reply = world.call(bookinfo.curl, service, "/spoken", *arguments)
    greeted = any(each.endswith(" *") for each in world.asked)
    assert (reply.status, greeted) == ((502, True) if two else (200, False))


@pytest.mark.parametrize(
    ("policy", "port", "other", "told"),
    [
        pytest.param(Policy(streams=2), SECOND, False, 2, id="of-the-port"),
        pytest.param(Policy(streams=2, speaks="HTTP/2"), {}, False, None, id="upgraded"),
        pytest.param(Policy(streams=2, speaks="HTTP/2"), {}, True, 2, id="upgraded-beyond"),
    ],
)
def test_requests_of_one_connection(
    bookinfo: Bookinfo, policy: Policy, port: Object, other: bool, told: int | None
) -> None:
    """Envoy is told how many, but where a waypoint upgrades requests for Services of its own."""
    world = bookinfo.world
    service = bookinfo.to_details if other else bookinfo.to_reviews
    service = replace(service, ports=(replace(service.ports[0], **port),))
    services = {**world.mesh.services, service.key: service}
    rule = RouteRule(EVERYTHING, (Backend(service.key, 9080),))
    with virtual(bookinfo, rule, destinations={service.key: Destination(policy)}, services=services):
        found = [each["explicit_http_config"] for each in _options(world) if "explicit_http_config" in each]
    streams = [each["http2_protocol_options"].get("max_concurrent_streams") for each in found]
    assert set(streams) == {told}


def _options(world: World) -> Iterator[Object]:
    """The options of HTTP that the waypoint's Envoy has for Services."""
    _, _, body = world.run(world.plane.waypoint_admin("waypoint-abc", "bookinfo", "/config_dump"))
    clusters = next(each for each in json.loads(body)["configs"] if each["@type"].endswith("ClustersConfigDump"))
    for each in (found["cluster"] for found in clusters["dynamic_active_clusters"]):
        if "bound" in each["name"]:
            yield from each.get("typed_extension_protocol_options", {}).values()


def test_keepalive(bookinfo: Bookinfo) -> None:
    """Envoy is told what was asked for, and requests go their way."""
    world = bookinfo.world
    with world.having(destinations=said(Policy(keepalive=Keepalive(3, 10, 5)))):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        _, _, body = world.run(world.plane.waypoint_admin("waypoint-abc", "bookinfo", "/config_dump"))
    clusters = next(each for each in json.loads(body)["configs"] if each["@type"].endswith("ClustersConfigDump"))
    (told,) = (
        each["cluster"]["upstream_connection_options"]["tcp_keepalive"]
        for each in clusters["dynamic_active_clusters"]
        if "upstream_connection_options" in each["cluster"]
    )
    assert told == {"keepalive_probes": 3, "keepalive_time": 10, "keepalive_interval": 5}


@pytest.mark.parametrize(
    ("ejection", "ejected"),
    [
        pytest.param(Ejection(errors=1), True, id="together"),
        pytest.param(Ejection(errors=1, apart=True), False, id="apart"),
        pytest.param(Ejection(errors=0, apart=True, own_errors=1), True, id="apart-and-counted"),
    ],
)
def test_failures_that_are_no_answers(bookinfo: Bookinfo, ejection: Ejection, ejected: bool) -> None:
    """An endpoint that hangs up is ejected for it as for a 5xx, unless such failures are counted apart."""
    world = bookinfo.world
    asked = replace(ejection, interval=0.1, max_percent=100)
    broken = RouteRule(EVERYTHING, (Backend("bookinfo/dead", 9080),))
    with virtual(bookinfo, broken, destinations={"bookinfo/dead": Destination(Policy(ejection=asked))}):
        bodies = {world.call(bookinfo.curl, bookinfo.to_reviews).body for _ in range(4)}
    assert ("no healthy upstream" in bodies) is ejected


def test_retry_budget(bookinfo: Bookinfo) -> None:
    """Of four requests that fail at one time as many are tried again as the budget has for all of them."""
    world = bookinfo.world
    again = RouteRule(
        EVERYTHING, (OWN,), response_headers=ATTEMPTS, retries=Retries(1, "", (405,)), request_timeout=None
    )
    found = {}
    for least in (1, 9):
        policy = Policy(budget=RetryBudget(0.0, least), max_retries=9 if least == 1 else 1)
        with virtual(bookinfo, again, destinations=said(policy)), ThreadPoolExecutor(4) as pool:
            asked = [
                pool.submit(world.call, bookinfo.curl, bookinfo.to_reviews, "/delay/0.5", "-X", "DELETE")
                for _ in range(4)
            ]
            found[least] = sorted(each.result().headers["x-attempts"][0] for each in asked)
    assert found == {1: ["1", "1", "1", "2"], 9: ["2"] * 4}
