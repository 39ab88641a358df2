"""W2: `waypoint-for` decides whether calls to Services, to pods, to both or to neither pass the waypoint."""

import pytest

from pytest_ambient import GET, STATUS, Answered, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="W2", profile="AMBIENT-L7", needs="Waypoint")

TO_SERVICE = GET("http://httpbin:8000/get")
TO_POD = GET("http://httpbin-pods:8080/get")
PAST, THROUGH = Answered(200, through=None), Answered(200, through="httpbin-waypoint")
SERVICE = STATUS("v1/Service", "httpbin")
UNSUPPORTED = HasCondition("istio.io/WaypointBound", "False", "UnsupportedTrafficType")


@cases(
    case("service-waypoint-takes-services", "curl", TO_SERVICE, THROUGH, before=PAST, state="service"),
    case("service-waypoint-leaves-pods", "curl", TO_POD, PAST, before=PAST, state="service", unchanged=True),
    case("workload-waypoint-leaves-services", "curl", TO_SERVICE, PAST, before=PAST, state="workload", unchanged=True),
    case("workload-waypoint-takes-pods", "curl", TO_POD, THROUGH, before=PAST, state="workload"),
    case("all-waypoint-takes-services", "curl", TO_SERVICE, THROUGH, before=PAST, state="all"),
    case("all-waypoint-takes-pods", "curl", TO_POD, THROUGH, before=PAST, state="all"),
    case("none-waypoint-leaves-services", "curl", TO_SERVICE, PAST, before=PAST, state="none", unchanged=True),
    case("none-waypoint-leaves-pods", "curl", TO_POD, PAST, before=PAST, state="none", unchanged=True),
    case("service-is-told", None, SERVICE, UNSUPPORTED, state="service-to-workload"),
    case("service-stays-at-l4", "curl", TO_SERVICE, PAST, before=PAST, state="service-to-workload", unchanged=True),
)
def test_waypoint_for(verdict: Verdict) -> None:
    """Each kind of traffic passes where it should and nowhere else."""
    verdict.holds()
