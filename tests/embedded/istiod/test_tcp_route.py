"""TCPRoutes as waypoints get them, what the API refuses in them, and what Services' ports are taken for."""

import pytest

from pytest_ambient.embedded.istiod.binding import gates
from pytest_ambient.embedded.istiod.model import Backend, Route, RouteMatch, RouteRule
from pytest_ambient.embedded.istiod.routes import routes_by_service
from pytest_ambient.embedded.istiod.snapshot import snapshot
from pytest_ambient.embedded.istiod.statuses import statuses
from pytest_ambient.embedded.istiod.tcp_route import tcp_causes
from pytest_ambient.embedded.istiod.unimplemented import unimplemented
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .world import CLOCK, USE_WAYPOINT, facts, namespace, route, service, waypoint_objects

PARENT: Object = {"group": "", "kind": "Service", "name": "reviews"}
GATEWAY: Object = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "front"}


def backend(name: str, weight: int = 1, **more: object) -> Object:
    """A backendRef."""
    return {"group": "", "kind": "Service", "name": name, "port": 9000, "weight": weight, **more}


def connections(*refs: Object, parent: Object = PARENT, name: str = "tcp") -> Object:
    """A TCPRoute of one rule."""
    made = route(name, [{"backendRefs": list(refs)}], parent)
    return {**made, "kind": "TCPRoute", "apiVersion": "gateway.networking.k8s.io/v1alpha2"}


def seen(*items: Object) -> View:
    """Service reviews with its waypoint, others beside it, and the routes."""
    gateway, own = waypoint_objects()
    services = [service("reviews", labels={USE_WAYPOINT: "waypoint"}), service("v1"), service("v2", "other"), own]
    return View([namespace("bookinfo"), namespace("other")], services, gateways=[gateway], tcp_routes=items)


def known(*items: Object) -> tuple[Route, ...]:
    """The routes as the waypoint knows them."""
    view = seen(*items)
    return routes_by_service(view, gates(view)).get("bookinfo/reviews", ())


def resolved(item: Object) -> tuple[str, str, str, str]:
    """What its status says of its references, between `Accepted` and what is said of waypoints."""
    (found,) = (each for each in statuses(seen(item), CLOCK) if each.item["kind"] == "TCPRoute")
    accepted, refs, waypoints = facts(found.status["parents"][0])
    assert (accepted[:3], waypoints[:3]) == (
        ("Accepted", "True", "Accepted"),
        ("ResolvedWaypoints", "True", "ResolvedWaypoints"),
    )
    return refs


def test_a_rule_is_carried_over_whole() -> None:
    """Weights and the parent's port reach the waypoint; a backend elsewhere needs no grant, as with HTTPRoutes."""
    item = connections(backend("v1", 3), backend("v2", 0, namespace="other"), parent=PARENT | {"port": 9000})
    (found,) = known(item)
    backends = (Backend("bookinfo/v1", 9000, 3), Backend("other/v2", 9000, 0))
    assert (found.tcp, found.port, found.rules) == (True, 9000, (RouteRule((RouteMatch(),), backends),))
    assert resolved(item) == ("ResolvedRefs", "True", "ResolvedRefs", "All references resolved")


def test_a_backend_that_is_not_there_is_told() -> None:
    """It keeps its weight and leads nowhere."""
    item = connections(backend("v1", 9), backend("nosuch", 1))
    assert [(each.service, each.weight) for each in known(item)[0].rules[0].backends] == [("bookinfo/v1", 9), (None, 1)]
    why = "backend(nosuch.bookinfo.svc.cluster.local) not found"
    assert resolved(item) == ("ResolvedRefs", "False", "BackendNotFound", why)


def test_a_parent_that_is_not_there_is_told() -> None:
    """The route is accepted by nobody."""
    item = connections(backend("v1"), parent=PARENT | {"name": "nosuch"})
    (found,) = (each for each in statuses(seen(item), CLOCK) if each.item["kind"] == "TCPRoute")
    said = facts(found.status["parents"][0])[0]
    assert said == ("Accepted", "False", "NoMatchingParent", 'parent service: "nosuch" not found')
    assert known(item) == ()


