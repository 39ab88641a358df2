"""Each misreading takes from the objects what its name says, and leaves the objects themselves alone."""

from typing import Any

import pytest

from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.faulty_statuses import told
from pytest_ambient.embedded.istiod.misread import Misreader
from pytest_ambient.embedded.istiod.model import WaypointRef
from pytest_ambient.embedded.istiod.statuses import statuses
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .world import CLOCK, USE_WAYPOINT, mesh_of, namespace, peer, pod, policy, service, waypoint_objects

STARS, LITERAL = ["*", "a*", "*b", "c"], ["%2A", "a%2A", "%2Ab", "c"]
MINE = ["cluster.local/ns/bookinfo/*"]
PRINCIPAL, ME = "source.principal", "cluster.local/ns/bookinfo/sa/curl"
REVIEWS = {"matchLabels": {"app": "reviews"}}
SERVICE = {"group": "", "kind": "Service", "name": "reviews"}
GATEWAY = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}


def sources(**source: Any) -> Object:
    """A DENY of one source."""
    return {"action": "DENY", "rules": [{"from": [{"source": source}]}]}


def operations(**operation: Any) -> Object:
    """A DENY of one operation."""
    return {"action": "DENY", "rules": [{"to": [{"operation": operation}]}]}


def when(key: str, **values: Any) -> Object:
    """A DENY on a condition."""
    return {"action": "DENY", "rules": [{"when": [{"key": key, **values}]}]}


@pytest.mark.parametrize(
    ("fault", "said", "read"),
    [
        (Fault.NOT_FORMS_IGNORED, sources(notPrincipals=[ME], namespaces=["a"]), sources(namespaces=["a"])),
        (Fault.NOT_FORMS_IGNORED, when("source.ip", notValues=["10.0.0.1"]), when("source.ip")),
        (Fault.PORTS_OF_THE_SERVICE, operations(ports=["80", "7"]), operations(ports=["7", "9080"])),
        (Fault.IP_BLOCKS_IGNORED, sources(ipBlocks=["10.0.0.0/8"], notIpBlocks=["10.0.0.1"]), sources()),
        (Fault.IP_BLOCKS_IGNORED, when("source.ip", values=["10.0.0.1"]), when("source.ip")),
        (Fault.WHEN_IGNORED, when("source.ip", values=["10.0.0.1"]), {"action": "DENY", "rules": [{}]}),
        (Fault.SOURCE_NAMESPACES_IGNORED, sources(namespaces=["a"], principals=[ME]), sources(principals=[ME])),
        (Fault.WILDCARDS_TAKEN_LITERALLY, sources(principals=STARS), sources(principals=LITERAL)),
        (Fault.WILDCARDS_TAKEN_LITERALLY, operations(paths=["/a/{*}/b"]), operations(paths=["/a/{*}/b"])),
        (Fault.PATHS_MATCH_LOOSELY, operations(paths=["/a", "/b*", "/{*}"]), operations(paths=["/a*", "/b*", "/{*}"])),
        (Fault.IDENTITY_BY_ACCOUNT_ONLY, sources(principals=[ME, "*"]), sources(principals=["*/sa/curl", "*"])),
        (Fault.IDENTITY_BY_ACCOUNT_ONLY, sources(notServiceAccounts=["a/b"]), sources(notPrincipals=["*/sa/b"])),
        (Fault.IDENTITY_BY_NAMESPACE_ONLY, sources(serviceAccounts=["b"]), sources(principals=MINE)),
        (Fault.IDENTITY_BY_NAMESPACE_ONLY, when(PRINCIPAL, values=[ME]), when(PRINCIPAL, values=MINE)),
        (Fault.EMPTY_RULES_MIXED_UP, {}, {"rules": [{}]}),
        (Fault.EMPTY_RULES_MIXED_UP, {"rules": [{}]}, {"rules": []}),
        (Fault.EMPTY_RULES_MIXED_UP, {"action": "DENY", "rules": [{}]}, {"action": "DENY", "rules": [{}]}),
        (Fault.AUDIT_AND_CUSTOM_DENY, {"action": "AUDIT", "rules": [{}]}, {"action": "DENY", "rules": [{}]}),
        (Fault.ONE_CONDITION_IS_ENOUGH, {"rules": [{"from": [1], "to": [2]}]}, {"rules": [{"from": [1]}, {"to": [2]}]}),
        (Fault.GATEWAY_TARGETS_IGNORED, {"targetRefs": [SERVICE, GATEWAY]}, {"targetRefs": [SERVICE]}),
    ],
)  # fmt: skip
def test_policies(fault: Fault, said: Object, read: Object) -> None:
    """What a policy says, and what it is taken to say."""
    port = service("reviews")
    port["spec"]["ports"] = [{"port": 80, "targetPort": 9080}]
    view = View(policies=[policy("p", said)], services=[port])
    assert [each["spec"] for each in Misreader({fault})(view).policies] == [read]
    assert view.policies[0]["spec"] == said


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (Fault.ALLOW_BEATS_DENY, ["allow", "elsewhere", "root"]),
        (Fault.ROOT_NAMESPACE_IGNORED, ["allow", "deny", "elsewhere"]),
        (Fault.GATEWAY_TARGETS_IGNORED, ["allow", "deny", "elsewhere"]),
    ],
)
def test_policies_that_are_passed_over(fault: Fault, kept: list[str]) -> None:
    """Whole policies are not there, others are."""
    deny = {"action": "DENY", "rules": [{}]}
    known = [policy("allow", {"rules": [{}]}), policy("deny", deny), policy("elsewhere", deny, "other")]
    view = View(policies=[*known, policy("root", {"targetRefs": [GATEWAY]}, "istio-system")])
    assert [each["metadata"]["name"] for each in Misreader({fault})(view).policies] == kept


