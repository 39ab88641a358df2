"""E10: a new pod is captured before it runs: the very first request that it sends carries its identity."""

import pytest

from pytest_ambient import GET, STATUS, Answered, DeniedL4, HasCondition, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E10", profile="AMBIENT-ENROLMENT")

DEPLOYMENT = "apps/v1/Deployment"
AVAILABLE = HasCondition("Available", "True", "MinimumReplicasAvailable")
REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
REFUSED = DeniedL4(by="${NAMESPACE}/reviews-only-curl")
ADMITTED = "named-account-is-answered"
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("first-request-is-answered", None, STATUS(DEPLOYMENT, "newcomer"), AVAILABLE),
    case("without-identity-it-is-refused", None, STATUS(DEPLOYMENT, "newcomer-opted-out"), AVAILABLE),
    case("named-account-is-answered", "curl", REVIEWS, Answered(200), unchanged=True),
    case("other-account-is-reset", "details-v1", REVIEWS, REFUSED, before=REFUSED, unchanged=True, twin=ADMITTED),
    on=KMESH,
)
def test_new_pod(verdict: Verdict) -> None:
    """Each pod asks reviews once, which admits one account alone, and is Ready when that went as it must."""
    verdict.holds()
