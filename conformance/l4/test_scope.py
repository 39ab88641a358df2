"""L9: a policy holds for the workloads it selects, for its namespace, or from the root namespace for the whole mesh."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L9", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ELSEWHERE = GET("http://httpbin.${OTHER_NAMESPACE}:8000/get")
ANSWERED = Answered(200)
BY_SELECTOR = DeniedL4(by="${NAMESPACE}/reviews-not-curl")
BY_NAMESPACE = DeniedL4(by="${NAMESPACE}/nothing-for-curl")
BY_ROOT = DeniedL4(by="${ROOT_NAMESPACE}/pytest-ambient-nothing-for-curl")
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case(
        "selected-workload-is-kept", "curl", REVIEWS, BY_SELECTOR, state="selector", twin="unselected-workload-answers"
    ),
    case("unselected-workload-answers", "curl", RATINGS, ANSWERED, state="selector", unchanged=True),
    case("namespace-keeps-reviews", "curl", REVIEWS, BY_NAMESPACE, state="namespace", twin="other-namespace-answers"),
    case("namespace-keeps-ratings", "curl", RATINGS, BY_NAMESPACE, state="namespace", twin="other-namespace-answers"),
    case("other-namespace-answers", "curl", ELSEWHERE, ANSWERED, state="namespace", unchanged=True),
    case("root-keeps-reviews", "curl", REVIEWS, BY_ROOT, state="mesh", twin="by-another-account-answers", scope="mesh"),
    case(
        "root-keeps-other-namespace",
        "curl",
        ELSEWHERE,
        BY_ROOT,
        state="mesh",
        twin="elsewhere-answers-others",
        scope="mesh",
    ),
    case("by-another-account-answers", "details-v1", REVIEWS, ANSWERED, state="mesh", unchanged=True, scope="mesh"),
    case("elsewhere-answers-others", "details-v1", ELSEWHERE, ANSWERED, state="mesh", unchanged=True, scope="mesh"),
    on=KMESH,
)
def test_scope(verdict: Verdict) -> None:
    """The wider the scope, the more workloads keep the caller out."""
    verdict.holds()
