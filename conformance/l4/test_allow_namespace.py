"""L2: an ALLOW for a namespace admits its callers and resets everybody else."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L2", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
REFUSED = DeniedL4(by="${NAMESPACE}/reviews-only-other")
ADMITTED = "other-namespace-is-answered"
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("other-namespace-is-answered", "other/curl", REVIEWS, Answered(200), unchanged=True),
    case("own-namespace-is-reset", "curl", REVIEWS, REFUSED, twin=ADMITTED),
    case("own-namespace-by-another-account-is-reset", "productpage-v1", REVIEWS, REFUSED, twin=ADMITTED),
    case("unmeshed-pod-is-reset", "outside/curl", REVIEWS, REFUSED, twin=ADMITTED, needs="Permissive"),
    on=KMESH,
)
def test_allow_namespace(verdict: Verdict) -> None:
    """Only callers of the named namespace reach reviews."""
    verdict.holds()
