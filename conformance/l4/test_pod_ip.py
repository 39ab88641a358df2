"""E7: a call to a pod's own address is tunnelled like any other, and policies hold for it."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E7", profile="AMBIENT-L4")

TO_POD = GET("http://httpbin-pods.${NAMESPACE}:8080/get")
TO_SERVICE = GET("http://httpbin.${NAMESPACE}:8000/get")
REFUSED = DeniedL4(by="${NAMESPACE}/httpbin-only-curl")
ADMITTED = "allowed-account-reaches-the-pod"
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("allowed-account-reaches-the-pod", "curl", TO_POD, Answered(200), unchanged=True),
    case("allowed-account-reaches-the-service", "curl", TO_SERVICE, Answered(200), unchanged=True),
    case("other-account-is-reset", "details-v1", TO_POD, REFUSED, twin=ADMITTED),
    case("other-namespace-is-reset", "other/curl", TO_POD, REFUSED, twin=ADMITTED),
    case("unmeshed-pod-is-reset", "outside/curl", TO_POD, REFUSED, twin=ADMITTED, needs="Permissive"),
    on=KMESH,
)
def test_pod_ip(verdict: Verdict) -> None:
    """The caller's identity arrives without any Service."""
    verdict.holds()
