"""L7: a condition on source or destination holds at ztunnel."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L7", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ANSWERED = Answered(200)
BY_NAMESPACE = DeniedL4(by="${NAMESPACE}/reviews-when-namespace")
BY_PRINCIPAL = DeniedL4(by="${NAMESPACE}/reviews-when-principal")
BY_SOURCE = DeniedL4(by="${NAMESPACE}/reviews-when-source-ip")
BY_DESTINATION = DeniedL4(by="${NAMESPACE}/reviews-when-destination-ip")
BY_PORT = DeniedL4(by="${NAMESPACE}/reviews-when-destination-port")
BY_NOT_NAMESPACE = DeniedL4(by="${NAMESPACE}/reviews-when-not-namespace")
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case(
        "named-namespace-is-reset",
        "other/curl",
        REVIEWS,
        BY_NAMESPACE,
        state="namespace",
        twin="own-namespace-answered",
    ),
    case("own-namespace-answered", "curl", REVIEWS, ANSWERED, state="namespace", unchanged=True),
    case("named-principal-is-reset", "curl", REVIEWS, BY_PRINCIPAL, state="principal", twin="other-principal-answered"),
    case("other-principal-answered", "details-v1", REVIEWS, ANSWERED, state="principal", unchanged=True),
    case("any-source-address-is-reset", "curl", REVIEWS, BY_SOURCE, state="source-ip", twin="ratings-by-source"),
    case("ratings-by-source", "curl", RATINGS, ANSWERED, state="source-ip", unchanged=True),
    case("any-own-address-is-reset", "curl", REVIEWS, BY_DESTINATION, state="destination-ip", twin="ratings-by-own"),
    case("ratings-by-own", "curl", RATINGS, ANSWERED, state="destination-ip", unchanged=True),
    case("own-port-is-reset", "curl", REVIEWS, BY_PORT, state="destination-port", twin="ratings-by-port"),
    case("ratings-by-port", "curl", RATINGS, ANSWERED, state="destination-port", unchanged=True),
    case("not-values-spare-the-namespace", "curl", REVIEWS, ANSWERED, state="not-namespace", unchanged=True),
    case(
        "not-values-catch-the-others",
        "other/curl",
        REVIEWS,
        BY_NOT_NAMESPACE,
        state="not-namespace",
        twin="not-values-spare-the-namespace",
    ),
    level="extended",
    on=KMESH,
)
def test_when(verdict: Verdict) -> None:
    """Conditions match as the fields of the same name do."""
    verdict.holds()
