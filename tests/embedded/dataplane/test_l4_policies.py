"""Whom an L4 policy refuses at ztunnel, how soon, and what ztunnel says of it."""

import json
import socket
import subprocess
import time
from dataclasses import replace

import pytest

from pytest_ambient.embedded.istiod.model import Identity, L4Match, StringMatch, Workload

from .conftest import Bookinfo
from .l4 import CURL, ZTUNNEL, policy, refused
from .world import eventually


@pytest.mark.parametrize(
    ("match", "curl", "reviews", "outside"),
    [
        pytest.param(L4Match(principals=(CURL,)), True, False, False, id="principal"),
        pytest.param(L4Match(not_principals=(CURL,)), False, True, True, id="not-principal"),
        pytest.param(L4Match(principals=(StringMatch("suffix", "/sa/curl"),)), True, False, False, id="suffix"),
        pytest.param(L4Match(principals=(StringMatch("presence"),)), True, True, False, id="presence"),
        pytest.param(L4Match(namespaces=(StringMatch("exact", "bookinfo"),)), True, True, False, id="namespace"),
        pytest.param(L4Match(not_namespaces=(StringMatch("exact", "bookinfo"),)), False, False, True, id="not-ns"),
        pytest.param(L4Match(service_accounts=(Identity("bookinfo", "curl"),)), True, False, False, id="account"),
        pytest.param(L4Match(destination_ports=(9080,)), True, True, True, id="port"),
        pytest.param(L4Match(not_destination_ports=(9080,)), False, False, False, id="not-port"),
    ],
)
def test_deny(bookinfo: Bookinfo, match: L4Match, curl: bool, reviews: bool, outside: bool) -> None:
    """A DENY refuses whom it names, at once and on tunnels that are open, and the others are answered."""
    world, callers = bookinfo.world, (bookinfo.curl, bookinfo.reviews[0], bookinfo.outside)
    assert [world.call(each, bookinfo.to_details).status for each in callers] == [200, 200, 200]
    with world.having(l4_policies=policy("DENY", match)):
        replies = [world.call(each, bookinfo.to_details) for each in callers]
        assert [refused(each) for each in replies] == [curl, reviews, outside]
        assert [each.status for each in replies] == [0 if each else 200 for each in (curl, reviews, outside)]
    assert [world.call(each, bookinfo.to_details).status for each in callers] == [200, 200, 200]


@pytest.mark.parametrize("addressed", ["service", "pod"])
def test_allow_that_does_not_match(bookinfo: Bookinfo, addressed: str) -> None:
    """Whom no ALLOW names is refused; both ztunnels say so in their own words."""
    world = bookinfo.world
    pod = f"http://{bookinfo.details.address}:9080/"
    url = world.url(bookinfo.to_details) if addressed == "service" else pod
    only = L4Match(principals=(StringMatch("exact", "cluster.local/ns/bookinfo/sa/reviews"),))
    with world.having(l4_policies=policy("ALLOW", only)):
        assert world.curl(bookinfo.reviews[0], url).status == 200
        reply, outside = world.curl(bookinfo.curl, url), world.curl(bookinfo.outside, url)
    assert refused(reply)
    assert refused(outside)
    (sent,) = world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:{reply.port} ")
    assert "\terror\t" in sent
    assert sent.endswith('error="http status: 401 Unauthorized"')
    assert "bytes_sent=0 bytes_recv=0" in sent
    words = 'error="connection closed due to policy rejection: allow policies exist, but none allowed"'
    assert world.logged(ZTUNNEL, 'direction="inbound"', f"src.addr={bookinfo.curl.address}", words)
    assert world.logged(ZTUNNEL, f"src.addr={bookinfo.outside.address}:{outside.port} ", words)


