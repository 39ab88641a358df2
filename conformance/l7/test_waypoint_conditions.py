"""W10: Gateway, Service, HTTPRoute and policies each say whether the waypoint serves them, and why not."""

import pytest

from pytest_ambient import STATUS, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="W10", profile="AMBIENT-L7", needs="Waypoint")

GATEWAY = STATUS("gateway.networking.k8s.io/v1/Gateway", "httpbin-waypoint")
HTTP_ROUTE, POLICY = "gateway.networking.k8s.io/v1/HTTPRoute", "security.istio.io/v1/AuthorizationPolicy"
ROUTE, ORPHAN = STATUS(HTTP_ROUTE, "httpbin-route"), STATUS(HTTP_ROUTE, "orphan-route")
BOUND = HasCondition("istio.io/WaypointBound", "True", "WaypointAccepted")
NOT_BOUND = HasCondition("WaypointAccepted", "False", "AncestorNotBound")
NO_TARGET = HasCondition("WaypointAccepted", "False", "TargetNotFound")


@cases(
    case("gateway-is-accepted", None, GATEWAY, HasCondition("Accepted", "True", "Accepted")),
    case("gateway-is-programmed", None, GATEWAY, HasCondition("Programmed", "True", "Programmed")),
    case("service-is-bound", None, STATUS("v1/Service", "httpbin"), BOUND),
    case("route-is-accepted", None, ROUTE, HasCondition("Accepted", "True", "Accepted")),
    case("references-are-resolved", None, ROUTE, HasCondition("ResolvedRefs", "True", "ResolvedRefs")),
    case("orphan-route-is-refused", None, ORPHAN, HasCondition("Accepted", "False", "NoMatchingParent")),
    case(
        "policy-is-accepted",
        None,
        STATUS(POLICY, "httpbin-no-get"),
        HasCondition("WaypointAccepted", "True", "Accepted"),
    ),
    case("policy-without-waypoint-is-told", None, STATUS(POLICY, "details-no-get"), NOT_BOUND),
    case("policy-without-target-is-told", None, STATUS(POLICY, "nothing-no-get"), NO_TARGET),
)
def test_waypoint_conditions(verdict: Verdict) -> None:
    """Status tells what is in effect."""
    verdict.holds()
