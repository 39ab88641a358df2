"""S2: while istiod is away ztunnel and waypoints go on: what was answered is, what was refused is."""

import pytest

from pytest_ambient import GET, POST, Answered, DeniedL4, DeniedL7, Steady, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="S2", needs=("Waypoint", "IstiodOutage"), disruptive=True)

RATINGS, REVIEWS = GET("http://ratings:9080/ratings/0"), GET("http://reviews:9080/reviews/0")
HTTPBIN, POSTED = GET("http://httpbin:8000/anything"), POST("http://httpbin:8000/anything")
BY_ZTUNNEL, BY_WAYPOINT = (
    DeniedL4(by="${NAMESPACE}/ratings-not-from-details"),
    DeniedL7(by="${NAMESPACE}/httpbin-no-post"),
)
SERVED, THROUGH = Answered(200), Answered(200, through="httpbin-waypoint")
KMESH = {"kmesh": Unsupported("what Kmesh does without istiod was never recorded")}


@cases(
    case("call-is-answered", "curl", RATINGS, SERVED, unchanged=True),
    case("denied-account-is-reset", "details-v1", RATINGS, BY_ZTUNNEL, unchanged=True, twin="call-is-answered"),
    case("account-reaches-others", "details-v1", REVIEWS, SERVED, unchanged=True),
    case("waypoint-serves", "curl", HTTPBIN, THROUGH, before=THROUGH, unchanged=True),
    case("denied-method-is-403", "curl", POSTED, BY_WAYPOINT, unchanged=True, twin="waypoint-serves"),
    case("calls-go-on", "curl", RATINGS, Steady(SERVED, gap=5)),
    case("denied-calls-never-pass", "details-v1", RATINGS, Steady(BY_ZTUNNEL), twin="calls-go-on"),
    case("calls-through-waypoint-go-on", "curl", HTTPBIN, Steady(THROUGH, gap=5)),
    case("denied-methods-never-pass", "curl", POSTED, Steady(BY_WAYPOINT), twin="calls-through-waypoint-go-on"),
    scope="mesh",
    on=KMESH,
)
def test_istiod_restart(verdict: Verdict) -> None:
    """Before, meanwhile and after alike."""
    verdict.holds()
