"""Z4: a policy targets a Service, a waypoint or a class of waypoints; one that targets nothing says so."""

import pytest

from pytest_ambient import GET, STATUS, Answered, DeniedL7, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="Z4", profile="AMBIENT-L7", needs="Waypoint")

OPEN, CLOSED = GET("http://httpbin:8000/anything/open"), GET("http://httpbin:8000/anything/denied")
BY_SERVICE, BY_GATEWAY = DeniedL7(by="${NAMESPACE}/service-target"), DeniedL7(by="${NAMESPACE}/gateway-target")
BY_CLASS = DeniedL7(by="${ROOT_NAMESPACE}/pytest-ambient-class-target")
ORPHAN = STATUS("security.istio.io/v1/AuthorizationPolicy", "no-target")
ANSWERED, NOT_FOUND = Answered(200), HasCondition("WaypointAccepted", "False", "TargetNotFound")


@cases(
    case("service-target-denies", "curl", CLOSED, BY_SERVICE, state="service", twin="service-target-spares"),
    case("service-target-spares", "curl", OPEN, ANSWERED, state="service", unchanged=True),
    case("gateway-target-denies", "curl", CLOSED, BY_GATEWAY, state="gateway", twin="gateway-target-spares"),
    case("gateway-target-spares", "curl", OPEN, ANSWERED, state="gateway", unchanged=True),
    case("class-target-denies", "curl", CLOSED, BY_CLASS, state="class", twin="class-target-spares", scope="mesh"),
    case("class-target-spares", "curl", OPEN, ANSWERED, state="class", unchanged=True, scope="mesh"),
    case("target-not-found-is-told", None, ORPHAN, NOT_FOUND, state="nothing"),
    case("target-not-found-denies-nobody", "curl", CLOSED, ANSWERED, state="nothing", unchanged=True),
)
def test_target_refs(verdict: Verdict) -> None:
    """Each target has its reach."""
    verdict.holds()
