"""R2: an ALLOW for one principal at ztunnel admits that principal and resets everybody else."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="R2", profile="AMBIENT-L4")

RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
REFUSED = DeniedL4(by="${NAMESPACE}/reviews-only-productpage")
ALIEN, ADMITTED = "outside/curl", "productpage-is-answered"
KMESH = {"kmesh": Unsupported("Kmesh decides on principals after the first packets: a short request may be answered")}


@cases(
    case("productpage-is-answered", "productpage-v1", REVIEWS, Answered(200), unchanged=True, on=KMESH),
    case("details-is-reset", "details-v1", REVIEWS, REFUSED, twin=ADMITTED, on=KMESH),
    case("ratings-is-reset", "ratings-v1", REVIEWS, REFUSED, twin=ADMITTED, on=KMESH),
    case("unmeshed-pod-is-reset", ALIEN, REVIEWS, REFUSED, twin=ADMITTED, needs="Permissive", on=KMESH),
    case("other-service-is-answered", "details-v1", RATINGS, Answered(200), unchanged=True),
)
def test_allow_principal(verdict: Verdict) -> None:
    """Only productpage's account may call reviews."""
    verdict.holds()
