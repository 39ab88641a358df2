"""E4: the identity is the service account's: workloads that share one are alike, others are told apart."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E4", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
REFUSED = DeniedL4(by="${NAMESPACE}/reviews-only-curl")
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("named-account-is-answered", "curl", REVIEWS, Answered(200), unchanged=True),
    case("same-account-elsewhere-is-answered", "curl-again", REVIEWS, Answered(200), unchanged=True),
    case("other-account-is-reset", "curl-stranger", REVIEWS, REFUSED, twin="named-account-is-answered"),
    case("same-name-in-other-namespace-is-reset", "other/curl", REVIEWS, REFUSED, twin="named-account-is-answered"),
    on=KMESH,
)
def test_identity(verdict: Verdict) -> None:
    """What counts is the account and its namespace, never the workload."""
    verdict.holds()
