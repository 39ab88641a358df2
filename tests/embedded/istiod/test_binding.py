"""Which waypoint takes which traffic."""

import pytest

from pytest_ambient.embedded.istiod.binding import Gate, Refusal, gates, service_gate, workload_gate
from pytest_ambient.embedded.istiod.model import Mesh, WaypointRef
from pytest_ambient.embedded.istiod.view import GATEWAY_NAME, MANAGED, MANAGED_BY_MESH, View
from pytest_ambient.embedded.objects import Object

from .world import (
    USE_WAYPOINT,
    endpoint_slice,
    mesh_of,
    namespace,
    pod,
    policy,
    service,
    waypoint_objects,
)

OURS = WaypointRef("bookinfo", "waypoint")


def around(item: Object, *, space: Object | None = None, handles: str = "", attaches: Object | None = None) -> View:
    """A namespace with a waypoint and one Service or pod."""
    gateway, own = waypoint_objects(labels={"istio.io/waypoint-for": handles} if handles else {})
    if attaches is not None:
        gateway["spec"]["listeners"][0]["allowedRoutes"] = {"namespaces": attaches}
    spaces = [space or namespace("bookinfo"), namespace("other", {"team": "a"})]
    services = [own, item] if item["kind"] == "Service" else [own]
    pods = [item] if item["kind"] == "Pod" else []
    return View(namespaces=spaces, services=services, pods=pods, gateways=[gateway])


def ref_of(gate: Gate | Refusal | None) -> WaypointRef | str | None:
    """The waypoint, the reason of a refusal, or None."""
    return gate.ref if isinstance(gate, Gate) else gate.reason if isinstance(gate, Refusal) else None


@pytest.mark.parametrize(
    ("own", "inherited", "bound"),
    [
        (None, None, None),
        ("waypoint", None, OURS),
        (None, "waypoint", OURS),
        ("none", "waypoint", None),
        ("waypoint", "none", OURS),
        ("nosuch", "waypoint", "WaypointIsNotReady"),
    ],
)
def test_label_of_the_service_beats_that_of_its_namespace(
    own: str | None, inherited: str | None, bound: WaypointRef | str | None
) -> None:
    """Service, then namespace; `none` opts out; a missing waypoint is no reason to take the namespace's."""
    item = service("reviews", labels={USE_WAYPOINT: own} if own else {})
    space = namespace("bookinfo", {USE_WAYPOINT: inherited} if inherited else {})
    view = around(item, space=space)
    assert ref_of(service_gate(view, gates(view), item)) == bound


def test_labels_of_service_and_namespace_do_not_mix() -> None:
    """A Service's own waypoint is looked for in its namespace, wherever the namespace's label points."""
    item = service("reviews", labels={USE_WAYPOINT: "waypoint"})
    elsewhere = {USE_WAYPOINT: "waypoint", "istio.io/use-waypoint-namespace": "other"}
    view = around(item, space=namespace("bookinfo", elsewhere))
    assert ref_of(service_gate(view, gates(view), item)) == OURS


@pytest.mark.parametrize(
    ("handles", "by_service", "by_pod"),
    [
        ("", OURS, "UnsupportedTrafficType"),
        ("service", OURS, "UnsupportedTrafficType"),
        ("workload", "UnsupportedTrafficType", OURS),
        ("all", OURS, OURS),
        ("none", "UnsupportedTrafficType", "UnsupportedTrafficType"),
    ],
)
def test_waypoint_for(handles: str, by_service: WaypointRef | str, by_pod: WaypointRef | str) -> None:
    """A waypoint takes only the kind of traffic that it is for."""
    item, other = service("reviews", labels={USE_WAYPOINT: "waypoint"}), pod("a", "reviews", "127.80.1.1")
    other["metadata"]["labels"][USE_WAYPOINT] = "waypoint"
    view = around(item, handles=handles)
    assert ref_of(service_gate(view, gates(view), item)) == by_service
    assert ref_of(workload_gate(view, gates(view), other)) == by_pod


@pytest.mark.parametrize(
    ("attaches", "bound"),
    [
        (None, "AttachmentDenied"),
        ({"from": "Same"}, "AttachmentDenied"),
        ({"from": "All"}, OURS),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}, OURS),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "b"}}}, "AttachmentDenied"),
        ({"from": "Selector", "selector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}, OURS),
    ],
)
def test_allowed_routes_decide_for_other_namespaces(attaches: Object | None, bound: WaypointRef | str) -> None:
    """A Service of another namespace binds only where the waypoint's listener lets it."""
    labels = {USE_WAYPOINT: "waypoint", "istio.io/use-waypoint-namespace": "bookinfo"}
    item = service("httpbin", "other", labels=labels)
    view = around(item, attaches=attaches)
    assert ref_of(service_gate(view, gates(view), item)) == bound


def lost(*pods: Object, with_service: bool = True) -> Mesh:
    """A mesh whose Service reviews asks for a waypoint that has those pods."""
    item = service("reviews", labels={USE_WAYPOINT: "waypoint"})
    view = around(item)
    services = [each for each in view.services if with_service or each is item]
    slices = [endpoint_slice("reviews", "a")]
    mine = [pod("a", "reviews", "127.80.1.1"), *pods]
    return mesh_of(View(view.namespaces, services, mine, slices, view.gateways))


