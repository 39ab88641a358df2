"""Real requests through a waypoint: policies, routes, what the client and the backend see."""

import asyncio
import json
import re
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from pytest_ambient.embedded.istiod.model import (
    Backend,
    Condition,
    HeaderChange,
    HeaderMatch,
    L4Clause,
    L4Match,
    L4Policy,
    L4Rule,
    L7Policy,
    L7Rule,
    Operation,
    Route,
    RouteMatch,
    RouteRule,
    Service,
    Source,
    StringMatch,
    WaypointRef,
)

from .conftest import Bookinfo
from .world import Reply

ZTUNNEL, WAYPOINT = "istio-system/ztunnel-abc", "bookinfo/waypoint-abc"
CURL = "cluster.local/ns/bookinfo/sa/curl"
REVIEWS_V1, REVIEWS_V2 = Backend("bookinfo/reviews-v1", 9080), Backend("bookinfo/reviews-v2", 9080)


def policy(*rules: L7Rule, action: Any = "ALLOW", name: str = "p") -> L7Policy:
    """A policy in namespace bookinfo."""
    return L7Policy(name, "bookinfo", action, rules)


def rule(source: Source | None = None, operation: Operation | None = None, *conditions: Condition) -> L7Rule:
    """A rule with at most one `from` and one `to`."""
    return L7Rule((source,) if source else (), (operation,) if operation else (), conditions)


def denied(reply: Reply) -> bool:
    """Whether the waypoint itself said no."""
    return reply.status == 403 and reply.body == "RBAC: access denied"


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


