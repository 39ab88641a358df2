"""Real requests through a waypoint: the ways to it and around it, and what is seen at either end."""

import json
import re
from dataclasses import replace

import pytest

from pytest_ambient.embedded.istiod.model import (
    L4Clause,
    L4Match,
    L4Policy,
    L4Rule,
    Operation,
    StringMatch,
    WaypointRef,
)

from .conftest import Bookinfo
from .test_waypoint_policy import denied, policy, rule
from .world import eventually

ZTUNNEL, WAYPOINT = "istio-system/ztunnel-abc", "bookinfo/waypoint-abc"


def test_proxied_answer(bookinfo: Bookinfo) -> None:
    """The client sees the waypoint's marks, and the backend those of Envoy's that Istio lets through."""
    reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/reviews/0")
    assert reply.pod in ("reviews-v1", "reviews-v2")
    assert reply.headers["server"] == "istio-envoy"
    assert reply.headers["x-envoy-upstream-service-time"].isdigit()
    assert reply.headers["x-envoy-decorator-operation"] == "reviews.bookinfo.svc.cluster.local:9080/*"
    assert all(name == name.lower() for name in reply.names)
    seen = json.loads(reply.body)["headers"]
    assert set(seen) == {"host", "user-agent", "accept", "x-request-id", "x-forwarded-proto"}
    assert seen["x-forwarded-proto"] == "http"


def test_identities_along_the_way(bookinfo: Bookinfo) -> None:
    """The caller's ztunnel sees the waypoint, the destination's sees the waypoint's identity."""
    reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews)
    (line,) = bookinfo.world.logged(ZTUNNEL, f"src.addr={bookinfo.curl.address}:{reply.port} ")
    assert f"dst.hbone_addr={bookinfo.to_reviews.vip}:9080 " in line
    assert 'dst.service="reviews.bookinfo.svc.cluster.local" dst.workload="waypoint-abc"' in line
    assert 'dst.identity="spiffe://cluster.local/ns/bookinfo/sa/waypoint"' in line


def test_backend_is_called_by_the_waypoint(bookinfo: Bookinfo) -> None:
    """The application learns the waypoint's address, for the waypoint's connection is a new one."""
    reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews)
    (waypoint,) = (each for each in bookinfo.world.mesh.workloads.values() if each.name == "waypoint-abc")
    assert (reply.status, reply.caller) == (200, waypoint.address)


def test_access_log(bookinfo: Bookinfo) -> None:
    """The waypoint's line is Istio's, with the caller's own address."""
    bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/logged")
    (line,) = bookinfo.world.logged(WAYPOINT, '"GET /logged HTTP/1.1" 200')
    pods = "|".join(re.escape(each.address) for each in bookinfo.reviews)
    assert re.fullmatch(
        r'\[\S+Z\] "GET /logged HTTP/1.1" 200 - via_upstream - "-" 0 \d+ \d+ \d+ "-" "curl/[\d.]+" "[0-9a-f-]{36}" '
        rf'"reviews.bookinfo:9080" "envoy://connect_originate/({pods}):9080" '
        r"inbound-vip\|9080\|http\|reviews.bookinfo.svc.cluster.local envoy://internal_client_address/ "
        rf"{bookinfo.to_reviews.vip}:9080 {bookinfo.curl.address}:\d+ - default",
        line,
    )


def test_caller_outside_bypasses(bookinfo: Bookinfo) -> None:
    """Who is not captured never meets the waypoint, nor does a call to a pod's own address."""
    with bookinfo.world.having(service_policies={"bookinfo/reviews": (policy(),)}):
        assert "server" not in bookinfo.world.call(bookinfo.outside, bookinfo.to_reviews).headers
        pod = bookinfo.world.curl(bookinfo.curl, f"http://{bookinfo.reviews[0].address}:9080/")
        assert (pod.status, pod.headers.get("server")) == (200, None)
        assert denied(bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews))


