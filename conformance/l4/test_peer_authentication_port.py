"""P4: a port's mode beats its workload's, a workload's beats its namespace's."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="P4", profile="AMBIENT-L4", needs="Permissive")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ANSWERED = Answered(200)
ALIEN = "outside/curl"
STATIC = DeniedL4(by="${ROOT_NAMESPACE}/istio_converted_static_strict")
BY_PORT = DeniedL4(by="${NAMESPACE}/converted_peer_authentication_reviews-strict-at-9080")
WORKLOAD = "workload-beats-namespace"
KMESH = {"kmesh": Unsupported("Kmesh has no mutual TLS between pods")}


@cases(
    case("open-port-answers", ALIEN, REVIEWS, ANSWERED, state="open-port", unchanged=True),
    case("strict-port-is-reset", ALIEN, REVIEWS, BY_PORT, state="strict-port", twin="strict-port-answers-meshed"),
    case("strict-port-answers-meshed", "curl", REVIEWS, ANSWERED, state="strict-port", unchanged=True),
    case("permissive-workload-answers", ALIEN, REVIEWS, ANSWERED, state=WORKLOAD, unchanged=True),
    case("strict-namespace-resets", ALIEN, RATINGS, STATIC, state=WORKLOAD, twin="permissive-workload-answers"),
    level="extended",
    on=KMESH,
)
def test_peer_authentication_port(verdict: Verdict) -> None:
    """The narrower word wins."""
    verdict.holds()
