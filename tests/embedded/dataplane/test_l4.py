"""Real connections between pods: tunnels, plaintext, what ends them, and what ztunnel tells of them."""

import json
import re
from dataclasses import replace

from pytest_ambient.embedded.istiod.model import L4Match, Service, StringMatch

from .conftest import Bookinfo
from .l4 import CURL, ZTUNNEL, policy, refused
from .world import eventually


def test_the_data_plane_says_whom_it_serves(bookinfo: Bookinfo) -> None:
    """Captured pods of the mesh that it follows, and nobody else."""
    assert bookinfo.world.plane.serves(bookinfo.curl.address)
    assert not bookinfo.world.plane.serves("127.0.9.9")


def test_a_port_that_a_service_has_not(bookinfo: Bookinfo) -> None:
    """ztunnel says that it knows no way there; a waypoint takes connections to any port."""
    world, vip = bookinfo.world, bookinfo.to_details.vip
    world.plane.no_upstream(f"{bookinfo.curl.address}:40001", f"{vip}:9999", 85)
    (line,) = world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:40001 ")
    assert line.partition("Z\t")[2] == (
        f"warn\taccess\tconnection failed\tsrc.addr={bookinfo.curl.address}:40001 dst.addr={vip}:9999 "
        f'direction="outbound" error="no healthy upstream: {vip}:9999"'
    )
    world.plane.no_upstream(f"{bookinfo.curl.address}:40002", "127.0.9.9:9999", 85)
    assert not world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:40002 ")
    world.plane.no_upstream(f"{bookinfo.curl.address}:40003", f"{bookinfo.to_reviews.vip}:9999", 85)
    (line,) = world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:40003 ")
    assert "\tinfo\taccess\tconnection complete\t" in line
    assert f" dst.hbone_addr={bookinfo.to_reviews.vip}:9999 " in line
    assert ' dst.service="reviews.bookinfo.svc.cluster.local" dst.workload="waypoint-abc" ' in line
    assert line.endswith('direction="outbound" bytes_sent=85 bytes_recv=0 duration="0ms"')


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


def test_gone_pod_never_calls_past_ztunnel(bookinfo: Bookinfo) -> None:
    """A pod that has left the mesh while its programs still run is cut off, not taken for one without ztunnel."""
    world = bookinfo.world
    left = {uid: each for uid, each in world.mesh.workloads.items() if each != bookinfo.curl}
    with world.having(workloads=left):
        assert world.call(bookinfo.curl, bookinfo.to_details).status == 0
        assert world.call(bookinfo.outside, bookinfo.to_details).status == 200
    assert world.call(bookinfo.curl, bookinfo.to_details).status == 200
