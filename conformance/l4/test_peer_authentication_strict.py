"""P1: STRICT refuses callers outside of the mesh and answers those within."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="P1", profile="AMBIENT-L4", needs="Permissive")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ANSWERED = Answered(200)
ALIEN = "outside/curl"
REFUSED = DeniedL4(by="${ROOT_NAMESPACE}/istio_converted_static_strict")
KMESH = {"kmesh": Unsupported("Kmesh has no mutual TLS between pods")}


@cases(
    case("unmeshed-pod-is-reset", ALIEN, REVIEWS, REFUSED, state="namespace", twin="meshed-pod-is-answered"),
    case("meshed-pod-is-answered", "curl", REVIEWS, ANSWERED, state="namespace", unchanged=True),
    case(
        "unmeshed-pod-is-reset-everywhere",
        ALIEN,
        RATINGS,
        REFUSED,
        state="namespace",
        twin="meshed-pod-reaches-ratings",
    ),
    case("meshed-pod-reaches-ratings", "curl", RATINGS, ANSWERED, state="namespace", unchanged=True),
    case("strict-workload-resets-unmeshed", ALIEN, REVIEWS, REFUSED, state="workload", twin="other-workload-answers"),
    case("strict-workload-answers-meshed", "other/curl", REVIEWS, ANSWERED, state="workload", unchanged=True),
    case("other-workload-answers", ALIEN, RATINGS, ANSWERED, state="workload", unchanged=True),
    on=KMESH,
)
def test_peer_authentication_strict(verdict: Verdict) -> None:
    """Mutual TLS or nothing."""
    verdict.holds()
