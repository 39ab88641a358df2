"""P5: STRICT in the root namespace holds for the whole mesh."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="P5", profile="AMBIENT-L4", needs=("Permissive", "MeshPeerAuthentication"))

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
ELSEWHERE = GET("http://httpbin.${OTHER_NAMESPACE}:8000/get")
REFUSED = DeniedL4(by="${ROOT_NAMESPACE}/istio_converted_static_strict")
ALIEN = "outside/curl"
KMESH = {"kmesh": Unsupported("Kmesh has no mutual TLS between pods")}


@cases(
    case("unmeshed-pod-is-reset", ALIEN, REVIEWS, REFUSED, twin="meshed-pod-is-answered"),
    case("unmeshed-pod-is-reset-elsewhere", ALIEN, ELSEWHERE, REFUSED, twin="meshed-pod-is-answered-elsewhere"),
    case("meshed-pod-is-answered", "curl", REVIEWS, Answered(200), unchanged=True),
    case("meshed-pod-is-answered-elsewhere", "curl", ELSEWHERE, Answered(200), unchanged=True),
    scope="mesh",
    on=KMESH,
)
def test_peer_authentication_mesh(verdict: Verdict) -> None:
    """One object in the root namespace closes every workload to callers without mutual TLS."""
    verdict.holds()
