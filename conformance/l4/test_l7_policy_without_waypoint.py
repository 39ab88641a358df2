"""R6: without a waypoint an HTTP rule can't be read: its ALLOW denies everything at ztunnel, its DENY never fires."""

import pytest

from pytest_ambient import GET, POST, STATUS, Answered, DeniedL4, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="R6", profile="AMBIENT-L4")

PAGE = "http://productpage.${NAMESPACE}:9080/productpage"
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
POLICY = "security.istio.io/v1/AuthorizationPolicy"
REFUSED = DeniedL4(by="${NAMESPACE}/productpage-get-only")
UNSUPPORTED = HasCondition("ZtunnelAccepted", "True", "UnsupportedValue")


@cases(
    case("allowed-method-is-reset-too", "curl", GET(PAGE), REFUSED, state="allow", twin="unselected-workload-answers"),
    case("other-method-is-reset", "curl", POST(PAGE), REFUSED, state="allow", before=Answered(405), twin="unselected-workload-answers"),
    case("unmeshed-pod-is-reset", "outside/curl", GET(PAGE), REFUSED, state="allow", twin="unmeshed-pod-reaches-unselected-workload"),
    case("unselected-workload-answers", "curl", RATINGS, Answered(200), state="allow", unchanged=True),
    case("unmeshed-pod-reaches-unselected-workload", "outside/curl", RATINGS, Answered(200), state="allow", unchanged=True),
    case("allow-says-unsupported-value", None, STATUS(POLICY, "productpage-get-only"), UNSUPPORTED, state="allow"),
    case("deny-by-method-never-fires", "curl", GET(PAGE), Answered(200), state="deny", unchanged=True, level="documented"),
    case("deny-says-unsupported-value", None, STATUS(POLICY, "productpage-deny-get"), UNSUPPORTED, state="deny"),
)
def test_l7_policy_without_waypoint(verdict: Verdict) -> None:
    """HTTP attributes in a selector policy fail safe for ALLOW and open for DENY."""
    verdict.holds()