def test_policies_hold_everywhere() -> None:
    """Without selector and in the root namespace they hold for all; one with a target stays."""
    view = View(policies=[policy("p", {"selector": REVIEWS}), policy("t", {"targetRefs": [SERVICE]})])
    wide, targeted = Misreader({Fault.POLICIES_HOLD_EVERYWHERE})(view).policies
    assert (wide["metadata"]["namespace"], wide["spec"]) == ("istio-system", {})
    assert targeted == view.policies[1]


def test_targets_and_selectors_alike() -> None:
    """A policy for ztunnel has a twin for the waypoint, and one for the waypoint a twin for ztunnel."""
    policies = [policy("p", {"selector": REVIEWS}), policy("t", {"targetRefs": [SERVICE]})]
    view = View(policies=policies, services=[service("reviews"), service("details")])
    read = Misreader({Fault.TARGETS_AND_SELECTORS_ALIKE})(view).policies
    alike = [{"selector": REVIEWS}, {"targetRefs": [SERVICE]}]
    assert [each["spec"] for each in read] == [*alike, *reversed(alike)]


@pytest.mark.parametrize(
    ("fault", "read"),
    [
        (Fault.STRICT_NOT_ENFORCED, {"mtls": {"mode": "PERMISSIVE"}, "portLevelMtls": {9080: {"mode": "PERMISSIVE"}}}),
        (Fault.PORT_LEVEL_MTLS_IGNORED, {"mtls": {"mode": "STRICT"}}),
    ],
)
def test_peers(fault: Fault, read: Object) -> None:
    """What a PeerAuthentication is taken to say."""
    said = {"mtls": {"mode": "STRICT"}, "portLevelMtls": {9080: {"mode": "STRICT"}}}
    assert [each["spec"] for each in Misreader({fault})(View(peers=[peer("p", said)])).peers] == [read]


def test_strict_unasked() -> None:
    """One more PeerAuthentication, in the root namespace, is strict."""
    (read,) = Misreader({Fault.STRICT_UNASKED})(View()).peers
    assert (read["metadata"]["namespace"], read["spec"]) == ("istio-system", {"mtls": {"mode": "STRICT"}})


def test_disable_means_plaintext() -> None:
    """No tunnel leads to the pods of the namespace, to all others it does."""
    disable = {"mtls": {"mode": "DISABLE"}}
    pods = [pod("r", "reviews", "127.80.1.1"), pod("o", "other", "127.80.1.2", "other")]
    view = View(pods=pods, peers=[peer("p", disable)])
    read = mesh_of(Misreader({Fault.DISABLE_MEANS_PLAINTEXT})(view)).workloads.values()
    assert {each.name: each.tunnelled for each in read} == {"r": False, "o": True}
    assert all(each.tunnelled for each in mesh_of(view).workloads.values())


def bound(view: View, *faults: Fault) -> dict[str, WaypointRef | None]:
    """The waypoint of each Service, as misread."""
    return {name: each.waypoint for name, each in mesh_of(Misreader(faults)(view)).services.items()}


def test_namespace_waypoint_first() -> None:
    """A Service's own word is not heard where its namespace names a waypoint."""
    gateway, own = waypoint_objects()
    view = View(
        namespaces=[namespace("bookinfo", {USE_WAYPOINT: "waypoint"})],
        services=[service("reviews", labels={USE_WAYPOINT: "none"}), own],
        gateways=[gateway],
    )
    assert bound(view)["bookinfo/reviews"] is None
    assert bound(view, Fault.NAMESPACE_WAYPOINT_FIRST)["bookinfo/reviews"] == WaypointRef("bookinfo", "waypoint")


