"""L3: a port in a policy is the workload's own, whatever port its Service has."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, TimedOut, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L3", profile="AMBIENT-L4")

BY_TARGET_PORT = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
BY_SERVICE_PORT = GET("http://reviews-at-8080.${NAMESPACE}:8080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ANSWERED = Answered(200)
DENIED = DeniedL4(by="${NAMESPACE}/reviews-deny-target-port")
NOT_ALLOWED = DeniedL4(by="${NAMESPACE}/reviews-allow-service-port")
DROPPED = {"kmesh": TimedOut()}


@cases(
    case(
        "target-port-is-reset",
        "curl",
        BY_TARGET_PORT,
        DENIED,
        state="deny-target-port",
        twin="ratings-answers",
        on=DROPPED,
    ),
    case(
        "service-port-is-reset-too",
        "curl",
        BY_SERVICE_PORT,
        DENIED,
        state="deny-target-port",
        twin="ratings-answers",
        on=DROPPED,
    ),
    case("ratings-answers", "curl", RATINGS, ANSWERED, state="deny-target-port", unchanged=True),
    case("denied-service-port-answers", "curl", BY_SERVICE_PORT, ANSWERED, state="deny-service-port", unchanged=True),
    case("port-denied-elsewhere-answers", "curl", BY_TARGET_PORT, ANSWERED, state="deny-service-port", unchanged=True),
    case("allowed-target-port-answers", "curl", BY_TARGET_PORT, ANSWERED, state="allow-target-port", unchanged=True),
    case("its-service-port-answers", "curl", BY_SERVICE_PORT, ANSWERED, state="allow-target-port", unchanged=True),
    case(
        "allowed-service-port-admits-nobody",
        "curl",
        BY_SERVICE_PORT,
        NOT_ALLOWED,
        state="allow-service-port",
        twin="ratings-still-answers",
        on=DROPPED,
    ),
    case("ratings-still-answers", "curl", RATINGS, ANSWERED, state="allow-service-port", unchanged=True),
)
def test_port(verdict: Verdict) -> None:
    """Ports compare with the target port."""
    verdict.holds()