def test_denial(bookinfo: Bookinfo) -> None:
    """A 403 of the waypoint's own: 19 bytes, lower-case names, no upstream time; HEAD has no body."""
    world = bookinfo.world
    only_get = policy(rule(Source(principals=(CURL,)), Operation(methods=("GET",))), name="viewer")
    with world.having(service_policies={"bookinfo/reviews": (only_get,)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        reply = world.call(bookinfo.curl, bookinfo.to_reviews, "/no", "-X", "POST")
        assert denied(reply)
        assert [each for each in reply.names if each != "date"] == [
            "content-length",
            "content-type",
            "server",
            "x-envoy-decorator-operation",
        ]
        assert (reply.headers["content-length"], reply.headers["content-type"]) == ("19", "text/plain")
        assert denied(world.call(bookinfo.details, bookinfo.to_reviews))
        head = world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-I")
        assert (head.status, head.body) == (403, "")
    assert world.logged(WAYPOINT, '"POST /no HTTP/1.1" 403 - rbac_access_denied_matched_policy[none]')


@pytest.mark.parametrize(
    ("asked", "arguments", "path", "hit"),
    [
        pytest.param(Operation(methods=("P*",)), ("-X", "POST"), "/", True, id="method-prefix"),
        pytest.param(Operation(not_methods=("GET",)), (), "/", False, id="not-method"),
        pytest.param(Operation(paths=("/reviews/0",)), (), "/reviews/0?a=b", True, id="path-without-query"),
        pytest.param(Operation(paths=("/reviews/0",)), (), "/reviews/1", False, id="other-path"),
        pytest.param(Operation(paths=("/reviews/*",)), (), "/reviews/1", True, id="path-prefix"),
        pytest.param(Operation(paths=("*/0",)), (), "/reviews/0", True, id="path-suffix"),
        pytest.param(Operation(paths=("/{*}/stars",)), (), "/reviews/stars", True, id="path-template"),
        pytest.param(Operation(paths=("/{*}/stars",)), (), "/a/b/stars", False, id="path-template-one-part"),
        pytest.param(Operation(paths=("/{**}/stars",)), (), "/a/b/stars", True, id="path-template-many"),
        pytest.param(Operation(not_paths=("/reviews/*",)), (), "/x", True, id="not-path"),
        pytest.param(Operation(hosts=("reviews.bookinfo:9080",)), (), "/", True, id="host-with-port"),
        pytest.param(Operation(hosts=("reviews.bookinfo",)), (), "/", False, id="host-without-port"),
        pytest.param(Operation(hosts=("REVIEWS.*",)), (), "/", True, id="host-any-case"),
        pytest.param(Operation(not_hosts=("details.*",)), (), "/", True, id="not-host"),
        pytest.param(Operation(ports=("9080",)), (), "/", True, id="port"),
        pytest.param(Operation(not_ports=("9080",)), (), "/", False, id="not-port"),
        pytest.param(Condition("request.headers[x-test]", ("bad",)), ("-H", "x-test: bad"), "/", True, id="header"),
        pytest.param(Condition("request.headers[x-test]", ("*",)), (), "/", False, id="header-absent"),
        pytest.param(Condition("request.headers[x-test]", ("*",)), ("-H", "x-test: 1"), "/", True, id="header-there"),
        pytest.param(Condition("request.headers[x-test]", (), ("a",)), (), "/", True, id="header-not"),
        pytest.param(Condition("source.namespace", ("book*",)), (), "/", True, id="when-namespace"),
        pytest.param(Condition("source.principal", ("*/sa/other",)), (), "/", False, id="when-principal"),
        pytest.param(Condition("source.principal", (f"*{CURL}",)), (), "/", True, id="when-principal-suffix"),
        pytest.param(Condition("destination.port", ("9080",)), (), "/", True, id="when-port"),
        pytest.param(Condition("request.auth.principal", ("*",)), (), "/", False, id="nobody-has-a-token"),
        pytest.param(Source(principals=(CURL,)), (), "/", True, id="principal"),
        pytest.param(Source(principals=(f"spiffe://{CURL}",)), (), "/", False, id="principal-with-scheme"),
        pytest.param(Source(not_principals=(CURL,)), (), "/", False, id="not-principal"),
        pytest.param(Source(namespaces=("bookinfo",)), (), "/", True, id="namespace"),
        pytest.param(Source(not_namespaces=("bookinfo",)), (), "/", False, id="not-namespace"),
        pytest.param(Source(service_accounts=("curl",)), (), "/", True, id="account"),
        pytest.param(Source(service_accounts=("other/curl",)), (), "/", False, id="account-elsewhere"),
        pytest.param(Source(not_request_principals=("*",)), (), "/", True, id="not-token"),
        pytest.param(Source(ip_blocks=("127.0.0.0/8",)), (), "/", False, id="ip-blocks-never-see-the-client"),
        pytest.param(Source(remote_ip_blocks=("127.0.0.0/8",)), (), "/", True, id="remote-ip-blocks-do"),
        pytest.param(Source(not_remote_ip_blocks=("127.0.0.0/8",)), (), "/", False, id="not-remote-ip-blocks"),
    ],
)
def test_deny_by(
    bookinfo: Bookinfo,
    asked: Operation | Condition | Source,
    arguments: tuple[str, ...],
    path: str,
    hit: bool,
) -> None:
    """Each attribute of a DENY refuses what it matches, by this policy, and nothing else."""
    match asked:
        case Operation():
            one = rule(None, asked)
        case Source():
            one = rule(asked)
        case _:
            one = rule(None, None, asked)
    with bookinfo.world.having(service_policies={"bookinfo/reviews": (policy(one, action="DENY", name="no"),)}):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, path, *arguments)
        assert denied(reply) == hit
        assert hit or reply.status == 200
    if hit:
        assert bookinfo.world.logged(WAYPOINT, "rbac_access_denied_matched_policy[ns[bookinfo]-policy[no]-rule[0]]")


def test_deny_comes_before_allow(bookinfo: Bookinfo) -> None:
    """A DENY wins over an ALLOW; a policy on the Gateway counts like one on the Service."""
    world = bookinfo.world
    allow, deny = policy(rule(Source(principals=(CURL,)))), policy(rule(), action="DENY", name="no")
    with world.having(service_policies={"bookinfo/reviews": (allow,)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        assert denied(world.call(bookinfo.details, bookinfo.to_reviews))
    waypoint = replace(bookinfo.waypoint, policies=(deny,))
    with world.having(service_policies={"bookinfo/reviews": (allow,)}, waypoints={waypoint.key: waypoint}):
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews))
    waypoint = replace(bookinfo.waypoint, policies=(policy(),))
    with world.having(service_policies={"bookinfo/reviews": (allow,)}, waypoints={waypoint.key: waypoint}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200, "an ALLOW for the Service is enough"
        assert denied(world.call(bookinfo.details, bookinfo.to_reviews))


def test_http_attributes_on_a_tcp_port(bookinfo: Bookinfo) -> None:
    """They can't be seen there: an ALLOW admits nobody, a DENY refuses everybody; L4 attributes work."""
    world, get = bookinfo.world, rule(None, Operation(methods=("GET",)))
    assert world.call(bookinfo.curl, bookinfo.to_tcp).pod == "details-v1"
    for each in (policy(get), policy(get, action="DENY")):
        with world.having(service_policies={"bookinfo/tcp": (each,)}):
            reply = world.call(bookinfo.curl, bookinfo.to_tcp)
            assert reply.connected
            assert reply.exit in (52, 56)
    with world.having(service_policies={"bookinfo/tcp": (policy(rule(Source(principals=(CURL,)))),)}):
        assert world.call(bookinfo.curl, bookinfo.to_tcp).status == 200
        assert world.call(bookinfo.details, bookinfo.to_tcp).status == 0


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
    (line, *_) = world.logged(ZTUNNEL, "\twarn\taccess\tconnection failed\t", f"dst.addr={bookinfo.to_reviews.vip}")
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


def test_unknown_port(bookinfo: Bookinfo) -> None:
    """A Service that the waypoint does not know is closed there, and the log says that no chain was found."""
    world = bookinfo.world
    unknown = replace(bookinfo.waypoint, services=())
    with world.having(waypoints={unknown.key: unknown}):
        reply = world.call(bookinfo.curl, bookinfo.to_reviews)
        assert (reply.connected, reply.status) == (True, 0)
    assert world.logged(WAYPOINT, '"- - -" 0 NR filter_chain_not_found')


def routed(bookinfo: Bookinfo, *rules: RouteRule, port: int | None = 9080, name: str = "reviews") -> Any:
    """The mesh with a route on reviews, for a while."""
    return bookinfo.world.having(routes={"bookinfo/reviews": (Route(name, "bookinfo", "", port, rules),)})


def test_header_route(bookinfo: Bookinfo) -> None:
    """The exact header goes to one version, all else to the other; names match in any case, values do not."""
    world, user = bookinfo.world, RouteMatch(headers=(HeaderMatch("end-user", "normal"),))
    rules = RouteRule((user,), (REVIEWS_V2,)), RouteRule((RouteMatch(),), (REVIEWS_V1,))
    with routed(bookinfo, *rules):
        found = [
            world.call(bookinfo.curl, bookinfo.to_reviews, "/", *arguments).pod
            for arguments in (("-H", "End-User: normal"), ("-H", "end-user: Normal"), ("-H", "end-user: test"), ())
        ]
        reply = world.call(bookinfo.curl, bookinfo.to_reviews, "/who", "-H", "end-user: normal")
    assert found == ["reviews-v2", "reviews-v1", "reviews-v1", "reviews-v1"]
    assert reply.headers["x-envoy-decorator-operation"] == "reviews-v2.bookinfo.svc.cluster.local:9080/*"
    (line,) = world.logged(WAYPOINT, "GET /who ")
    assert "inbound-vip|9080|http|reviews-v2.bookinfo.svc.cluster.local" in line
    assert line.endswith(" bookinfo.reviews.0")


@pytest.mark.parametrize(
    ("match", "path", "arguments", "hit"),
    [
        pytest.param(RouteMatch("/a", "Exact"), "/a", (), True, id="exact"),
        pytest.param(RouteMatch("/a", "Exact"), "/a/b", (), False, id="exact-not-below"),
        pytest.param(RouteMatch("/a"), "/a/b", (), True, id="prefix-below"),
        pytest.param(RouteMatch("/a"), "/ab", (), False, id="prefix-of-whole-parts"),
        pytest.param(RouteMatch("/a/"), "/a", (), True, id="prefix-trailing-slash"),
        pytest.param(RouteMatch("/[0-9]+", "RegularExpression"), "/12", (), True, id="regular-expression"),
        pytest.param(RouteMatch(method="POST"), "/", ("-X", "POST"), True, id="method"),
        pytest.param(RouteMatch(method="POST"), "/", (), False, id="other-method"),
        pytest.param(RouteMatch(queries=(HeaderMatch("u", "normal"),)), "/?u=normal", (), True, id="query"),
        pytest.param(RouteMatch(queries=(HeaderMatch("u", "normal"),)), "/?u=test", (), False, id="other-query"),
        pytest.param(
            RouteMatch(headers=(HeaderMatch("x", "a.c", "RegularExpression"),)), "/", ("-H", "x: abc"), True, id="regex"
        ),
    ],
)
def test_route_match(bookinfo: Bookinfo, match: RouteMatch, path: str, arguments: tuple[str, ...], hit: bool) -> None:
    """What a rule matches goes to its backend, and with no other rule the rest is not found."""
    with routed(bookinfo, RouteRule((match,), (REVIEWS_V2,))):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, path, *arguments)
    assert (reply.status, reply.pod) == ((200, "reviews-v2") if hit else (404, ""))
    assert hit or (reply.headers["server"], reply.headers["content-length"]) == ("istio-envoy", "0")


def test_route_precedence(bookinfo: Bookinfo) -> None:
    """The more specific match wins wherever it stands."""
    rules = (
        RouteRule((RouteMatch("/"),), (REVIEWS_V1,)),
        RouteRule((RouteMatch("/a/b"), RouteMatch("/c", "Exact")), (REVIEWS_V2,)),
        RouteRule((RouteMatch("/a"), RouteMatch("/c/d")), (REVIEWS_V1,)),
    )
    with routed(bookinfo, *rules):
        found = [bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, path).pod for path in ("/a/b", "/a", "/c")]
    assert found == ["reviews-v2", "reviews-v1", "reviews-v2"]