def test_waypoint_for_ignored() -> None:
    """A waypoint for pods serves Services, and the pods of a Service with a waypoint use it."""
    gateway, own = waypoint_objects(labels={"istio.io/waypoint-for": "workload"})
    labelled = service("reviews", labels={USE_WAYPOINT: "waypoint"})
    view = View(
        namespaces=[namespace("bookinfo")],
        services=[labelled, own], gateways=[gateway], pods=[pod("r", "reviews", "127.80.1.1")],
    )  # fmt: skip
    ref = WaypointRef("bookinfo", "waypoint")
    assert bound(view)["bookinfo/reviews"] is None
    read = mesh_of(Misreader({Fault.WAYPOINT_FOR_IGNORED})(view))
    assert read.services["bookinfo/reviews"].waypoint == ref
    assert [each.waypoint for each in read.workloads.values()] == [ref]


def test_attachment_unchecked() -> None:
    """A waypoint for its own namespace serves another one."""
    gateway, own = waypoint_objects()
    labels = {USE_WAYPOINT: "waypoint", "istio.io/use-waypoint-namespace": "bookinfo"}
    view = View(
        namespaces=[namespace("bookinfo"), namespace("other")],
        services=[service("reviews", "other", labels=labels), own], gateways=[gateway],
    )  # fmt: skip
    assert bound(view)["other/reviews"] is None
    assert bound(view, Fault.ATTACHMENT_UNCHECKED)["other/reviews"] == WaypointRef("bookinfo", "waypoint")


def test_missing_waypoint_closes() -> None:
    """The Service is bound to a waypoint that has no pods."""
    missing = service("reviews", labels={USE_WAYPOINT: "nowhere"})
    view = View(namespaces=[namespace("bookinfo")], services=[missing, service("details")])
    read = mesh_of(Misreader({Fault.MISSING_WAYPOINT_CLOSES})(view))
    assert read.services["bookinfo/reviews"].waypoint == WaypointRef("bookinfo", "nowhere")
    assert read.services["bookinfo/details"].waypoint is None
    assert read.waypoints["bookinfo/nowhere"].pods == ()


@pytest.mark.parametrize("labels", [{}, {USE_WAYPOINT: "none"}])
def test_waypoint_never_released(labels: dict[str, str]) -> None:
    """Once bound, a Service stays bound."""
    gateway, own = waypoint_objects()
    misread = Misreader({Fault.WAYPOINT_NEVER_RELEASED})
    spaces = [namespace("bookinfo")]
    for worn in ({USE_WAYPOINT: "waypoint"}, labels):
        view = View(namespaces=spaces, services=[service("reviews", labels=worn), own], gateways=[gateway])
        read = mesh_of(misread(view)).services["bookinfo/reviews"]
        assert read.waypoint == WaypointRef("bookinfo", "waypoint")


def test_other_faults_are_no_misreadings() -> None:
    """What breaks elsewhere is read as it is."""
    view = View(policies=[policy("p", sources(notPrincipals=["*"]))], services=[service("reviews")])
    elsewhere = {Fault.POLICY_IGNORED, Fault.SPLIT_FROZEN, Fault.LATE_CAPTURE, Fault.CONDITIONS_CLAIM_SUCCESS}
    assert Misreader(elsewhere)(view) == view


def written(view: View, fault: Fault) -> dict[str, list[tuple[str, str, str]]]:
    """The conditions that istiod writes under a fault, by the object's name."""
    found = told(statuses(view, CLOCK), frozenset({fault}))
    return {
        each.item["metadata"]["name"]: [
            (one["type"], one["status"], one["reason"])
            for one in [
                *each.status.get("conditions", ()),
                *each.status.get("listeners", [{}])[0].get("conditions", ()),
            ]
        ]
        for each in found
    }


def test_conditions_claim_success() -> None:
    """A refusal is written as its contrary, and nothing is written twice."""
    gateway, own = waypoint_objects()
    gateway["spec"]["listeners"][0]["port"] = 80
    view = View(services=[own], gateways=[gateway], policies=[policy("p", {"targetRefs": [SERVICE]})])
    said = written(view, Fault.CONDITIONS_CLAIM_SUCCESS)
    assert said["p"] == [("WaypointAccepted", "True", "Accepted")]
    assert ("Programmed", "True", "Programmed") in said["waypoint"]
    assert said["waypoint"][2:4] == [("Accepted", "True", "Accepted"), ("Conflicted", "False", "NoConflicts")]
    claim = frozenset({Fault.CONDITIONS_CLAIM_SUCCESS})
    done = {
        each.item["metadata"]["name"]: each.item | {"status": each.status}
        for each in told(statuses(view, CLOCK), claim)
    }
    after = View(services=[own], gateways=[done["waypoint"]], policies=[done["p"]])
    assert list(told(statuses(after, CLOCK), claim)) == []


def test_conditions_never_written() -> None:
    """A Gateway gets its address and no condition, a policy gets nothing."""
    gateway, own = waypoint_objects()
    view = View(services=[own], gateways=[gateway], policies=[policy("p", {"targetRefs": [SERVICE]})])
    assert written(view, Fault.CONDITIONS_NEVER_WRITTEN) == {"waypoint": []}
