"""L2: a DENY for a namespace resets its callers and nobody else."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L2", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
REFUSED = DeniedL4(by="${NAMESPACE}/reviews-not-other")
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("other-namespace-is-reset", "other/curl", REVIEWS, REFUSED, twin="own-namespace-is-answered"),
    case("own-namespace-is-answered", "curl", REVIEWS, Answered(200), unchanged=True),
    case("other-namespace-reaches-another-workload", "other/curl", RATINGS, Answered(200), unchanged=True),
    case("unmeshed-pod-is-answered", "outside/curl", REVIEWS, Answered(200), unchanged=True, needs="Permissive"),
    on=KMESH,
)
def test_deny_namespace(verdict: Verdict) -> None:
    """Callers of the named namespace are kept from reviews."""
    verdict.holds()
