"""L1: a DENY for one principal resets that principal and nobody else."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L1", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
REFUSED = DeniedL4(by="${NAMESPACE}/reviews-not-details")
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("details-is-reset", "details-v1", REVIEWS, REFUSED, twin="productpage-is-answered"),
    case("productpage-is-answered", "productpage-v1", REVIEWS, Answered(200), unchanged=True),
    case("ratings-is-answered", "ratings-v1", REVIEWS, Answered(200), unchanged=True),
    case("other-namespace-is-answered", "other/curl", REVIEWS, Answered(200), unchanged=True),
    case("unmeshed-pod-is-answered", "outside/curl", REVIEWS, Answered(200), unchanged=True, needs="Permissive"),
    on=KMESH,
)
def test_deny_principal(verdict: Verdict) -> None:
    """Only details' account is kept from reviews."""
    verdict.holds()
