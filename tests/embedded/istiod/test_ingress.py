"""Gateways of class istio as istiod sees them (statuses recorded on Istio 1.30.3)."""

import pytest

from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.faulty import broken
from pytest_ambient.embedded.istiod.statuses import statuses
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object, name_of

from .world import CLOCK, endpoint_slice, facts, mesh_of, meta, namespace, pod, route, service, waypoint_objects

PARENT: Object = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "front"}
RULE: Object = {"backendRefs": [{"kind": "Service", "group": "", "name": "reviews", "port": 9080}]}


def gateway(**allowed: object) -> Object:
    """A Gateway for ingress."""
    listener: Object = {"name": "http", "port": 80, "protocol": "HTTP"}
    if allowed:
        listener["allowedRoutes"] = {"namespaces": dict(allowed)}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": meta("front"),
        "spec": {"gatewayClassName": "istio", "listeners": [listener]},
    }


def entry() -> Object:
    """The Service that its controller made."""
    made = service("front-istio", vip="127.80.200.50")
    made["spec"]["ports"] = [{"name": "http", "port": 80, "targetPort": 80, "protocol": "TCP"}]
    return made


def said(view: View, name: str) -> Object:
    """The status that the object of that name gets."""
    return next(each.status for each in statuses(view, CLOCK) if name_of(each.item) == name)


def test_gateway_status() -> None:
    """It has its Service's name for an address and counts the routes of its listener, as recorded."""
    view = View(gateways=[gateway()], services=[entry(), service("reviews")], routes=[route("r", [RULE], PARENT)])
    status = said(view, "front")
    host = "front-istio.bookinfo.svc.cluster.local"
    assert status["addresses"] == [{"type": "Hostname", "value": host}]
    assert facts(status) == [
        ("Accepted", "True", "Accepted", "Resource accepted"),
        ("Programmed", "True", "Programmed", f"Resource programmed, assigned to service(s) {host}:80"),
    ]
    (listener,) = status["listeners"]
    assert listener["attachedRoutes"] == 1
    assert [each["kind"] for each in listener["supportedKinds"]] == ["HTTPRoute", "GRPCRoute"]
    assert [each[:3] for each in facts(listener)] == [
        ("Accepted", "True", "Accepted"),
        ("Conflicted", "False", "NoConflicts"),
        ("Programmed", "True", "Programmed"),
        ("ResolvedRefs", "True", "ResolvedRefs"),
    ]


def test_gateway_whose_load_balancer_gives_no_address() -> None:
    """As on a cluster without a load balancer: it serves, but is not programmed; an address, once given, is told."""
    balanced = entry()
    balanced["spec"]["type"] = "LoadBalancer"
    status = said(View(gateways=[gateway()], services=[balanced]), "front")
    host = "front-istio.bookinfo.svc.cluster.local"
    why = f"Assigned to service(s) {host}:80, but failed to assign to all requested addresses: "
    pending = f'address pending for hostname "{host}"'
    assert facts(status)[1] == ("Programmed", "False", "AddressNotAssigned", why + pending)
    assert "addresses" not in status
    balanced["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    status = said(View(gateways=[gateway()], services=[balanced]), "front")
    assert facts(status)[1][1] == "True"
    assert status["addresses"] == [{"type": "IPAddress", "value": "192.0.2.1"}]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("Hostname", ["front-istio.bookinfo.svc.cluster.local"]),
        ("IPAddress", ["127.80.200.50"]),
        ("", ["127.80.200.50", "front-istio.bookinfo.svc.cluster.local"]),
    ],
)
def test_a_gateway_tells_the_addresses_that_it_is_asked_for(asked: str, told: list[str]) -> None:
    """By an annotation (conversion.go of Istio 1.30.3)."""
    front = gateway()
    front["metadata"]["annotations"] = {"networking.istio.io/address-type": asked}
    status = said(View(gateways=[front], services=[entry()]), "front")
    assert [each["value"] for each in status["addresses"]] == told


