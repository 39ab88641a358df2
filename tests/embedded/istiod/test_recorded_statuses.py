"""Statuses equal those that istiod was seen to write."""

import pytest

from pytest_ambient.embedded.istiod.binding import gates
from pytest_ambient.embedded.istiod.gateway_status import gateway_status
from pytest_ambient.embedded.istiod.statuses import policy_status, route_status, service_status
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object, name_of, namespace_of

from .world import CLOCK, bare, facts, namespace, policy, recorded, service

WITHOUT_WAYPOINT = ("03", "04", "05")


def bookinfo(*extra: Object, enrolled: bool = True) -> View:
    """The recorded namespace with its Services, with or without its waypoint; `extra` replaces its namesakes."""
    replaced = {(each["kind"], namespace_of(each), name_of(each)) for each in extra}
    items = [each for each in recorded("waypoint") if (each["kind"], namespace_of(each), name_of(each)) not in replaced]
    items += extra
    if not enrolled:
        items = [each for each in items if name_of(each) != "waypoint"]
        for each in items:
            each["metadata"].get("labels", {}).pop("istio.io/use-waypoint", None)

    def of(kind: str) -> list[Object]:
        return [each for each in items if each["kind"] == kind]

    return View(namespaces=of("Namespace"), services=of("Service"), gateways=of("Gateway"))


def policies() -> list[tuple[str, Object]]:
    """Each recorded policy with its scenario."""
    return [(each["scenario"], each["object"]) for each in recorded("policies")]


@pytest.mark.parametrize(
    ("scenario", "item"), policies(), ids=[f"{scenario}-{name_of(each)}" for scenario, each in policies()]
)
def test_policy_status_is_as_recorded(scenario: str, item: Object) -> None:
    """An AuthorizationPolicy's whole status, times aside, is the recorded one."""
    extra: list[Object] = []
    if scenario == "10":
        extra = [service("reviews")]
        extra[0]["metadata"]["labels"] = {"istio.io/use-waypoint": "nosuch"}
    if scenario == "18":
        extra = [service("tcp-echo")]
    if scenario == "22":
        extra = [each["object"] for each in recorded("bound") if each["scenario"] == "22"][1:]
        extra.append(namespace("other"))
    view = bookinfo(*extra, enrolled=scenario not in WITHOUT_WAYPOINT)
    status = policy_status(view, gates(view), bare(item), CLOCK.nanoseconds)
    assert facts(status) == facts(item["status"])
    observed = [each["observedGeneration"] for each in item["status"]["conditions"]]
    assert [each["observedGeneration"] for each in status["conditions"]] == observed


def test_dry_run_policy_with_a_target_says_two_things() -> None:
    """ztunnel complains of it wherever it aims; its waypoint takes it."""
    item = policy("p", {"targetRefs": [{"group": "", "kind": "Service", "name": "reviews"}], "rules": [{}]})
    item["metadata"]["annotations"] = {"istio.io/dry-run": "true"}
    view = bookinfo()
    said = facts(policy_status(view, gates(view), item, CLOCK.nanoseconds))
    assert [each[:3] for each in said] == [
        ("ZtunnelAccepted", "False", "UnsupportedValue"),
        ("WaypointAccepted", "True", "Accepted"),
    ]


def test_status_keeps_its_transition_time() -> None:
    """A condition that stays as it is keeps its time, so that writing it again changes nothing."""
    for scenario, item in policies():
        if scenario == "08":
            view = bookinfo()
            assert policy_status(view, gates(view), item, CLOCK.nanoseconds) == item["status"]


@pytest.mark.parametrize("entry", recorded("bound"), ids=lambda each: f"{each['scenario']}-{name_of(each['object'])}")
def test_bound_objects_are_as_recorded(entry: Object) -> None:
    """Services and waypoint Gateways have the recorded conditions, addresses and listeners."""
    item = entry["object"]
    others = [each["object"] for each in recorded("bound") if each["scenario"] == entry["scenario"]]
    view = _around(item, others)
    if item["kind"] == "Gateway":
        status = gateway_status(view, bare(item), CLOCK.seconds)
        assert status["addresses"] == item["status"]["addresses"]
        assert [facts(each) for each in status["listeners"]] == [facts(each) for each in item["status"]["listeners"]]
        assert gateway_status(view, item, CLOCK.seconds) == item["status"]
    else:
        status = service_status(view, gates(view), bare(item), CLOCK.seconds)
        assert service_status(view, gates(view), item, CLOCK.seconds) == item["status"]
    assert facts(status) == facts(item["status"])


def _around(item: Object, others: list[Object]) -> View:
    """The recorded namespace around one object at the moment of its recording."""
    gateways = [each for each in others if each["kind"] == "Gateway"]
    if facts(item["status"])[:1] and facts(item["status"])[0][2] == "AttachmentDenied":
        gateways = []
    services = []
    for gateway in gateways:
        own = service(name_of(gateway), vip=gateway["status"]["addresses"][0]["value"])
        own["spec"]["ports"] = [{"name": "mesh", "port": 15008}]
        services.append(own)
    return bookinfo(namespace("other"), *gateways, *services, item)


def test_enrolled_namespace_is_as_recorded() -> None:
    """After `istioctl waypoint apply --enroll-namespace` every Service of the namespace has the recorded condition."""
    view = bookinfo()
    services = [each for each in view.services if each["status"].get("conditions")]
    assert len(services) == 11
    for each in view.services:
        assert service_status(view, gates(view), each, CLOCK.seconds) == each["status"]
        assert facts(service_status(view, gates(view), bare(each), CLOCK.seconds)) == facts(each["status"])


def test_route_statuses_follow_the_recorded_changes() -> None:
    """An HTTPRoute changed eleven times has the recorded parents after each change, times aside."""
    view = bookinfo()
    for each in recorded("routes"):
        before = bare(each)
        status = route_status(view, before, CLOCK.seconds)
        for mine, theirs in zip(status["parents"], each["status"]["parents"], strict=True):
            assert facts(mine) == facts(theirs)
            assert {key: mine[key] for key in ("controllerName", "parentRef")} == {
                key: theirs[key] for key in ("controllerName", "parentRef")
            }
            assert [c["observedGeneration"] for c in mine["conditions"]] == [
                c["observedGeneration"] for c in theirs["conditions"]
            ]
        assert route_status(view, each, CLOCK.seconds) == each["status"]