def test_weights(bookinfo: Bookinfo) -> None:
    """Requests spread by weight, new connection or not, and a zero weight is never served."""
    world = bookinfo.world
    shares = RouteRule((RouteMatch(),), (replace(REVIEWS_V1, weight=90), replace(REVIEWS_V2, weight=10)))
    url = world.url(bookinfo.to_reviews)
    command = ["curl", "-q", "-sS", "--interface", bookinfo.curl.address, "-H", "Connection: close", f"{url}#[1-600]"]
    with routed(bookinfo, shares):
        served = subprocess.run(command, capture_output=True, timeout=20, check=True).stdout.count(b"reviews-v2")
    assert 20 < served < 120  # either end has a probability below 1e-9
    none = RouteRule((RouteMatch(),), (replace(REVIEWS_V1, weight=1), replace(REVIEWS_V2, weight=0)))
    with routed(bookinfo, none):
        assert {world.call(bookinfo.curl, bookinfo.to_reviews).pod for _ in range(10)} == {"reviews-v1"}


def test_header_changes(bookinfo: Bookinfo) -> None:
    """Rules and their backends change request and response headers; a percent sign is only a percent sign."""
    backend = replace(
        REVIEWS_V1,
        request_headers=HeaderChange(set=(("x-backend", "1"),)),
        response_headers=HeaderChange(add=(("x-b", "2"),)),
    )
    rules = RouteRule(
        (RouteMatch(),),
        (backend,),
        request_headers=HeaderChange(set=(("end-user", "100%"),), add=(("accept", "x"),), remove=("user-agent",)),
        response_headers=HeaderChange(add=(("x-lab", "yes"),), remove=("x-powered-by",)),
    )
    with routed(bookinfo, rules):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews)
    seen = json.loads(reply.body)["headers"]
    assert (seen["end-user"], seen["accept"], seen["x-backend"]) == ("100%", "*/*,x", "1")
    assert "user-agent" not in seen
    assert (reply.headers["x-lab"], reply.headers["x-b"]) == ("yes", "2")
    assert "x-powered-by" not in reply.headers