@pytest.mark.parametrize(
    ("item", "field", "message"),
    [
        (connections(backend("v1", port=None)), "spec.rules[0].backendRefs[0]", "Must have port for Service reference"),
        (
            connections(backend("v1"), parent=GATEWAY),
            "spec.parentRefs[0].kind",
            "does not implement TCPRoutes of a Gateway, only of a Service or a ServiceEntry; see",
        ),
        (
            {**connections(), "spec": {"rules": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}},
            "spec.rules",
            "Rule name must be unique within the route",
        ),
    ],
)
def test_what_is_refused(item: Object, field: str, message: str) -> None:
    """What no route can be, and what this mesh does not carry out, is refused with its place."""
    (cause,) = tcp_causes(item)
    assert cause.field == field
    assert message in cause.message


def test_default_gateways_are_refused_by_name() -> None:
    """An experimental field that no mesh carries out yet."""
    item = connections(backend("v1"))
    item["spec"]["useDefaultGateways"] = "All"
    (cause,) = unimplemented(item)
    assert "does not implement default Gateways" in cause.message


@pytest.mark.parametrize(
    ("port", "protocol", "sniffed"),
    [
        ({"name": "http"}, "HTTP", False),
        ({"name": "http2-web"}, "HTTP", False),
        ({"name": "grpc-web"}, "HTTP", False),
        ({"name": "GRPC"}, "HTTP", False),
        ({"name": "tcp"}, "TCP", False),
        ({"name": "tcp-echo"}, "TCP", False),
        ({"name": "https"}, "TCP", False),
        ({"name": "redis-main"}, "TCP", False),
        ({"name": "tcpecho"}, "HTTP", True),
        ({"name": "web"}, "HTTP", True),
        ({}, "HTTP", True),
        ({"port": 3306}, "TCP", False),
        ({"port": 3306, "name": "http"}, "HTTP", False),
        ({"name": "http", "appProtocol": "tcp"}, "TCP", False),
        ({"name": "tcp", "appProtocol": "http"}, "HTTP", False),
        ({"name": "tcp", "appProtocol": "example.com/own"}, "HTTP", True),
        ({"name": "tcp", "appProtocol": "kubernetes.io/h2c"}, "HTTP", False),
        ({"name": "tcp", "appProtocol": "kubernetes.io/ws"}, "HTTP", False),
        ({"name": "http", "appProtocol": "kubernetes.io/wss"}, "TCP", False),
    ],
)
def test_what_a_port_speaks(port: Object, protocol: str, sniffed: bool) -> None:
    """`appProtocol`, else the name up to its first hyphen; where neither says it, its connections do."""
    item = service("reviews")
    item["spec"]["ports"] = [{"port": 9000, **port}]
    (found,) = snapshot(View([namespace("bookinfo")], [item]), lambda _: {}).services["bookinfo/reviews"].ports
    assert (found.protocol, found.sniffed) == (protocol, sniffed)


@pytest.mark.parametrize(
    ("port", "http2"),
    [
        ({"name": "http"}, False),
        ({"name": "http2-web"}, True),
        ({"name": "grpc-web"}, True),
        ({"name": "GRPC"}, True),
        ({"name": "grpcs"}, False),
        ({"name": "http", "appProtocol": "kubernetes.io/h2c"}, True),
        ({"name": "grpc", "appProtocol": "http"}, False),
    ],
)
def test_ports_of_http2(port: Object, http2: bool) -> None:
    """Those that say so or that gRPC is spoken there."""
    item = service("reviews")
    item["spec"]["ports"] = [{"port": 9000, **port}]
    (found,) = snapshot(View([namespace("bookinfo")], [item]), lambda _: {}).services["bookinfo/reviews"].ports
    assert found.http2 is http2
