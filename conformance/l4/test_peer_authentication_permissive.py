"""P2: PERMISSIVE answers callers of both worlds."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="P2", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
KMESH = {"kmesh": Unsupported("Kmesh has no mutual TLS between pods")}


@cases(
    case("meshed-pod-is-answered", "curl", REVIEWS, Answered(200), unchanged=True),
    case("other-namespace-is-answered", "other/curl", REVIEWS, Answered(200), unchanged=True),
    case("unmeshed-pod-is-answered", "outside/curl", REVIEWS, Answered(200), unchanged=True, needs="Permissive"),
    on=KMESH,
)
def test_peer_authentication_permissive(verdict: Verdict) -> None:
    """With or without mutual TLS."""
    verdict.holds()
