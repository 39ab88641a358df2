"""T5: a Telemetry lets a waypoint tell of every call in the caller's own trace: productpage, reviews, ratings."""

import pytest

from pytest_ambient import GET, Traced, Unsupported, Verdict, case, cases

NEEDS = ("Waypoint", "Telemetry", "Tracing")
pytestmark = pytest.mark.ambient(rule="T5", profile="AMBIENT-TELEMETRY", needs=NEEDS)

PAGE = GET("http://productpage:9080/productpage")
WAYPOINT = "traced-waypoint"


@cases(
    case("productpage-is-in-the-trace", "curl", PAGE, Traced("productpage", WAYPOINT)),
    case("reviews-is-under-productpage", "curl", PAGE, Traced("reviews", WAYPOINT, "productpage")),
    case("ratings-is-under-reviews", "curl", PAGE, Traced("ratings", WAYPOINT, "reviews")),
    level="extended",
    on={"kmesh": Unsupported("the waypoints of Kmesh are told in another way")},
)
def test_tracing(verdict: Verdict) -> None:
    """Jaeger shows one request's way through the mesh."""
    verdict.holds()
