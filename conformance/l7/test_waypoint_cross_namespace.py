"""W4: a Service may use a waypoint of another namespace when that admits it, and else stays at L4."""

import pytest

from pytest_ambient import GET, STATUS, Answered, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="W4", profile="AMBIENT-L7", needs="Waypoint")

CALL = GET("http://httpbin:8000/get")
PAST, THROUGH = Answered(200, through=None), Answered(200, through="shared-waypoint")
SERVICE = STATUS("v1/Service", "httpbin")
BOUND = HasCondition("istio.io/WaypointBound", "True", "WaypointAccepted")
DENIED = HasCondition("istio.io/WaypointBound", "False", "AttachmentDenied")


@cases(
    case("waypoint-for-all-namespaces-serves", "curl", CALL, THROUGH, before=PAST, state="all", level="extended"),
    case("service-is-bound", None, SERVICE, BOUND, state="all", level="extended"),
    case("waypoint-for-this-namespace-serves", "curl", CALL, THROUGH, before=PAST, state="selected", level="extended"),
    case(
        "waypoint-for-its-own-does-not",
        "curl",
        CALL,
        PAST,
        before=PAST,
        state="refused",
        unchanged=True,
        level="extended",
    ),
    case("service-is-told", None, SERVICE, DENIED, state="refused", level="extended"),
)
def test_waypoint_cross_namespace(verdict: Verdict) -> None:
    """The waypoint's listener decides who may use it."""
    verdict.holds()
