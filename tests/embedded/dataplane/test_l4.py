"""Real connections between pods: tunnels, plaintext, L4 policies and what ztunnel says of them."""

import json
import re
import socket
import subprocess
import time
from dataclasses import replace
from typing import Any

import pytest

from pytest_ambient.embedded.istiod.model import (
    Action,
    Identity,
    L4Clause,
    L4Match,
    L4Policy,
    L4Rule,
    Service,
    StringMatch,
    Workload,
)

from .conftest import Bookinfo
from .world import Reply, eventually

ZTUNNEL = "istio-system/ztunnel-abc"
CURL = StringMatch("exact", "cluster.local/ns/bookinfo/sa/curl")


def policy(action: Action, *matches: L4Match, name: str = "p", **more: Any) -> dict[str, L4Policy]:
    """A namespace-wide policy, by its key."""
    rules = (L4Rule((L4Clause(matches),)),) if matches else ()
    made = replace(L4Policy(name, "bookinfo", "Namespace", action, rules), **more)
    return {made.key: made}


def refused(reply: Reply) -> bool:
    """Whether the connection was made and then closed without a byte."""
    return reply.connected and reply.exit in (52, 56) and reply.status == 0


def test_the_data_plane_says_whom_it_serves(bookinfo: Bookinfo) -> None:
    """Captured pods of the mesh that it follows, and nobody else."""
    assert bookinfo.world.plane.serves(bookinfo.curl.address)
    assert not bookinfo.world.plane.serves("127.0.9.9")


def test_a_port_that_a_service_has_not(bookinfo: Bookinfo) -> None:
    """ztunnel says that it knows no way there; a waypoint would be asked for any port."""
    world, vip = bookinfo.world, bookinfo.to_details.vip
    world.plane.no_upstream(f"{bookinfo.curl.address}:40001", f"{vip}:9999")
    (line,) = world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:40001 ")
    assert line.partition("Z\t")[2] == (
        f"warn\taccess\tconnection failed\tsrc.addr={bookinfo.curl.address}:40001 dst.addr={vip}:9999 "
        f'direction="outbound" error="no healthy upstream: {vip}:9999"'
    )
    world.plane.no_upstream(f"{bookinfo.curl.address}:40002", "127.0.9.9:9999")
    assert not world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:40002 ")


def test_captured_caller_travels_by_hbone(bookinfo: Bookinfo) -> None:
    """Both ends are known by their certificates; curl's own port is in the line of its ztunnel."""
    reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_details)
    assert (reply.exit, reply.status, reply.pod) == (0, 200, "details-v1")
    # another test's call, to another place, may have had the same port
    (sent,) = bookinfo.world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:{reply.port} ", "details-v1-abc")
    assert re.fullmatch(
        r"\S+Z\tinfo\taccess\tconnection complete\t"
        rf'src.addr={bookinfo.curl.address}:{reply.port} src.workload="curl-abc" src.namespace="bookinfo" '
        r'src.identity="spiffe://cluster.local/ns/bookinfo/sa/curl" '
        rf"dst.addr={bookinfo.details.address}:15008 dst.hbone_addr={bookinfo.details.address}:9080 "
        r'dst.service="details.bookinfo.svc.cluster.local" dst.workload="details-v1-abc" dst.namespace="bookinfo" '
        r'dst.identity="spiffe://cluster.local/ns/bookinfo/sa/details" direction="outbound" '
        r'bytes_sent=[1-9]\d* bytes_recv=[1-9]\d* duration="\d+ms"',
        sent,
    )
    assert bookinfo.world.logged(ZTUNNEL, 'direction="inbound"', 'src.identity="spiffe://cluster.local/ns/bookinfo/sa/')


def test_pod_address_is_tunnelled_too(bookinfo: Bookinfo) -> None:
    """A call to a captured pod's own address names no Service at the caller's ztunnel."""
    reply = bookinfo.world.curl(bookinfo.curl, f"http://{bookinfo.details.address}:9080/")
    assert reply.pod == "details-v1"
    (line,) = bookinfo.world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:{reply.port} ")
    assert "dst.hbone_addr=" in line
    assert "dst.service" not in line


