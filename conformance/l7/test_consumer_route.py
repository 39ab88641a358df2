"""H10: an HTTPRoute outside of its Service's namespace counts where the Service's waypoint lives, and nowhere else."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H10", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

NEAR, FAR = GET("http://httpbin.${NAMESPACE}:8000/headers"), GET("http://httpbin-far.${NAMESPACE}:8000/headers")
TAKEN, IGNORED = Answered(200, body='"X-Consumer"'), Answered(200, lacks="X-Consumer")


@cases(
    case("producers-clients-are-not-routed", "curl", NEAR, IGNORED, unchanged=True, level="extended"),
    case("consumers-clients-are-not-either", "other/curl", NEAR, IGNORED, unchanged=True, level="documented"),
    case("waypoints-namespace-routes-its-own", "other/curl", FAR, TAKEN, level="extended"),
    case("waypoints-namespace-routes-everybody", "curl", FAR, TAKEN, level="extended"),
)
def test_consumer_route(verdict: Verdict) -> None:
    """One waypoint serves all callers of a Service; it knows the routes of the Service's namespace and of its own."""
    verdict.holds()
