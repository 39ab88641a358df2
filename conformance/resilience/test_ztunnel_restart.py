"""S1: after a restart of ztunnel on every node new connections are answered and tunnelled, and policies hold."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Logged, Steady, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="S1", needs=("Identity", "ZtunnelRestart"), disruptive=True)

RATINGS, REVIEWS = GET("http://ratings:9080/ratings/0"), GET("http://reviews:9080/reviews/0")
BY_ZTUNNEL, SERVED = DeniedL4(by="${NAMESPACE}/ratings-not-from-details"), Answered(200)
ACCOUNT = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/curl"
TUNNELLED = Logged("inbound", {"src.identity": ACCOUNT, "dst.hbone_addr": "*:9080", "error": None})
KMESH = {"kmesh": Unsupported("Kmesh has no ztunnel")}


@cases(
    case("call-is-answered", "curl", RATINGS, SERVED, unchanged=True),
    case("call-is-tunnelled", "curl", RATINGS, TUNNELLED, before=TUNNELLED, unchanged=True),
    case("denied-account-is-reset", "details-v1", RATINGS, BY_ZTUNNEL, unchanged=True, twin="call-is-answered"),
    case("account-reaches-others", "details-v1", REVIEWS, SERVED, unchanged=True),
    case(
        "unmeshed-call-is-answered",
        "outside/curl",
        GET("http://ratings.${NAMESPACE}:9080/ratings/0"),
        SERVED,
        unchanged=True,
        needs="Permissive",
    ),
    case("calls-resume", "curl", RATINGS, Steady(SERVED)),
    case("denied-calls-never-pass", "details-v1", RATINGS, Steady(BY_ZTUNNEL), twin="calls-resume"),
    scope="mesh",
    on=KMESH,
)
def test_ztunnel_restart(verdict: Verdict) -> None:
    """The new ztunnels know policies before they take connections."""
    verdict.holds()
