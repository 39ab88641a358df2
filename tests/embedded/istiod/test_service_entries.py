"""ServiceEntries as ztunnels and waypoints get them: hosts, addresses, endpoints, waypoints, routes and policies."""

from dataclasses import replace

import pytest

from pytest_ambient.embedded.istiod.allotment import Allotment
from pytest_ambient.embedded.istiod.model import Mesh, Place, Service, WaypointRef
from pytest_ambient.embedded.istiod.snapshot import snapshot
from pytest_ambient.embedded.istiod.statuses import Status, statuses
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .entries import HTTP, entry
from .world import CLOCK, USE_WAYPOINT, facts, namespace, pod, policy, route, service, waypoint_objects

GATEWAY, OWN = waypoint_objects("way")
ADDRESS = "240.240.0.1"
GOT = {"a.example": ADDRESS}
BOUND = {USE_WAYPOINT: "way"}
PODS = (pod("details-1", "details", "127.80.1.1"), pod("other-1", "details", "127.80.1.2", "other"))
WORLD = View(
    namespaces=[namespace("bookinfo"), namespace("other")],
    services=[OWN, service("details")],
    pods=PODS,
    gateways=[GATEWAY],
)


def mesh_with(*entries: Object, **more: object) -> Mesh:
    """The mesh of that world with these entries."""
    view = replace(WORLD, entries=entries, **more)  # type: ignore[arg-type]  # the view's own fields
    return snapshot(view, lambda _: {}, lambda key: f"at {key}")


def only(*entries: Object, **more: object) -> Service:
    """The one host that these entries make."""
    (found,) = (each for each in mesh_with(*entries, **more).services.values() if each.host)
    return found


def said(entries: list[Object], **more: object) -> list[Status]:
    """What statuses should change to."""
    view = replace(WORLD, entries=entries, **more)  # type: ignore[arg-type]  # the view's own fields
    return [each for each in statuses(view, CLOCK) if each.item["kind"] in ("ServiceEntry", "AuthorizationPolicy")]


def test_a_host_is_a_service_of_its_own_name_and_address() -> None:
    """It is called at the address in the status, and really served elsewhere."""
    found = only(entry(got=GOT))
    assert (found.key, found.hostname, found.vip) == ("bookinfo/a.example.", "a.example", ADDRESS)
    assert (found.listens, found.more_vips) == ("at bookinfo/a.example.", ())
    assert [(each.port, each.protocol, each.sniffed) for each in found.ports] == [(80, "HTTP", False)]


def test_every_host_has_its_own_address() -> None:
    """Two hosts of one entry are two Services."""
    mesh = mesh_with(entry(hosts=["a.example", "b.example"], got=GOT | {"b.example": "240.240.0.2"}))
    assert {each.host: each.vip for each in mesh.services.values() if each.host} == {
        "a.example": ADDRESS,
        "b.example": "240.240.0.2",
    }


def test_addresses_of_the_user_go_first() -> None:
    """What the status says does not count beside them; IPv6 is known and not listened to."""
    found = only(entry(addresses=["2001:db8::1", "10.1.1.1", "10.1.1.2"], got=GOT))
    assert (found.vip, found.more_vips) == ("10.1.1.1", ("2001:db8::1", "10.1.1.2"))


def test_without_address_nothing_listens() -> None:
    """As long as none is given, and where its user wants none."""
    assert only(entry()).listens == ""
    assert only(entry(labels={"networking.istio.io/enable-autoallocate-ip": "false"}, got=GOT)).listens == ""


@pytest.mark.parametrize(
    ("protocol", "kind"), [("HTTP2", "HTTP"), ("GRPC", "HTTP"), ("", "HTTP"), ("TCP", "TCP"), ("TLS", "TCP")]
)
def test_protocols(protocol: str, kind: str) -> None:
    """What is HTTP in some form is routed as such; what says nothing is told by its connections."""
    (port,) = only(entry(ports=[HTTP | {"protocol": protocol}], got=GOT)).ports
    assert (port.protocol, port.sniffed) == (kind, not protocol)
    assert port.http2 is (protocol in ("HTTP2", "GRPC"))