def test_caller_outside_arrives_in_plaintext(bookinfo: Bookinfo) -> None:
    """Nobody has an identity then, and the caller's own port is in the destination's line, Service or not."""
    for url in (bookinfo.world.url(bookinfo.to_details), f"http://{bookinfo.details.address}:9080/"):
        reply = bookinfo.world.curl(bookinfo.outside, url)
        assert reply.pod == "details-v1"
        (line,) = bookinfo.world.logged(ZTUNNEL, f"src.addr={bookinfo.outside.address}:{reply.port} ")
        assert f"dst.addr={bookinfo.details.address}:9080 " in line
        assert 'direction="inbound"' in line
        assert "identity" not in line


def test_application_learns_who_calls(bookinfo: Bookinfo) -> None:
    """Neither a tunnel nor a Service takes the caller's address from a connection."""
    world = bookinfo.world
    for caller in (bookinfo.curl, bookinfo.outside):
        to_pod = world.curl(caller, f"http://{bookinfo.details.address}:9080/")
        replies = (to_pod, world.call(caller, bookinfo.to_details), world.call(caller, bookinfo.to_echo))
        assert [each.caller for each in replies] == 3 * [caller.address]


def test_low_port_outside_the_mesh(bookinfo: Bookinfo) -> None:
    """A port below 1024 is served higher up, and the log shows the cluster's own number."""
    reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_echo)
    assert reply.pod == "echo"
    (line,) = bookinfo.world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:{reply.port} ")
    assert f'dst.addr={bookinfo.echo.address}:80 dst.service="echo.outside.svc.cluster.local"' in line
    assert "identity" not in line
    assert bookinfo.world.call(bookinfo.outside, bookinfo.to_echo).pod == "echo"


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


def test_dead_application(bookinfo: Bookinfo) -> None:
    """Where nothing listens the connection is closed too, but no policy is named."""
    for caller in (bookinfo.curl, bookinfo.outside):
        assert refused(bookinfo.world.call(caller, bookinfo.to_dead))
    (line,) = bookinfo.world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}", "503 Service Unavailable")
    assert 'dst.service="dead.bookinfo' in line


def test_service_without_endpoints(bookinfo: Bookinfo) -> None:
    """Nobody behind a Service: closed, with another reason than a policy."""
    world = bookinfo.world
    empty = replace(bookinfo.to_details, endpoints=())
    with world.having(services={**world.mesh.services, empty.key: empty}):
        assert refused(world.call(bookinfo.curl, empty))
    assert world.logged(ZTUNNEL, "\twarn\taccess\tconnection failed\t", "no healthy upstream")


def test_capture_follows_the_mesh(bookinfo: Bookinfo) -> None:
    """A pod that is captured later travels by HBONE from then on, and back."""
    world = bookinfo.world
    captured = replace(bookinfo.outside, captured=True)
    with world.having(workloads={**world.mesh.workloads, captured.uid: captured}):
        reply = world.call(bookinfo.outside, bookinfo.to_details)
        (line,) = world.logged(ZTUNNEL, f"src.addr={captured.address}:{reply.port} ", 'direction="outbound"')
        assert 'src.identity="spiffe://cluster.local/ns/outside/sa/curl"' in line
    reply = world.call(bookinfo.outside, bookinfo.to_details)
    (line,) = world.logged(ZTUNNEL, f"src.addr={captured.address}:{reply.port} ")
    assert 'direction="inbound"' in line


def test_random_endpoint(bookinfo: Bookinfo) -> None:
    """ztunnel takes any endpoint of a Service."""
    both = Service("both", "bookinfo", bookinfo.world.addresses.services.take(), bookinfo.to_details.ports, ())
    endpoints = bookinfo.to_reviews.endpoints
    both = replace(both, endpoints=endpoints)
    with bookinfo.world.having(services={**bookinfo.world.mesh.services, both.key: both}):
        assert {bookinfo.world.call(bookinfo.curl, both).pod for _ in range(20)} == {"reviews-v1", "reviews-v2"}


