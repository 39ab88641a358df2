"""L8: `serviceAccounts` names an account of the policy's namespace, or NAMESPACE/ACCOUNT of any."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L8", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
ANSWERED = Answered(200)
OWN, FOREIGN = "own-namespace", "with-namespace"
NOT_OWN = DeniedL4(by="${NAMESPACE}/reviews-only-account")
NOT_FOREIGN = DeniedL4(by="${NAMESPACE}/reviews-only-foreign-account")
NOT_NAMED = DeniedL4(by="${NAMESPACE}/reviews-not-accounts")
OTHERWISE = {
    "kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered"),
    "istio<1.25": Unsupported("serviceAccounts came with Istio 1.25"),
}


@cases(
    case("named-account-is-answered", "productpage-v1", REVIEWS, ANSWERED, state=OWN, unchanged=True),
    case("other-account-is-reset", "curl", REVIEWS, NOT_OWN, state=OWN, twin="named-account-is-answered"),
    case(
        "account-of-other-namespace-is-reset",
        "other/curl",
        REVIEWS,
        NOT_OWN,
        state=OWN,
        twin="named-account-is-answered",
    ),
    case("named-foreign-account-is-answered", "other/curl", REVIEWS, ANSWERED, state=FOREIGN, unchanged=True),
    case(
        "same-name-here-is-reset", "curl", REVIEWS, NOT_FOREIGN, state=FOREIGN, twin="named-foreign-account-is-answered"
    ),
    case("not-form-spares-the-account", "productpage-v1", REVIEWS, ANSWERED, state="not-form", unchanged=True),
    case("not-form-catches-others", "curl", REVIEWS, NOT_NAMED, state="not-form", twin="not-form-spares-the-account"),
    case(
        "not-form-catches-the-unmeshed",
        "outside/curl",
        REVIEWS,
        NOT_NAMED,
        state="not-form",
        twin="not-form-spares-the-account",
        needs="Permissive",
    ),
    level="extended",
    on=OTHERWISE,
)
def test_service_accounts(verdict: Verdict) -> None:
    """An account is told by its name and namespace."""
    verdict.holds()
