"""E2: a pod's own label beats its namespace's: `none` leaves the mesh, `ambient` joins it."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E2", profile="AMBIENT-ENROLMENT", needs="Permissive")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
NO_IDENTITY = DeniedL4(by="${NAMESPACE}/reviews-any-identity")
IN, OUT = "opted-in-pod-has-an-identity", "pod-of-the-mesh-has-an-identity"
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("pod-of-the-mesh-has-an-identity", "curl", REVIEWS, Answered(200), unchanged=True),
    case("opted-out-pod-has-none", "curl-opted-out", REVIEWS, NO_IDENTITY, twin=OUT),
    case("opted-in-pod-has-an-identity", "outside/curl-opted-in", REVIEWS, Answered(200), unchanged=True),
    case("pod-outside-has-none", "outside/curl", REVIEWS, NO_IDENTITY, twin=IN),
    on=KMESH,
)
def test_enrolment_opt_out(verdict: Verdict) -> None:
    """An ALLOW for any identity tells who is in the mesh."""
    verdict.holds()
