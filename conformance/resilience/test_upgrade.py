"""S4: while the mesh goes to another version and back, what is answered and what is refused stays so.

Its parts are replaced one by one in the order of Istio's guide to upgrades: istiod, CNI agents, ztunnels, waypoints
(istio.io, ambient/upgrade/helm).
"""

import pytest

from pytest_ambient import (
    GET,
    POST,
    Answered,
    DeniedL4,
    DeniedL7,
    Logged,
    Steady,
    Unsupported,
    Verdict,
    case,
    cases,
)

pytestmark = pytest.mark.ambient(rule="S4", needs=("Identity", "Waypoint", "Upgrade"), disruptive=True)

RATINGS, REVIEWS = GET("http://ratings:9080/ratings/0"), GET("http://reviews:9080/reviews/0")
HTTPBIN, POSTED = GET("http://httpbin:8000/anything"), POST("http://httpbin:8000/anything")
BY_ZTUNNEL = DeniedL4(by="${NAMESPACE}/ratings-not-from-details")
BY_WAYPOINT = DeniedL7(by="${NAMESPACE}/httpbin-no-post")
SERVED, THROUGH = Answered(200), Answered(200, through="httpbin-waypoint")
ACCOUNT = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/curl"
TUNNELLED = Logged("inbound", {"src.identity": ACCOUNT, "dst.hbone_addr": "*:9080", "error": None})
KMESH = {"kmesh": Unsupported("Kmesh has no ztunnel")}


@cases(
    case("call-is-answered", "curl", RATINGS, SERVED, unchanged=True),
    case("call-is-tunnelled", "curl", RATINGS, TUNNELLED, before=TUNNELLED, unchanged=True),
    case("denied-account-is-reset", "details-v1", RATINGS, BY_ZTUNNEL, unchanged=True, twin="call-is-answered"),
    case("account-reaches-others", "details-v1", REVIEWS, SERVED, unchanged=True),
    case("waypoint-serves", "curl", HTTPBIN, THROUGH, before=THROUGH, unchanged=True),
    case("denied-method-is-403", "curl", POSTED, BY_WAYPOINT, unchanged=True, twin="waypoint-serves"),
    case("calls-resume", "curl", RATINGS, Steady(SERVED)),
    case("denied-calls-never-pass", "details-v1", RATINGS, Steady(BY_ZTUNNEL), twin="calls-resume"),
    case("calls-through-waypoint-resume", "curl", HTTPBIN, Steady(THROUGH)),
    case("denied-methods-never-pass", "curl", POSTED, Steady(BY_WAYPOINT), twin="calls-through-waypoint-resume"),
    scope="mesh",
    on=KMESH,
)
def test_upgrade(verdict: Verdict) -> None:
    """The version is that of `--ambient-upgrade-to`; no time without service is longer than 30 seconds."""
    verdict.holds()