def test_missing_waypoint_fails_open_and_lost_one_stays_bound() -> None:
    """Without an address a waypoint is ignored; with one, but without pods, it is bound and has nobody behind it."""
    missing = lost(with_service=False)
    assert missing.waypoints == {}
    assert missing.services["bookinfo/reviews"].waypoint is None
    gone = lost()
    assert gone.services["bookinfo/reviews"].waypoint == OURS
    assert gone.waypoints[OURS.key].pods == ()
    assert gone.waypoints[OURS.key].services == ("bookinfo/reviews",)


def test_address_is_that_of_a_service_made_anew() -> None:
    """Whatever was reported of the one before."""
    gateway, own = waypoint_objects()
    gateway["status"] = {"addresses": [{"type": "IPAddress", "value": "127.80.200.5"}]}
    assert gates(View(gateways=[gateway], services=[own]))[OURS.key].address == own["spec"]["clusterIP"]


def test_address_outlives_the_service() -> None:
    """An address once reported stays, even when the waypoint's Service is gone."""
    gateway, _ = waypoint_objects()
    gateway["status"] = {"addresses": [{"type": "IPAddress", "value": "127.80.200.5"}]}
    assert gates(View(gateways=[gateway]))[OURS.key].address == "127.80.200.5"


def test_waypoint_without_the_port_of_tunnels_is_bound_and_reached_by_nobody() -> None:
    """Its listeners are its Service's ports: where they leave that one out, ztunnel knows no such waypoint."""
    gateway, own = waypoint_objects()
    own["spec"]["ports"] = [{"name": "mesh", "port": 80, "protocol": "TCP"}]
    member = pod("w", "waypoint", "127.80.1.7", labels={"gateway.networking.k8s.io/gateway-name": "waypoint"})
    view = View(services=[own], gateways=[gateway], pods=[member])
    found = mesh_of(view).waypoints[OURS.key]
    assert (bool(found.address), found.pods) == (True, ())


def test_waypoint_pods_are_those_of_the_gateway() -> None:
    """Ready pods with the Gateway's name are its pods; they themselves use no waypoint."""
    labels = {GATEWAY_NAME: "waypoint", MANAGED: MANAGED_BY_MESH, USE_WAYPOINT: "waypoint"}
    mesh = lost(pod("waypoint-1", "waypoint", "127.80.1.9", labels=labels))
    assert mesh.waypoints[OURS.key].pods == ("Kubernetes//Pod/bookinfo/waypoint-1",)
    assert mesh.workloads["Kubernetes//Pod/bookinfo/waypoint-1"].is_waypoint


def test_class_label_is_the_default_of_waypoint_for() -> None:
    """The GatewayClass says what its waypoints are for where they do not."""
    item = service("reviews", labels={USE_WAYPOINT: "waypoint"})
    view = around(item)
    classes = [{"metadata": {"name": "istio-waypoint", "labels": {"istio.io/waypoint-for": "workload"}}}]
    view = View(view.namespaces, view.services, gateways=view.gateways, classes=classes)
    assert ref_of(service_gate(view, gates(view), item)) == "UnsupportedTrafficType"


def test_foreign_revision_is_left_alone() -> None:
    """A Gateway of another revision of Istio is none of ours."""
    gateway, own = waypoint_objects(labels={"istio.io/rev": "canary"})
    assert gates(View(services=[own], gateways=[gateway])) == {}


def test_targeted_policies_reach_service_gateway_and_class() -> None:
    """Policies attach to what they target; a class's policies must live in the root namespace."""
    item = service("reviews", labels={USE_WAYPOINT: "waypoint"})
    view = around(item)
    ref = {"group": "", "kind": "Service", "name": "reviews"}
    gateway = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}
    kind = {"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": "istio-waypoint"}
    policies = [
        policy("by-service", {"targetRefs": [ref], "action": "DENY", "rules": [{}]}),
        policy("by-one", {"targetRef": ref}),
        policy("by-gateway", {"targetRefs": [gateway]}),
        policy("by-class", {"targetRefs": [kind]}, "istio-system"),
        policy("by-class-elsewhere", {"targetRefs": [kind]}),
        policy("audit", {"targetRefs": [ref], "action": "AUDIT", "rules": [{}]}),
    ]
    classes = [{"metadata": {"name": "istio-waypoint"}, "spec": {"controllerName": "istio.io/mesh-controller"}}]
    mesh = mesh_of(View(view.namespaces, view.services, (), (), view.gateways, classes, policies=policies))
    by_service = [each.key for each in mesh.service_policies["bookinfo/reviews"]]
    assert by_service == ["bookinfo/by-one", "bookinfo/by-service"]
    attached = [each.key for each in mesh.waypoints[OURS.key].policies]
    assert attached == ["bookinfo/by-gateway", "istio-system/by-class"]
    assert mesh.l4_policies == {}
