"""W5: a Service whose waypoint never was answers as before, without any L7 policy, and says why."""

import pytest

from pytest_ambient import GET, STATUS, Answered, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="W5", profile="AMBIENT-L7", needs="Waypoint")

CALL = GET("http://httpbin:8000/get")
PAST = Answered(200, through=None)
SERVICE = STATUS("v1/Service", "httpbin")
POLICY = STATUS("security.istio.io/v1/AuthorizationPolicy", "httpbin-no-get")


@cases(
    case("call-is-answered-at-l4", "curl", CALL, PAST, before=PAST, unchanged=True),
    case(
        "service-says-not-ready", None, SERVICE, HasCondition("istio.io/WaypointBound", "False", "WaypointIsNotReady")
    ),
    case("policy-says-not-bound", None, POLICY, HasCondition("WaypointAccepted", "False", "AncestorNotBound")),
)
def test_waypoint_missing(verdict: Verdict) -> None:
    """A missing waypoint fails open."""
    verdict.holds()