def test_metrics(bookinfo: Bookinfo) -> None:
    """Counters tell both ends, how the connection ended and whether it was encrypted."""
    world = bookinfo.world
    with world.having(l4_policies=policy("DENY", L4Match(principals=(CURL,)))):
        world.call(bookinfo.curl, bookinfo.to_details)
    world.call(bookinfo.outside, bookinfo.to_details)

    def told(*parts: str) -> bool:
        lines = world.plane.ztunnel_metrics("node-1").splitlines()
        return any(all(part in line for part in parts) for line in lines)

    closed, tls = "istio_tcp_connections_closed_total{", 'connection_security_policy="mutual_tls"'
    assert eventually(lambda: told(closed, 'reporter="destination"', 'response_flags="DENY"', tls))
    assert eventually(lambda: told(closed, 'reporter="source"', 'response_flags="CONNECT"', tls))
    failed = "istio_tcp_connections_failed_total{"
    assert told(failed, 'reporter="destination"', 'response_flags="DENY"', tls)
    assert told(failed, 'reporter="source"', 'response_flags="CONNECT"', tls)
    plain = 'connection_security_policy="unknown"', 'source_workload_namespace="outside"', 'source_principal="unknown"'
    assert eventually(lambda: told(closed, *plain))
    assert told("istio_tcp_sent_bytes_total{", 'destination_workload="details-v1"')
    assert not world.plane.ztunnel_metrics("elsewhere").count("istio_tcp")


def test_config_dump(bookinfo: Bookinfo) -> None:
    """ztunnel shows workloads, services, policies and certificates in its own shape."""
    world = bookinfo.world
    with world.having(l4_policies=policy("DENY", L4Match(not_principals=(StringMatch("presence"),)), name="strict")):
        dump = json.loads(json.dumps(world.plane.ztunnel_config_dump("node-1")))
    pods = {each["name"]: each for each in dump["workloads"]}
    assert pods["details-v1-abc"]["protocol"] == "HBONE"
    assert pods["echo-abc"]["protocol"] == "TCP"
    services = {each["name"]: each for each in dump["services"]}
    waypoint = {"destination": "bookinfo/waypoint.bookinfo.svc.cluster.local", "hboneMtlsPort": 15008}
    assert services["reviews"]["waypoint"] == waypoint
    assert services["details"]["ports"] == {"9080": 9080}
    (found,) = dump["policies"]
    assert (found["scope"], found["action"]) == ("Namespace", "Deny")
    assert found["rules"] == [[[{"notPrincipals": [{"Presence": []}]}]]]
    assert "spiffe://cluster.local/ns/bookinfo/sa/curl" in {each["identity"] for each in dump["certificates"]}


def _open(caller: Workload, address: str) -> list[str]:
    return ["curl", "-q", "-sS", "--max-time", "9", "--interface", caller.address, f"http://{address}:9080/delay/1"]


def test_open_connection_outlives_a_selector_policy(bookinfo: Bookinfo) -> None:
    """A request under way is answered although a policy now denies its caller."""
    world = bookinfo.world
    running = subprocess.Popen(_open(bookinfo.curl, bookinfo.details.address), stdout=subprocess.PIPE)
    time.sleep(0.3)
    deny = policy("DENY", L4Match(principals=(CURL,)), scope="WorkloadSelector")
    listing = replace(bookinfo.details, policies=tuple(deny))
    with world.having(l4_policies=deny, workloads={**world.mesh.workloads, listing.uid: listing}):
        assert refused(world.call(bookinfo.curl, bookinfo.to_details))
        answer, _ = running.communicate(timeout=9)
    assert running.returncode == 0
    assert json.loads(answer)["pod"] == "details-v1"


def test_gone_pod_never_calls_past_ztunnel(bookinfo: Bookinfo) -> None:
    """A pod that has left the mesh while its programs still run is cut off, not taken for one without ztunnel."""
    world = bookinfo.world
    left = {uid: each for uid, each in world.mesh.workloads.items() if each != bookinfo.curl}
    with world.having(workloads=left):
        assert world.call(bookinfo.curl, bookinfo.to_details).status == 0
        assert world.call(bookinfo.outside, bookinfo.to_details).status == 200
    assert world.call(bookinfo.curl, bookinfo.to_details).status == 200