def test_selector_policy_names_its_workloads(bookinfo: Bookinfo) -> None:
    """A policy with a selector holds only for workloads that list it, and the log names a DENY."""
    world = bookinfo.world
    deny = policy("DENY", L4Match(principals=(CURL,)), scope="WorkloadSelector", name="deny-curl")
    listing = replace(bookinfo.details, policies=("bookinfo/deny-curl",))
    with world.having(l4_policies=deny, workloads={**world.mesh.workloads, listing.uid: listing}):
        assert refused(world.call(bookinfo.curl, bookinfo.to_details))
        assert world.call(bookinfo.curl, bookinfo.to_store).status == 200
    assert world.logged(ZTUNNEL, 'policy rejection: explicitly denied by: bookinfo/deny-curl"')
    assert world.logged(ZTUNNEL, "\tinfo\txds:xds{id=1}\thandling RBAC update deny-curl\t")
    assert world.logged(ZTUNNEL, "\tinfo\txds:xds{id=1}\thandling RBAC delete bookinfo/deny-curl\t")


def test_strict_refuses_plaintext_only(bookinfo: Bookinfo) -> None:
    """STRICT closes the connection of a caller without certificate before it has said a word."""
    world = bookinfo.world
    strict = policy("DENY", L4Match(not_principals=(StringMatch("presence"),)), name="istio_converted_static_strict")
    with world.having(l4_policies=strict):
        assert world.call(bookinfo.curl, bookinfo.to_details).status == 200
        assert refused(world.call(bookinfo.outside, bookinfo.to_details))
        with socket.create_connection((bookinfo.details.address, 9080), 3, (bookinfo.outside.address, 0)) as silent:
            assert silent.recv(1) == b""
    assert world.logged(ZTUNNEL, f"src.addr={bookinfo.outside.address}", "istio_converted_static_strict")


def test_source_address_in_plaintext(bookinfo: Bookinfo) -> None:
    """A caller without certificate can still be told by its address."""
    world = bookinfo.world
    with world.having(l4_policies=policy("DENY", L4Match(source_ips=(f"{bookinfo.outside.address}/32",)))):
        assert refused(world.call(bookinfo.outside, bookinfo.to_details))
        assert world.call(bookinfo.curl, bookinfo.to_details).status == 200
    with world.having(l4_policies=policy("DENY", L4Match(source_ips=(bookinfo.curl.address,)))):
        assert refused(world.call(bookinfo.curl, bookinfo.to_details))
        assert world.call(bookinfo.outside, bookinfo.to_details).status == 200


def test_policy_takes_effect_within_a_tenth_of_a_second(bookinfo: Bookinfo) -> None:
    """Applying a policy returns when it holds, and that is soon."""
    started = time.monotonic()
    with bookinfo.world.having(l4_policies=policy("DENY", L4Match(principals=(CURL,)))):
        took = time.monotonic() - started
        assert refused(bookinfo.world.call(bookinfo.curl, bookinfo.to_details))
    assert took < 0.5  # some 30 ms on an idle machine


def _open(caller: Workload, address: str) -> list[str]:
    return ["curl", "-q", "-sS", "--max-time", "9", "--interface", caller.address, f"http://{address}:9080/delay/1"]


def test_open_connection_outlives_a_selector_policy(bookinfo: Bookinfo) -> None:
    """A request under way is answered although a policy now denies its caller."""
    world = bookinfo.world
    before = len(world.asked)
    running = subprocess.Popen(_open(bookinfo.curl, bookinfo.details.address), stdout=subprocess.PIPE)
    assert eventually(lambda: any(each.endswith("/delay/1") for each in world.asked[before:]))
    deny = policy("DENY", L4Match(principals=(CURL,)), scope="WorkloadSelector")
    listing = replace(bookinfo.details, policies=tuple(deny))
    with world.having(l4_policies=deny, workloads={**world.mesh.workloads, listing.uid: listing}):
        assert refused(world.call(bookinfo.curl, bookinfo.to_details))
        answer, _ = running.communicate(timeout=9)
    assert running.returncode == 0
    assert json.loads(answer)["pod"] == "details-v1"
