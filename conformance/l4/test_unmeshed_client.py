"""L12: a caller without identity is refused by an ALLOW for any identity and caught only by not-forms of a DENY."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L12", profile="AMBIENT-L4", needs="Permissive")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
ANSWERED = Answered(200)
ALIEN = "outside/curl"
NOT_ALLOWED = DeniedL4(by="${NAMESPACE}/reviews-any-identity")
BY_IDENTITY = DeniedL4(by="${NAMESPACE}/reviews-no-identity")
BY_NAMESPACE = DeniedL4(by="${NAMESPACE}/reviews-no-namespace")
BY_ABSENCE = DeniedL4(by="${NAMESPACE}/reviews-not-any-identity")
ALLOWED, ABSENT = "allow-identity", "deny-not-identity"
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("any-identity-is-admitted", "curl", REVIEWS, ANSWERED, state=ALLOWED, unchanged=True),
    case("no-identity-is-reset", ALIEN, REVIEWS, NOT_ALLOWED, state=ALLOWED, twin="any-identity-is-admitted"),
    case("any-identity-is-caught", "curl", REVIEWS, BY_IDENTITY, state="deny-identity", twin="no-identity-escapes"),
    case("no-identity-escapes", ALIEN, REVIEWS, ANSWERED, state="deny-identity", unchanged=True),
    case("its-namespace-is-not-known", ALIEN, REVIEWS, ANSWERED, state="deny-namespace", unchanged=True),
    case(
        "a-known-namespace-is-caught",
        "other/curl",
        REVIEWS,
        BY_NAMESPACE,
        state="deny-namespace",
        twin="its-namespace-is-not-known",
    ),
    case("not-form-catches-no-identity", ALIEN, REVIEWS, BY_ABSENCE, state=ABSENT, twin="not-form-spares-identity"),
    case("not-form-spares-identity", "curl", REVIEWS, ANSWERED, state=ABSENT, unchanged=True),
    on=KMESH,
)
def test_unmeshed_client(verdict: Verdict) -> None:
    """Who has no identity matches nothing that asks for one."""
    verdict.holds()
