"""R8: a waypoint bound by a Service's label serves that Service and no other."""

import pytest

from pytest_ambient import GET, STATUS, Answered, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="R8", profile="AMBIENT-L7", needs="Waypoint")

REVIEWS = GET("http://reviews:9080/reviews/0")
DETAILS = GET("http://details:9080/details/0")
THROUGH, PAST = Answered(200, through="reviews-waypoint"), Answered(200, through=None)
GATEWAY = STATUS("gateway.networking.k8s.io/v1/Gateway", "reviews-waypoint")
SERVICE = STATUS("v1/Service", "reviews")


@cases(
    case("reviews-passes-the-waypoint", "productpage-v1", REVIEWS, THROUGH, before=PAST),
    case("details-does-not-pass-it", "productpage-v1", DETAILS, PAST, unchanged=True, before=PAST),
    case("gateway-is-programmed", None, GATEWAY, HasCondition("Programmed", "True", "Programmed")),
    case("service-is-bound", None, SERVICE, HasCondition("istio.io/WaypointBound", "True", "WaypointAccepted")),
)
def test_waypoint_serves(verdict: Verdict) -> None:
    """Only the labelled Service's traffic passes the waypoint."""
    verdict.holds()
