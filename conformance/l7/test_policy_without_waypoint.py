"""Z7: a policy for a Service without a waypoint is enforced nowhere, and its status says so."""

import pytest

from pytest_ambient import GET, STATUS, Answered, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="Z7", profile="AMBIENT-L7", needs="Waypoint")

POLICY = STATUS("security.istio.io/v1/AuthorizationPolicy", "httpbin-no-get")
NOT_BOUND = HasCondition("WaypointAccepted", "False", "AncestorNotBound")
CALL = GET("http://httpbin:8000/get")


@cases(
    case(
        "call-is-answered",
        "curl",
        CALL,
        Answered(200, through=None),
        unchanged=True,
        level="documented",
        before=Answered(200, through=None),
    ),
    case("policy-says-not-bound", None, POLICY, NOT_BOUND, level="documented"),
)
def test_policy_without_waypoint(verdict: Verdict) -> None:
    """Nobody is there to enforce it."""
    verdict.holds()