def test_gateway_of_several_ports() -> None:
    """All are named, each once and in order."""
    front, service = gateway(), entry()
    front["spec"]["listeners"] = [{"name": f"p{port}", "port": port, "protocol": "HTTP"} for port in (82, 81, 80)]
    front["spec"]["listeners"].append({"name": "again", "port": 80, "protocol": "HTTP", "hostname": "a.example"})
    service["spec"]["ports"] = [{"name": f"p{port}", "port": port} for port in (80, 81, 82)]
    host = "front-istio.bookinfo.svc.cluster.local"
    told = facts(said(View(gateways=[front], services=[service]), "front"))[1][3]
    assert told == f"Resource programmed, assigned to service(s) {host}:80, {host}:81, and {host}:82"


@pytest.mark.parametrize(
    ("listens", "asks", "both"),
    [
        ("shop.example", [], ("shop.example",)),
        ("shop.example", ["shop.example", "b.example"], ("shop.example",)),
        ("*.example", ["shop.example", "a.test"], ("shop.example",)),
        ("shop.example", ["*.example"], ("shop.example",)),
        ("", ["shop.example"], ("shop.example",)),
        ("", [], ()),
        ("shop.example", ["b.example"], None),
    ],
)
def test_host_names_of_a_listener(listens: str, asks: list[str], both: tuple[str, ...] | None) -> None:
    """A route holds for the names that it shares with the listener; without any it is not taken."""
    front, asked = gateway(), route("r", [RULE], PARENT)
    front["spec"]["listeners"][0]["hostname"] = listens
    asked["spec"]["hostnames"] = asks
    view = View(gateways=[front], services=[entry(), service("reviews")], routes=[asked])
    followed = mesh_of(view).ingresses["bookinfo/front"].ports[80]
    assert [each.hostnames for each in followed] == ([] if both is None else [both])
    condition = facts(said(view, "r")["parents"][0])[0]
    if both is None:
        why = 'no hostnames matched parent hostname "shop.example"'
        assert condition == ("Accepted", "False", "NoMatchingListenerHostname", why)
    else:
        assert condition[1:3] == ("True", "Accepted")


