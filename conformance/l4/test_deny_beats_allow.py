"""L5: DENY beats ALLOW; an ALLOW that matches nobody denies; an empty policy denies all, an empty rule allows all."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L5", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ELSEWHERE = GET("http://httpbin.${OTHER_NAMESPACE}:8000/get")
ANSWERED = Answered(200)
BY_DENY = DeniedL4(by="${NAMESPACE}/reviews-not-curl")
BY_NO_RULE = DeniedL4(by="${NAMESPACE}/reviews-nobody")
BY_EMPTY = DeniedL4(by="${NAMESPACE}/nothing-allowed")
BOTH, NO_RULE = "deny-and-allow", "allow-without-rules"
ALIEN, PLAIN = "outside/curl", "Permissive"
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("allowed-and-denied-is-reset", "curl", REVIEWS, BY_DENY, state=BOTH, twin="allowed-is-answered"),
    case("allowed-is-answered", "productpage-v1", REVIEWS, ANSWERED, state=BOTH, unchanged=True),
    case("neither-is-reset", "details-v1", REVIEWS, DeniedL4(), state=BOTH, twin="allowed-is-answered"),
    case("no-rule-admits-nobody", "curl", REVIEWS, BY_NO_RULE, state=NO_RULE, twin="without-policy-answers"),
    case("without-policy-answers", "curl", RATINGS, ANSWERED, state=NO_RULE, unchanged=True),
    case("empty-rule-admits-all", "curl", REVIEWS, ANSWERED, state="allow-all", unchanged=True),
    case("empty-rule-admits-unmeshed", ALIEN, REVIEWS, ANSWERED, state="allow-all", unchanged=True, needs=PLAIN),
    case("empty-policy-denies-all", "curl", REVIEWS, BY_EMPTY, state="empty", twin="other-namespace-answers"),
    case("empty-policy-denies-ratings-too", "curl", RATINGS, BY_EMPTY, state="empty", twin="other-namespace-answers"),
    case("other-namespace-answers", "curl", ELSEWHERE, ANSWERED, state="empty", unchanged=True),
    on=KMESH,
)
def test_deny_beats_allow(verdict: Verdict) -> None:
    """The order of evaluation is DENY, then ALLOW, then the absence of any ALLOW."""
    verdict.holds()
