"""What a change of policies does to connections that are open (recorded on Istio 1.30.3)."""

import asyncio
import re
import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from pytest_ambient.embedded.dataplane.openings import Openings, refuses
from pytest_ambient.embedded.dataplane.policy import Arrival, decide
from pytest_ambient.embedded.istiod.model import Identity, L4Match, Mesh, StringMatch, Workload

from .conftest import Bookinfo
from .l4 import CURL, ZTUNNEL, policy
from .world import Reply

ANYBODY = StringMatch("presence")


async def talk(source: str, address: str, seconds: float) -> str:
    """Ask again and again on one connection; returns how that ended."""
    reader, writer = await asyncio.open_connection(address, 9080, local_addr=(source, 0))
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        while clock() - began < seconds:
            writer.write(b"GET / HTTP/1.1\r\nHost: details\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", head.lower())
            await reader.readexactly(int(size[1]) if size else 0)
            await asyncio.sleep(0.05)
    except (OSError, asyncio.IncompleteReadError):
        return "cut"
    finally:
        writer.close()
    return "answered to the end"


def conversations(bookinfo: Bookinfo) -> list["Future[str]"]:
    """Four open connections: captured and not, to the Service and to the pod."""
    callers, places = (bookinfo.curl, bookinfo.outside), (bookinfo.to_details.vip, bookinfo.details.address)
    pairs = [(caller.address, place) for caller in callers for place in places]
    loop = bookinfo.world.loop
    return [asyncio.run_coroutine_threadsafe(talk(*pair, seconds=1.7), loop) for pair in pairs]


ON, OFF = ["answered to the end"] * 2, ["cut"] * 2


@pytest.mark.parametrize(
    ("matches", "selective", "captured", "outside"),
    [
        pytest.param(L4Match(principals=(CURL,)), False, OFF, ON, id="namespace-deny-cuts-whom-it-denies"),
        pytest.param(L4Match(principals=(CURL,)), True, ON, ON, id="selector-deny-cuts-nobody"),
        pytest.param(L4Match(not_principals=(ANYBODY,)), True, ON, ON, id="strict-cuts-nobody"),
        pytest.param(L4Match(not_principals=(ANYBODY,)), False, ON, OFF, id="namespace-deny-of-plaintext"),
        pytest.param(L4Match(namespaces=(StringMatch("exact", "no"),)), False, ON, ON, id="deny-of-others"),
    ],
)
def test_policy_and_open_connections(
    bookinfo: Bookinfo, matches: L4Match, selective: bool, captured: list[str], outside: list[str]
) -> None:
    """A policy without selector ends what it would now refuse; one with a selector only refuses what is new."""
    held = policy("DENY", matches, scope="WorkloadSelector" if selective else "Namespace")
    listing = replace(bookinfo.details, policies=tuple(held) if selective else ())
    workloads = {**bookinfo.world.mesh.workloads, listing.uid: listing}
    started = begin(bookinfo)
    with bookinfo.world.having(l4_policies=held, workloads=workloads):
        ended = [each.result(9) for each in started]
    assert (ended[:2], ended[2:]) == (captured, outside)
    if captured == OFF:
        assert bookinfo.world.logged(ZTUNNEL, 'direction="inbound"', 'error="connection closed due to policy change"')


def test_a_new_pod_leaves_open_connections_alone(bookinfo: Bookinfo) -> None:
    """Pods and Services come and go without a word to those who talk."""
    world = bookinfo.world
    address = world.addresses.pods.take()
    another = replace(bookinfo.curl, name="another", address=address)
    started = begin(bookinfo)
    with world.having(workloads={**world.mesh.workloads, another.uid: another}):
        assert [each.result(9) for each in started] == ON + ON


def begin(bookinfo: Bookinfo) -> list["Future[str]"]:
    """Open the connections, and see that each is in use."""
    started = conversations(bookinfo)
    bookinfo.world.run(asyncio.sleep(0.2))
    assert not any(each.done() for each in started)
    return started


def pod(name: str, address: str, **more: Any) -> Workload:
    """A captured pod."""
    identity = Identity("bookinfo", name)
    return Workload(name, "bookinfo", address, identity, "n", {}, name, "deployment", True, True, {9080: "/s"}, **more)


@pytest.mark.parametrize(
    ("match", "refused"),
    [
        (L4Match(principals=(CURL,)), True),
        (L4Match(principals=(StringMatch("suffix", "/sa/other"),)), False),
        (L4Match(not_principals=(CURL,)), False),
        (L4Match(namespaces=(StringMatch("exact", "bookinfo"),)), True),
        (L4Match(namespaces=(StringMatch("prefix", "book"),), principals=(StringMatch("prefix", "other"),)), False),
        (L4Match(service_accounts=(Identity("x", "curl"), Identity("bookinfo", "curl"))), True),
        (L4Match(source_ips=("127.64.1.0/24",)), True),
        (L4Match(not_source_ips=("127.64.1.1",)), False),
        (L4Match(principals=(ANYBODY,)), True),
    ],
)
def test_refuses(match: L4Match, refused: bool) -> None:
    """Whether a caller is refused can be said without asking Envoy."""
    caller, arrival = pod("curl", "127.64.1.1"), Arrival("127.64.1.2", 9080, mutual_tls=True)
    assert refuses(decide(policy("DENY", match).values(), arrival), caller) is refused
    assert refuses(decide(policy("ALLOW", match).values(), arrival), caller) is not refused