def test_it_selects_pods_of_its_namespace() -> None:
    """By labels; the target port, else the port itself, holds unless a container's port has the name."""
    named = pod("details-1", "details", "127.80.1.1")
    named["spec"]["containers"] = [{"ports": [{"name": "web", "containerPort": 9000}]}]
    ports = [HTTP, {"name": "web", "number": 81}, {"name": "plain", "number": 82}]
    found = only(entry(workloadSelector={"labels": {"app": "details"}}, ports=ports, got=GOT), pods=[named, *PODS[1:]])
    assert [(each.workload, each.ports) for each in found.endpoints] == [
        ("Kubernetes//Pod/bookinfo/details-1", {80: 8000, 81: 9000, 82: 82})
    ]
    assert found.places == ()


def test_a_selector_without_labels_selects_nothing() -> None:
    """ztunnel is told of no endpoint."""
    assert only(entry(workloadSelector={"labels": {}}, got=GOT)).endpoints == ()


def test_endpoints_that_are_written_down() -> None:
    """Each may have ports of its own, by their names."""
    found = only(entry(endpoints=[{"address": "10.9.9.9"}, {"address": "10.9.9.8", "ports": {"http": 81}}], got=GOT))
    assert found.places == (Place("10.9.9.9", {80: 8000}), Place("10.9.9.8", {80: 81}))


def test_a_name_without_endpoints_is_one_itself() -> None:
    """With resolution DNS; with STATIC it leads nowhere."""
    assert only(entry(resolution="DNS", got=GOT)).places == (Place("a.example", {80: 8000}),)
    assert only(entry(got=GOT)).places == ()


def test_one_host_is_one_service_in_its_namespace() -> None:
    """The oldest entry has it, a Service before all; in another namespace it may be something else."""
    young = entry("young", got=GOT, created="2026-02-02T00:00:00Z")
    own = "details.bookinfo.svc.cluster.local"
    elsewhere = entry("elsewhere", [own], space="other", addresses=["10.1.1.9"])
    mesh = mesh_with(young, entry("old", got=GOT), entry("late", [own], got={own: "240.240.0.9"}), elsewhere)
    assert [(each.name, each.namespace) for each in mesh.services.values() if each.host] == [
        ("old", "bookinfo"),
        ("elsewhere", "other"),
    ]


def test_a_waypoint_by_its_label_or_its_namespaces() -> None:
    """The label `none` takes it out again."""
    ref = WaypointRef("bookinfo", "way")
    assert only(entry(labels=BOUND, got=GOT)).waypoint == ref
    spaces = [namespace("bookinfo", BOUND)]
    assert only(entry(got=GOT), namespaces=spaces).waypoint == ref
    assert only(entry(labels={USE_WAYPOINT: "none"}, got=GOT), namespaces=spaces).waypoint is None


def test_the_condition_of_a_bound_entry() -> None:
    """As a Service's, with the times of Istio's own kinds."""
    item = entry(labels=BOUND, got=GOT)
    (found,) = said([item])
    assert facts(found.status) == [
        ("istio.io/WaypointBound", "True", "WaypointAccepted", "Successfully attached to waypoint bookinfo/way")
    ]
    assert found.status["conditions"][0]["lastTransitionTime"] == CLOCK.nanoseconds
    assert "observedGeneration" not in found.status["conditions"][0]
    assert found.status["addresses"] == item["status"]["addresses"]


def test_the_condition_of_an_entry_whose_waypoint_is_not_there() -> None:
    """It says so; an entry that asks for none has no condition."""
    (found,) = said([entry(labels={USE_WAYPOINT: "nowhere"})])
    assert facts(found.status) == [
        ("istio.io/WaypointBound", "False", "WaypointIsNotReady", 'waypoint "bookinfo/nowhere" is not ready')
    ]
    assert said([entry(got=GOT)]) == []


def targeting(name: str) -> Object:
    """A policy on a ServiceEntry."""
    ref = {"group": "networking.istio.io", "kind": "ServiceEntry", "name": name}
    return policy("p", {"targetRefs": [ref], "rules": [{}]})


@pytest.mark.parametrize(
    ("labels", "name", "condition"),
    [
        (BOUND, "entry", ("True", "Accepted", "bound to bookinfo/way")),
        ({}, "entry", ("False", "AncestorNotBound", "ServiceEntry bookinfo/entry is not bound to a waypoint")),
        (BOUND, "details", ("False", "TargetNotFound", "ServiceEntry bookinfo/details was not found")),
    ],
)
def test_the_condition_of_a_policy_on_it(labels: dict[str, str], name: str, condition: tuple[str, ...]) -> None:
    """By the entry's own name, never a Service's."""
    found = said([entry(labels=labels, got=GOT)], policies=[targeting(name)])
    assert facts(found[-1].status) == [("WaypointAccepted", *condition)]


