"""W7: a Service taken off its waypoint is at L4 again, and its L7 policy is no longer enforced and says so."""

import pytest

from pytest_ambient import GET, STATUS, Answered, DeniedL7, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="W7", profile="AMBIENT-L7", needs="Waypoint")

CALL = GET("http://httpbin:8000/get")
REFUSED = GET("http://httpbin:8000/get", headers={"x-refuse": "yes"})
THROUGH, PAST = Answered(200, through="httpbin-waypoint"), Answered(200, through=None)
DENIED = DeniedL7(by="${NAMESPACE}/httpbin-no-refused")
POLICY = STATUS("security.istio.io/v1/AuthorizationPolicy", "httpbin-no-refused")


@cases(
    case("call-passes-no-waypoint-any-more", "curl", CALL, PAST, before=THROUGH),
    case("denied-request-is-answered", "curl", REFUSED, PAST, before=DENIED),
    case("policy-says-not-bound", None, POLICY, HasCondition("WaypointAccepted", "False", "AncestorNotBound")),
)
def test_waypoint_removed(verdict: Verdict) -> None:
    """Nothing of the waypoint lingers."""
    verdict.holds()