def test_what_is_remembered() -> None:
    """Tunnels end when a policy without selector refuses somebody anew, not when it goes or changes nothing."""
    curl, details = pod("curl", "127.64.1.1"), pod("details", "127.64.1.2")
    openings = Openings()
    mesh = Mesh(workloads={each.uid: each for each in (curl, details)})

    def follow(mesh: Mesh) -> int:
        openings.follow(mesh, [details])
        return openings.of(details).tunnels

    assert follow(mesh) == 0
    denied = replace(mesh, l4_policies=policy("DENY", L4Match(principals=(CURL,))))
    assert follow(denied) == 1
    assert follow(denied) == 1
    assert follow(mesh) == 1
    assert follow(replace(mesh, l4_policies=policy("DENY", L4Match(destination_ports=(80,))))) == 1
    assert follow(denied) == 2


@pytest.mark.parametrize(("mixed_up", "of_all", "of_one"), [(False, 1, 0), (True, 0, 1)])
def test_open_connections_mixed_up(mixed_up: bool, of_all: int, of_one: int) -> None:
    """Under that fault a policy with a selector ends tunnels and one without does not."""
    curl, details = pod("curl", "127.64.1.1"), pod("details", "127.64.1.2")
    for scope, ended in (("Namespace", of_all), ("WorkloadSelector", of_one)):
        openings, held = Openings(mixed_up=mixed_up), policy("DENY", L4Match(principals=(CURL,)), scope=scope)
        listing = replace(details, policies=tuple(held) if scope == "WorkloadSelector" else ())
        openings.follow(Mesh(workloads={each.uid: each for each in (curl, details)}), [details])
        openings.follow(Mesh(workloads={curl.uid: curl, listing.uid: listing}, l4_policies=held), [listing])
        assert openings.of(details).tunnels == ended


def test_no_connection_meets_a_gap(bookinfo: Bookinfo) -> None:
    """While policies come and go each connection is answered or refused with a word of ztunnel's, nothing between."""
    world, seen = bookinfo.world, list[tuple[Workload, Reply]]()
    held = policy("ALLOW", L4Match(principals=(CURL,)), scope="WorkloadSelector")
    listing = replace(bookinfo.details, policies=tuple(held))
    ended = threading.Event()

    def call(caller: Workload) -> None:
        while not ended.is_set():
            seen.append((caller, world.call(caller, bookinfo.to_details)))

    threads = [threading.Thread(target=call, args=(each,)) for each in (bookinfo.outside, bookinfo.reviews[0])]
    for each in threads:
        each.start()
    for _ in range(6):
        with world.having(l4_policies=held, workloads={**world.mesh.workloads, listing.uid: listing}):
            world.run(asyncio.sleep(0.1))
    ended.set()
    for each in threads:
        each.join()
    assert {reply.exit for _, reply in seen} <= {0, 52, 56}
    for caller, reply in seen:
        lines = world.logged(ZTUNNEL, f"src.addr={caller.address}:{reply.port} ")
        assert ("policy rejection" in lines[-1] or "401 Unauthorized" in lines[-1]) is (reply.status == 0)


def test_a_restarted_ztunnel_ends_what_ran_through_it() -> None:
    """On its own node; a new one beside the old, and the first of all, end nothing."""
    openings = Openings()
    near = Workload(
        "near",
        "a",
        "127.1.0.76",
        Identity("a", "x"),
        "node-a",
        {},
        "near",
        "deployment",
        ready=True,
        captured=True,
        sockets={},
    )
    far = replace(near, name="far", address="127.1.0.77", node="node-b")

    def tunnels(*keepers: Workload) -> tuple[int, int]:
        pods = [near, far]
        mesh = Mesh(workloads={each.uid: each for each in (*pods, *keepers)})
        openings.follow(mesh, pods)
        return openings.of(near).tunnels, openings.of(far).tunnels

    first = replace(near, name="ztunnel-a", namespace="istio-system", controller="ztunnel", controller_kind="daemonset")
    second = replace(first, name="ztunnel-b", address="127.1.0.78")
    assert tunnels() == (0, 0)
    assert tunnels(first) == (0, 0)
    assert tunnels(first, second) == (0, 0)
    assert tunnels(second) == (1, 0)
    assert tunnels(second) == (1, 0)
    assert tunnels() == (2, 0)