def test_routes_that_lead_nowhere(bookinfo: Bookinfo) -> None:
    """A backend that is missing is 500, a rule without backends what the mesh says, and no pod is 503."""
    world = bookinfo.world
    everything = (RouteMatch(),)
    for rules, status in (
        (RouteRule(everything, (Backend(None, 9080),)), 500),
        (RouteRule(everything, (), direct_status=404), 404),
        (RouteRule(everything, (replace(REVIEWS_V1, weight=0),), direct_status=500), 500),
    ):
        with routed(bookinfo, rules):
            reply = world.call(bookinfo.curl, bookinfo.to_reviews)
            assert (reply.status, reply.body, reply.headers["server"]) == (status, "", "istio-envoy")
    with routed(bookinfo, RouteRule(everything, (REVIEWS_V1, Backend(None, 9080)))):
        assert {world.call(bookinfo.curl, bookinfo.to_reviews).status for _ in range(30)} == {200, 500}
    empty = replace(world.mesh.services["bookinfo/reviews-v1"], endpoints=())
    rule_v1 = Route("r", "bookinfo", "", None, (RouteRule(everything, (REVIEWS_V1,)),))
    services: dict[str, Service] = {**world.mesh.services, empty.key: empty}
    with world.having(routes={"bookinfo/reviews": (rule_v1,)}, services=services):
        reply = world.call(bookinfo.curl, bookinfo.to_reviews)
        assert (reply.status, reply.body) == (503, "no healthy upstream")