@pytest.mark.parametrize(
    ("space", "spec", "held"),
    [
        ("bookinfo", {"targetRefs": [PARENT]}, True),
        ("bookinfo", {"targetRefs": [PARENT | {"name": "other"}]}, False),
        ("other", {"targetRefs": [PARENT]}, False),
        ("bookinfo", {"targetRefs": [{"group": "", "kind": "Service", "name": "front"}]}, False),
        ("bookinfo", {}, True),
        ("istio-system", {}, True),
        ("other", {}, False),
        ("bookinfo", {"selector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "front"}}}, True),
        ("bookinfo", {"selector": {"matchLabels": {"app": "front"}}}, False),
    ],
)
def test_policies_at_a_gateway(space: str, spec: Object, held: bool) -> None:
    """Those that target it, and those without target that select its pods: a gateway, unlike a waypoint, heeds both."""
    policy: Object = {"kind": "AuthorizationPolicy", "metadata": meta("p", space), "spec": spec}
    token: Object = {"metadata": meta("t", space), "spec": {**spec, "jwtRules": [{"issuer": "me", "jwks": "{}"}]}}
    view = View(gateways=[gateway()], services=[entry()], policies=[policy], authentications=[token])
    front = mesh_of(view).ingresses["bookinfo/front"]
    assert [each.name for each in front.policies] == (["p"] if held else [])
    assert [each.issuer for each in front.tokens] == (["me"] if held else [])


@pytest.mark.parametrize("addressed", [False, True])
def test_status_of_a_policy_at_a_gateway(addressed: bool) -> None:
    """Bound, says Istio, when the Gateway has an address, whatever its class; not so before, though it holds."""
    policy: Object = {"kind": "AuthorizationPolicy", "metadata": meta("p"), "spec": {"targetRefs": [PARENT]}}
    front = gateway()
    if addressed:
        front["status"] = {"addresses": [{"type": "Hostname", "value": "front-istio"}]}
    wanted = ("True", "Accepted", "bound to bookinfo/front") if addressed else ("False", "TargetNotFound", "not bound")
    assert facts(said(View(gateways=[front], policies=[policy]), "p")) == [("WaypointAccepted", *wanted)]


def test_gateway_without_service() -> None:
    """Before its Service is there it is not programmed and has no address."""
    status = said(View(gateways=[gateway()]), "front")
    assert "addresses" not in status
    assert facts(status)[1][:3] == ("Programmed", "False", "AddressNotAssigned")


@pytest.mark.parametrize(
    ("parent", "allowed", "space", "reason"),
    [
        ({}, {}, "bookinfo", "Accepted"),
        ({"sectionName": "http", "port": 80}, {}, "bookinfo", "Accepted"),
        ({"port": 81}, {}, "bookinfo", "NoMatchingParent"),
        ({"sectionName": "tls"}, {}, "bookinfo", "NoMatchingParent"),
        ({"namespace": "bookinfo"}, {}, "other", "NotAllowedByListeners"),
        ({"namespace": "bookinfo"}, {"from": "All"}, "other", "Accepted"),
    ],
)
def test_routes_of_a_gateway(parent: Object, allowed: dict[str, str], space: str, reason: str) -> None:
    """A route is followed only where the Gateway takes it, and its status says so."""
    view = View(
        namespaces=[namespace("bookinfo"), namespace("other")],
        gateways=[gateway(**allowed)],
        services=[entry(), service("reviews", space)],
        routes=[route("r", [RULE], PARENT | parent, space)],
    )
    (told,) = said(view, "r")["parents"]
    assert facts(told)[0][2] == reason
    assert facts(told)[2] == ("ResolvedWaypoints", "True", "ResolvedWaypoints", "All waypoints resolved")
    followed = mesh_of(view).ingresses["bookinfo/front"].ports[80]
    assert len(followed) == (reason == "Accepted")


@pytest.mark.parametrize(
    ("parent", "space", "hosts", "wanted"),
    [
        ({}, "bookinfo", [], ("True", "Accepted", "Route was valid, bound to 2 parents")),
        ({}, "bookinfo", ["b.test"], ("True", "Accepted", "Route was valid")),
        ({"port": 81}, "bookinfo", [], ("True", "Accepted", "Route was valid")),
        ({"port": 9}, "bookinfo", [], ("False", "NoMatchingParent", "port 9 not found; port 9 not found")),
        (
            {"sectionName": "any"}, "other", [],
            (
                "False", "NotAllowedByListeners",
                'hostnames matched parent hostname "", but namespace "other" is not allowed by the parent',
            ),
        ),
        (
            {"sectionName": "shop"}, "bookinfo", ["b.test"],
            ("False", "NoMatchingListenerHostname", 'no hostnames matched parent hostname "shop.example"'),
        ),
    ],
)  # fmt: skip
def test_a_route_at_several_listeners(
    parent: Object, space: str, hosts: list[str], wanted: tuple[str, str, str]
) -> None:
    """Those that take it are counted; if none does, the reasons that come nearest to it are told together."""
    front, asked = gateway(), route("r", [RULE], PARENT | {"namespace": "bookinfo"} | parent, space)
    front["spec"]["listeners"] = [
        {"name": "any", "port": 80, "protocol": "HTTP"},
        {"name": "shop", "port": 81, "protocol": "HTTP", "hostname": "shop.example"},
    ]
    asked["spec"]["hostnames"] = hosts
    spaces = [namespace("bookinfo"), namespace("other")]
    view = View(namespaces=spaces, gateways=[front], services=[service("reviews", space)], routes=[asked])
    assert facts(said(view, "r")["parents"][0])[0] == ("Accepted", *wanted)


@pytest.mark.parametrize(
    ("kinds", "supported", "right", "taken"),
    [
        (["HTTPRoute"], ["HTTPRoute"], True, True),
        (["GRPCRoute"], ["GRPCRoute"], True, False),
        (["GRPCRoute", "TCPRoute"], ["GRPCRoute"], False, False),
        (["TCPRoute"], [], False, False),
    ],
)
def test_kinds_of_routes_of_a_listener(kinds: list[str], supported: list[str], right: bool, taken: bool) -> None:
    """A listener takes the kinds that it names and supports; others that it names are told of."""
    front = gateway()
    listener = front["spec"]["listeners"][0]
    listener["allowedRoutes"] = {"kinds": [{"group": PARENT["group"], "kind": each} for each in kinds]}
    view = View(gateways=[front], services=[entry(), service("reviews")], routes=[route("r", [RULE], PARENT)])
    (told,) = said(view, "front")["listeners"]
    assert [each["kind"] for each in told["supportedKinds"]] == supported
    why = (
        ("True", "ResolvedRefs", "No errors found") if right else ("False", "InvalidRouteKinds", "Invalid route kinds")
    )
    assert facts(told)[3] == ("ResolvedRefs", *why)
    assert told["attachedRoutes"] == taken
    assert len(mesh_of(view).ingresses["bookinfo/front"].ports[80]) == taken
    refused = ("False", "NotAllowedByListeners", "kind gateway.networking.k8s.io/v1/HTTPRoute is not allowed")
    wanted = ("True", "Accepted", "Route was valid") if taken else refused
    assert facts(said(view, "r")["parents"][0])[0] == ("Accepted", *wanted)


def test_a_gateway_that_is_not_there_is_not_spoken_of() -> None:
    """Istio leaves the status of such a route alone."""
    view = View(routes=[route("r", [RULE], PARENT)])
    assert said(view, "r") == {"parents": []}


def test_pods_of_a_gateway_and_its_hosts() -> None:
    """Its pods serve its ports by a proxy; routes keep their host names for it."""
    labels = {
        "gateway.istio.io/managed": "istio.io-gateway-controller",
        "gateway.networking.k8s.io/gateway-name": "front",
    }
    hosts = route("r", [RULE], PARENT)
    hosts["spec"]["hostnames"] = ["shop.example"]
    view = View(gateways=[gateway()], pods=[pod("front-istio-x", "front", "127.80.1.9", labels=labels)], routes=[hosts])
    mesh = mesh_of(view)
    assert mesh.workloads["Kubernetes//Pod/bookinfo/front-istio-x"].gateway_ports == (80,)
    assert mesh.ingresses["bookinfo/front"].ports[80][0].hostnames == ("shop.example",)


@pytest.mark.parametrize(("own", "inherited", "through"), [(None, None, 0), ("true", None, 1), ("false", "true", 0)])
def test_ingress_use_waypoint(own: str | None, inherited: str | None, through: bool) -> None:
    """The Service's label beats its namespace's; the fault lets gateways past all the same."""
    label = "istio.io/ingress-use-waypoint"
    bound = {"istio.io/use-waypoint": "waypoint", **({label: own} if own else {})}
    front, address = waypoint_objects()
    view = View(
        namespaces=[namespace("bookinfo", {label: inherited} if inherited else {})],
        gateways=[front],
        services=[service("reviews", labels=bound), address],
        slices=[endpoint_slice("reviews")],
    )
    assert mesh_of(view).services["bookinfo/reviews"].ingress_too is bool(through)
    assert ("Ingress traffic will traverse" in facts(said(view, "reviews"))[0][3]) is bool(through)
    past = broken(mesh_of(view), {Fault.INGRESS_PAST_WAYPOINT})
    assert not past.services["bookinfo/reviews"].ingress_too
