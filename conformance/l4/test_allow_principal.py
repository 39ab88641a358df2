"""R2: an ALLOW for one principal at ztunnel admits that principal and resets everybody else."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="R2", profile="AMBIENT-L4")

RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
REFUSED = DeniedL4(by="${NAMESPACE}/reviews-only-productpage")


@cases(
    case("productpage-is-answered", "productpage-v1", REVIEWS, Answered(200), unchanged=True),
    case("details-is-reset", "details-v1", REVIEWS, REFUSED, twin="productpage-is-answered"),
    case("ratings-is-reset", "ratings-v1", REVIEWS, REFUSED, twin="productpage-is-answered"),
    case("unmeshed-pod-is-reset", "outside/curl", REVIEWS, REFUSED, twin="productpage-is-answered", needs="Permissive"),
    case("other-service-is-answered", "details-v1", RATINGS, Answered(200), unchanged=True),
)
def test_allow_principal(verdict: Verdict) -> None:
    """Only productpage's account may call reviews."""
    verdict.holds()