def test_route_of_another_port(bookinfo: Bookinfo) -> None:
    """A route bound to another port of its parent leaves this one alone."""
    with routed(bookinfo, RouteRule((RouteMatch(),), (), direct_status=404), port=9081):
        assert bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews).status == 200


def test_timeout(bookinfo: Bookinfo) -> None:
    """A request that takes too long is answered by the waypoint."""
    with routed(bookinfo, RouteRule((RouteMatch(),), (REVIEWS_V1,), request_timeout=0.2)):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/delay/1")
    assert (reply.status, reply.body) == (504, "upstream request timeout")
    (line, *_) = bookinfo.world.logged(WAYPOINT, "/delay/1 HTTP/1.1")
    assert " 504 UT response_timeout - " in line


def test_open_connection_keeps_the_old_verdict_for_some_seconds(bookinfo: Bookinfo) -> None:
    """A client that keeps its connection is answered under the old policy, then cut off."""
    world = bookinfo.world

    async def talk() -> tuple[list[bytes], float]:
        clock = asyncio.get_running_loop().time
        local = (bookinfo.curl.address, 0)
        reader, writer = await asyncio.open_connection(bookinfo.to_reviews.vip, 9080, local_addr=local)
        answers, denied_at = [], 0.0
        began = clock()
        while clock() - began < 9:
            writer.write(b"GET /open HTTP/1.1\r\nHost: reviews\r\n\r\n")
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                size = re.search(rb"content-length: (\d+)", head)
                await reader.readexactly(int(size[1]) if size else 0)
            except (OSError, asyncio.IncompleteReadError):
                break
            answers.append(head.split(b"\r\n")[0])
            if len(answers) == 1:
                no = policy(rule(), action="DENY")
                await world.plane.push(replace(world.mesh, service_policies={"bookinfo/reviews": (no,)}))
                denied_at = clock()
            await asyncio.sleep(0.1)
        writer.close()
        return answers, clock() - denied_at

    try:
        answers, lasted = world.run(talk())
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews))
    finally:
        world.push()
    assert set(answers) == {b"HTTP/1.1 200 OK"}
    assert 2 < lasted < 8


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