def test_a_policy_holds_for_all_hosts_of_an_entry() -> None:
    """And for nothing else."""
    item = entry(hosts=["a.example", "b.example"], labels=BOUND, got=GOT)
    mesh = mesh_with(item, policies=[targeting("entry")])
    assert set(mesh.service_policies) == {"bookinfo/a.example.", "bookinfo/b.example."}


def test_a_route_of_an_entry_and_to_a_host() -> None:
    """The parent is an entry, a backend the name that callers write."""
    parent = {"group": "networking.istio.io", "kind": "ServiceEntry", "name": "entry"}
    there = {"group": "networking.istio.io", "kind": "Hostname", "name": "a.example", "port": 80}
    gone = there | {"name": "gone.example"}
    mesh = mesh_with(entry(got=GOT), routes=[route("r", [{"backendRefs": [there, gone]}], parent)])
    ((made,),) = mesh.routes.values()
    assert list(mesh.routes) == ["bookinfo/a.example."]
    backends = [(each.service, each.missing) for each in made.rules[0].backends]
    assert backends == [("bookinfo/a.example.", "a.example"), (None, "gone.example")]


@pytest.mark.parametrize(
    ("name", "accepted", "waypoint"),
    [
        ("entry", ("True", "Accepted", "Route was valid"), "All waypoints resolved"),
        ("gone", ("False", "NoMatchingParent", 'parent service entry: "gone" not found'), "parent not found"),
    ],
)
def test_the_conditions_of_a_route_of_an_entry(name: str, accepted: tuple[str, ...], waypoint: str) -> None:
    """As for a Service, but the entry is named as one."""
    parent = {"group": "networking.istio.io", "kind": "ServiceEntry", "name": name}
    backend = {"group": "networking.istio.io", "kind": "Hostname", "name": "gone.example", "port": 80}
    view = replace(
        WORLD, entries=[entry(labels=BOUND, got=GOT)], routes=[route("r", [{"backendRefs": [backend]}], parent)]
    )
    (found,) = (each.status for each in statuses(view, CLOCK) if each.item["kind"] == "HTTPRoute")
    assert facts(found["parents"][0]) == [
        ("Accepted", *accepted),
        ("ResolvedRefs", "False", "BackendNotFound", "backend(gone.example) not found"),
        ("ResolvedWaypoints", "True", "ResolvedWaypoints", waypoint),
    ]


def test_every_host_gets_an_address_of_each_family() -> None:
    """In their order, never twice the same."""
    two = entry("two", ["a.example", "b.example"])
    wanted = Allotment().follow([two, entry("third", ["c.example"], created="2026-02-02T00:00:00Z")])
    assert wanted["bookinfo/two"] == [
        {"host": "a.example", "value": "240.240.0.1"},
        {"host": "a.example", "value": "2001:2::1"},
        {"host": "b.example", "value": "240.240.0.2"},
        {"host": "b.example", "value": "2001:2::2"},
    ]
    assert [each["value"] for each in wanted["bookinfo/third"]] == ["240.240.0.3", "2001:2::3"]


def test_an_address_stays() -> None:
    """Also when a host comes to it; the new one gets another."""
    allotment = Allotment()
    assert allotment.follow([entry(got=GOT)]) == {}
    more = allotment.follow([entry(hosts=["a.example", "b.example"], got=GOT)])["bookinfo/entry"]
    assert [each["value"] for each in more] == [ADDRESS, "240.240.0.2", "2001:2::1"]


@pytest.mark.parametrize(
    "item",
    [
        entry(addresses=["10.1.1.1"], got=GOT),
        entry(labels={"networking.istio.io/enable-autoallocate-ip": "FALSE"}, got=GOT),
    ],
)
def test_who_wants_no_address_loses_what_it_had(item: Object) -> None:
    """By giving some, or by the label."""
    assert Allotment().follow([item]) == {"bookinfo/entry": []}


def test_an_address_that_its_user_gave_to_another_is_taken_away() -> None:
    """The one that has it by chance gets a new one."""
    wanted = Allotment().follow([entry(got=GOT), entry("fixed", ["b.example"], addresses=[ADDRESS], space="other")])
    assert [each["value"] for each in wanted["bookinfo/entry"]] == ["240.240.0.2", "2001:2::1"]
