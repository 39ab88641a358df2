"""R5: at a waypoint an ALLOW for one principal answers that principal and gives everybody else 403, not a reset."""

import pytest

from pytest_ambient import GET, Answered, DeniedL7, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of principals at a waypoint of Kmesh, its callers show no certificate")}
pytestmark = pytest.mark.ambient(rule="R5", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
DENIED = DeniedL7(by="${NAMESPACE}/reviews-only-productpage")


@cases(
    case("productpage-is-answered", "productpage-v1", REVIEWS, Answered(200), unchanged=True),
    case("details-is-denied-at-l7", "details-v1", REVIEWS, DENIED, twin="productpage-is-answered"),
    case("other-namespace-is-denied-at-l7", "other/curl", REVIEWS, DENIED, twin="productpage-is-answered"),
)
def test_allow_principal_at_waypoint(verdict: Verdict) -> None:
    """Only productpage's account passes the waypoint of reviews."""
    verdict.holds()
