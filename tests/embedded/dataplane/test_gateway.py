"""An ingress gateway: routes, its own identity, waypoints where they are asked for."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.embedded.istiod.model import (
    Condition,
    Ingress,
    L4Clause,
    L4Match,
    L4Policy,
    L4Rule,
    L7Policy,
    L7Rule,
    Operation,
    Secured,
    Source,
    StringMatch,
    TokenRule,
    WaypointRef,
)
from pytest_ambient.embedded.objects import Object
from pytest_ambient.embedded.ports import bound

from ..signed import certificate
from .entrance import FRONT, Entry, route
from .world import Reply


def test_it_leads_in(entry: Entry) -> None:
    """The application answers and learns the caller's address and which attempt it is."""
    reply = entry.world.call(entry.outsider, entry.front, "/reviews/1")
    assert (reply.status, reply.pod, reply.headers["server"]) == (200, "reviews", "istio-envoy")
    headers = json.loads(reply.body)["headers"]
    assert (headers["x-forwarded-for"], headers["x-envoy-attempt-count"]) == (entry.outsider.address, "1")


@pytest.mark.parametrize(("port", "second"), [({"http2": True}, True), ({"sniffed": True}, False)])
def test_ports_of_http2_are_spoken_to_so(entry: Entry, port: Object, second: bool) -> None:
    """An application that does not know it is no use then; where a port says nothing, gateways speak HTTP/1.1."""
    service = replace(entry.reviews, ports=(replace(entry.reviews.ports[0], **port),))
    with entry.world.having(services={**entry.world.mesh.services, service.key: service}):
        entry.world.asked.clear()
        reply = entry.world.call(entry.outsider, entry.front, "/reviews/1", "--http2-prior-knowledge")
    greeted = any(each.endswith(" *") for each in entry.world.asked)
    assert (reply.status, greeted) == ((502, True) if second else (200, False))


def test_what_no_route_matches_is_404(entry: Entry) -> None:
    """Made by the gateway, without body."""
    reply = entry.world.call(entry.outsider, entry.front, "/other")
    assert (reply.status, reply.body, reply.headers["server"]) == (404, "", "istio-envoy")
    with entry.world.having(ingresses={"bookinfo/front": Ingress("front", "bookinfo", "front-istio", {8080: ()})}):
        assert entry.world.call(entry.outsider, entry.front, "/reviews/1").status == 404


def test_it_ends_tls(entry: Entry, tmp_path: Path) -> None:
    """Each name has its certificate and its routes; who asks for no such name is hung up on."""
    books, shop = certificate("books.example"), certificate("*.shop.example")
    routes = (route(entry.reviews),)
    ends = (Secured("books.example", (books,), routes), Secured("*.shop.example", (shop,), ()))
    front = Ingress("front", "bookinfo", "front-istio", {}, secured={8080: ends})
    at = f"{entry.front.vip}:{8080}"
    trusted = tmp_path / "ca.pem"
    trusted.write_text(books.chain + shop.chain)

    def ask(name: str, *more: str) -> Reply:
        words = ("--cacert", str(trusted), "--connect-to", f"{name}:443:{at}", *more)
        return entry.world.curl(entry.outsider, f"https://{name}/reviews/1", *words)

    with entry.world.having(ingresses={"bookinfo/front": front}):
        reply = ask("books.example")
        assert (reply.status, reply.pod) == (200, "reviews")
        assert json.loads(reply.body)["headers"]["x-forwarded-proto"] == "https"
        assert ask("a.shop.example").status == 404
        assert ask("other.example").exit in (35, 56)
        assert ask("books.example", "--tls-max", "1.1").exit == 35


def test_host_names_choose(entry: Entry) -> None:
    """A route with host names is for those alone."""
    shop = Ingress("front", "bookinfo", "front-istio", {8080: (route(entry.reviews, "shop.example"),)})
    with entry.world.having(ingresses={"bookinfo/front": shop}):
        url = entry.world.url(entry.front, "/reviews/1")
        assert entry.world.curl(entry.outsider, url, host="shop.example").status == 200
        assert entry.world.curl(entry.outsider, url, host="other.example").status == 404