def test_destination_refuses_the_waypoint(bookinfo: Bookinfo) -> None:
    """A refusal by the destination's ztunnel is a 503 of the waypoint's, warm connections or not."""
    world = bookinfo.world
    nobody = L4Policy("nobody", "bookinfo", "Namespace", "ALLOW", ())
    assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
    with world.having(l4_policies={nobody.key: nobody}):
        reply = world.call(bookinfo.curl, bookinfo.to_reviews)
    reason = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
    assert (reply.status, reply.body) == (503, reason)
    (first, *_) = world.logged(ZTUNNEL, "none allowed", "src.identity=", "sa/waypoint")
    assert f"src.addr={world.mesh.workloads[bookinfo.waypoint.pods[0]].address}:" in first
    assert world.logged(WAYPOINT, '"- - -" 0 UF,URX - - "-" 0 0', "connect_originate - ")
    assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200


def test_destination_admits_the_waypoint_alone(bookinfo: Bookinfo) -> None:
    """An L4 ALLOW for the waypoint's account closes the ways around it."""
    world = bookinfo.world
    known = StringMatch("exact", "cluster.local/ns/bookinfo/sa/waypoint")
    only = L4Policy("only", "bookinfo", "Namespace", "ALLOW", (L4Rule((L4Clause((L4Match(principals=(known,)),)),)),))
    with world.having(l4_policies={only.key: only}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        assert world.call(bookinfo.outside, bookinfo.to_reviews).status == 0
        assert world.curl(bookinfo.curl, f"http://{bookinfo.reviews[0].address}:9080/").status == 0


def test_lost_waypoint_fails_closed(bookinfo: Bookinfo) -> None:
    """With its pods gone, what is bound to a waypoint is refused; nobody goes around it."""
    world = bookinfo.world
    lost = replace(bookinfo.waypoint, pods=())
    with world.having(waypoints={lost.key: lost}):
        for reply in (
            world.call(bookinfo.curl, bookinfo.to_reviews),
            world.curl(bookinfo.curl, f"http://{bookinfo.store.address}:9080/"),
        ):
            assert reply.connected
            assert reply.exit in (52, 56)
    who = f"src.addr={bookinfo.curl.address}:", f"dst.addr={bookinfo.to_reviews.vip}"
    (line, *_) = world.logged(ZTUNNEL, "\twarn\taccess\tconnection failed\t", *who)
    words = r"NamespacedHostname { namespace: \"bookinfo\", hostname: \"waypoint.bookinfo.svc.cluster.local\" }"
    assert words in line


def test_missing_waypoint_fails_open(bookinfo: Bookinfo) -> None:
    """A Service whose waypoint was never there is reached directly."""
    world = bookinfo.world
    unbound = replace(bookinfo.to_reviews, waypoint=None)
    with world.having(services={**world.mesh.services, unbound.key: unbound}):
        reply = world.call(bookinfo.curl, bookinfo.to_reviews)
    assert (reply.status, reply.headers.get("server")) == (200, None)


def test_pod_behind_a_waypoint(bookinfo: Bookinfo) -> None:
    """A waypoint for workloads handles calls to the pod's own address, the Service stays direct."""
    world = bookinfo.world
    pod = f"http://{bookinfo.store.address}:9080/"
    reply = world.curl(bookinfo.curl, pod)
    assert (reply.pod, reply.headers["x-envoy-decorator-operation"]) == ("store-v1", ":0/*")
    assert "server" not in world.call(bookinfo.curl, bookinfo.to_store).headers
    waypoint = replace(bookinfo.waypoint, policies=(policy(rule(None, Operation(methods=("POST",))), action="DENY"),))
    with world.having(waypoints={waypoint.key: waypoint}):
        assert denied(world.curl(bookinfo.curl, pod, "-X", "POST"))
        assert world.curl(bookinfo.curl, pod).status == 200


def test_waypoint_of_another_namespace(bookinfo: Bookinfo) -> None:
    """A waypoint serves Services of other namespaces, endpoints that are not captured included."""
    world = bookinfo.world
    echo = replace(bookinfo.to_echo, waypoint=WaypointRef("bookinfo", "waypoint"))
    waypoint = replace(bookinfo.waypoint, services=(*bookinfo.waypoint.services, echo.key))
    with world.having(services={**world.mesh.services, echo.key: echo}, waypoints={waypoint.key: waypoint}):
        reply = world.call(bookinfo.curl, echo, "/across")
        assert (reply.pod, reply.headers["server"]) == ("echo", "istio-envoy")


def test_headless_service_behind_a_waypoint(bookinfo: Bookinfo) -> None:
    """A Service without an address is none that a waypoint is asked for; the other Services stay as they are."""
    world = bookinfo.world
    headless = replace(bookinfo.to_store, name="headless", vip="", waypoint=WaypointRef("bookinfo", "waypoint"))
    waypoint = replace(bookinfo.waypoint, services=(*bookinfo.waypoint.services, headless.key))
    waypoint = replace(waypoint, policies=(policy(rule(None, Operation(methods=("POST",))), action="DENY"),))
    with world.having(services={**world.mesh.services, headless.key: headless}, waypoints={waypoint.key: waypoint}):
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-X", "POST"))
        assert world.call(bookinfo.curl, bookinfo.to_reviews).headers["server"] == "istio-envoy"


def test_unknown_port(bookinfo: Bookinfo) -> None:
    """A Service that the waypoint does not know is closed there, and the log says that no chain was found."""
    world = bookinfo.world
    unknown = replace(bookinfo.waypoint, services=())
    with world.having(waypoints={unknown.key: unknown}):
        reply = world.call(bookinfo.curl, bookinfo.to_reviews)
        assert (reply.connected, reply.status) == (True, 0)
    assert world.logged(WAYPOINT, '"- - -" 0 NR filter_chain_not_found')


def test_admin(bookinfo: Bookinfo) -> None:
    """A waypoint's own Envoy answers for its admin interface."""
    world = bookinfo.world
    status, _, body = world.run(world.plane.waypoint_admin("waypoint-abc", "bookinfo", "/config_dump"))
    assert status == 200
    kinds = {each["@type"].rsplit(".", 1)[-1] for each in json.loads(body)["configs"]}
    assert {"ListenersConfigDump", "ClustersConfigDump", "RoutesConfigDump"} <= kinds
    assert world.run(world.plane.waypoint_admin("waypoint-abc", "bookinfo", "/ready"))[2] == b"LIVE\n"


def test_pod_that_is_no_waypoint(bookinfo: Bookinfo) -> None:
    """A pod without Envoy has no admin interface."""
    with pytest.raises(OSError, match="bookinfo/curl-abc runs no waypoint"):
        bookinfo.world.run(bookinfo.world.plane.waypoint_admin("curl-abc", "bookinfo", "/ready"))


def test_request_counter(bookinfo: Bookinfo) -> None:
    """Beside Envoy's own statistics a waypoint counts requests under Istio's labels, refused ones too."""
    world = bookinfo.world
    world.call(bookinfo.curl, bookinfo.to_reviews, "/counted")
    nobody = policy(rule(None, Operation(methods=("GET",))), action="DENY")
    with world.having(service_policies={"bookinfo/reviews": (nobody,)}):
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews, "/refused"))
    caller = (
        'reporter="waypoint",source_workload="curl"',
        'source_principal="spiffe://cluster.local/ns/bookinfo/sa/curl"',
    )
    there = 'destination_service="reviews.bookinfo.svc.cluster.local"', 'connection_security_policy="mutual_tls"'
    answered = 'destination_workload="reviews-v', 'response_code="200"'
    assert eventually(lambda: all(world.counted("waypoint-abc", *caller, *there, *answered)))
    refused = 'destination_workload="unknown"', 'response_code="403"'
    assert eventually(lambda: all(world.counted("waypoint-abc", *caller, *there, *refused)))
