"""P3: DISABLE is taken for PERMISSIVE: meshed pods go on showing their identity by mutual TLS."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="P3", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
NO_IDENTITY = DeniedL4(by="${NAMESPACE}/reviews-any-identity")
ALIEN, PLAIN = "outside/curl", "Permissive"
KMESH = {"kmesh": Unsupported("Kmesh has no mutual TLS between pods")}


@cases(
    case("meshed-pod-keeps-its-identity", "curl", REVIEWS, Answered(200), unchanged=True, level="documented"),
    case(
        "other-namespace-keeps-its-identity", "other/curl", REVIEWS, Answered(200), unchanged=True, level="documented"
    ),
    case(
        "unmeshed-pod-has-none",
        ALIEN,
        REVIEWS,
        NO_IDENTITY,
        before=NO_IDENTITY,
        unchanged=True,
        twin="meshed-pod-keeps-its-identity",
        level="documented",
        needs=PLAIN,
    ),
    on=KMESH,
)
def test_peer_authentication_disable(verdict: Verdict) -> None:
    """An ALLOW for any identity stands all the time: only mutual TLS gets past it."""
    verdict.holds()