@pytest.mark.parametrize(
    ("policy", "path", "status"),
    [
        (
            L7Policy("p", "bookinfo", "DENY", (L7Rule(operations=(Operation(paths=("/reviews/0",)),)),)),
            "/reviews/0",
            403,
        ),
        (
            L7Policy("p", "bookinfo", "DENY", (L7Rule(operations=(Operation(paths=("/reviews/0",)),)),)),
            "/reviews/1",
            200,
        ),
        (L7Policy("p", "bookinfo", "ALLOW", ()), "/reviews/1", 403),
        (L7Policy("p", "bookinfo", "ALLOW", (L7Rule(sources=(Source(principals=("*",)),)),)), "/reviews/1", 403),
        (L7Policy("p", "bookinfo", "ALLOW", (L7Rule(operations=(Operation(ports=("8080",)),)),)), "/reviews/1", 200),
        (L7Policy("p", "bookinfo", "CUSTOM", (L7Rule(),), "nobody"), "/reviews/1", 403),
    ],
)
def test_policies_hold_at_it(entry: Entry, policy: L7Policy, path: str, status: int) -> None:
    """It refuses by itself; whoever comes without certificate has no identity there."""
    front = Ingress("front", "bookinfo", "front-istio", {8080: (route(entry.reviews),)}, (policy,))
    with entry.world.having(ingresses={"bookinfo/front": front}):
        reply = entry.world.call(entry.outsider, entry.front, path)
    assert reply.status == status
    if status == 403:
        assert (reply.body, reply.headers["server"]) == ("RBAC: access denied", "istio-envoy")


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("ports", "80", 200),
        ("ports", "20080", 403),
        ("destination.port", "80", 200),
        ("destination.port", "20080", 403),
        ("destination.ip", "gateway", 200),
        ("destination.ip", "front", 403),
        ("source.ip", "outsider", 200),
        ("source.ip", "gateway", 403),
        ("remote.ip", "outsider", 200),
    ],
)
def test_its_address(entry: Entry, key: str, value: str, status: int) -> None:
    """That of its pod, by the port of its pod, however this machine serves it: to policies and in the log."""
    known = {"gateway": entry.gateway.address, "front": entry.front.vip, "outsider": entry.outsider.address}
    asked = Condition(key, (known.get(value, value),))
    rule = L7Rule(operations=(Operation(ports=(value,)),)) if key == "ports" else L7Rule(conditions=(asked,))
    policy, path = L7Policy("p", "bookinfo", "ALLOW", (rule,)), f"/reviews/{key}/{value}"
    front = Ingress("front", "bookinfo", "front-istio", {80: (route(entry.reviews),)}, (policy,))
    with entry.world.having(ingresses={front.key: front}):
        reply = entry.world.curl(entry.outsider, f"http://{entry.front.vip}:{bound(80)}{path}")
    assert reply.status == status
    (line,) = entry.world.logged("bookinfo/front-istio-abc", f" {path} ")
    assert f" {entry.gateway.address}:80 {entry.outsider.address}:{reply.port} - " in line


def test_tokens_are_verified_at_it(entry: Entry) -> None:
    """A wrong token is refused there, and every token while its keys can't be had."""
    front = Ingress("front", "bookinfo", "front-istio", {8080: (route(entry.reviews),)}, (), (TokenRule("me"),))
    with entry.world.having(ingresses={"bookinfo/front": front}):
        url = entry.world.url(entry.front, "/reviews/1")
        token = "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJtZSJ9.c2ln"
        reply = entry.world.curl(entry.outsider, url, "-H", f"Authorization: {token}")
        assert (reply.status, reply.body) == (401, "Jwks doesn't have key to match kid or alg from Jwt")
        assert entry.world.curl(entry.outsider, url).status == 200


def test_a_refused_gateway_answers_503(entry: Entry) -> None:
    """As recorded of waypoints: it makes the answer itself when the destination refuses its own certificate."""
    others = L4Match(not_principals=(StringMatch("exact", FRONT.principal),))
    allow = L4Policy("not-front", "bookinfo", "Namespace", "ALLOW", (L4Rule((L4Clause((others,)),)),))
    with entry.world.having(l4_policies={allow.key: allow}):
        reply = entry.world.call(entry.outsider, entry.front, "/reviews/1")
    assert (reply.status, reply.body[:22]) == (503, "upstream connect error")


@pytest.mark.parametrize("too", [False, True])
def test_a_waypoint_only_where_it_is_asked_for(entry: Entry, too: bool) -> None:
    """Past a Service's waypoint, or through it, without its mark on the answer."""
    world = entry.world
    before = world.mesh
    world.waypoint("reviews-waypoint", services=(entry.reviews.key,))
    bound = replace(entry.reviews, waypoint=WaypointRef("bookinfo", "reviews-waypoint"), ingress_too=too)
    services = {**world.mesh.services, bound.key: bound}
    with world.having(services=services):
        reply = world.call(entry.outsider, entry.front, "/reviews/waypoint")
    assert (reply.status, reply.headers.get("x-envoy-decorator-operation")) == (200, None)
    seen = world.logged("bookinfo/reviews-waypoint-abc", "/reviews/waypoint", within=2.0 if too else 0.2)
    assert bool(seen) is too
    assert all(f" {entry.outsider.address}:0 " in line for line in seen)
    world.run(world.plane.stop_waypoint("reviews-waypoint-abc", "bookinfo"))
    world.mesh = before
    world.push()


def test_the_gateways_admin_is_its_envoys(entry: Entry) -> None:
    """Its configuration can be read as a waypoint's can."""
    status, _, body = entry.world.run(entry.world.plane.waypoint_admin("front-istio-abc", "bookinfo", "/config_dump"))
    assert status == 200
    assert b"outbound|9080||reviews.bookinfo.svc.cluster.local" in body
