"""R6: without a waypoint an HTTP rule can't be read: its ALLOW denies everything, its DENY never fires or too much."""

import pytest

from pytest_ambient import (
    GET,
    POST,
    STATUS,
    Answered,
    DeniedL4,
    HasCondition,
    TimedOut,
    Unsupported,
    Verdict,
    case,
    cases,
)

pytestmark = pytest.mark.ambient(rule="R6", profile="AMBIENT-L4")

PAGE = "http://productpage.${NAMESPACE}:9080/productpage"
LOOK = GET(PAGE)
ALIEN, PLAIN = "outside/curl", "Permissive"
ANSWERED, WRONG_METHOD = Answered(200), Answered(405)
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
POLICY = "security.istio.io/v1/AuthorizationPolicy"
REFUSED = DeniedL4(by="${NAMESPACE}/productpage-get-only")
MORE_REFUSED = DeniedL4(by="${NAMESPACE}/productpage-deny-path-and-port")
UNSUPPORTED = HasCondition("ZtunnelAccepted", "True", "UnsupportedValue")
LOST = {"kmesh": Unsupported("what Kmesh does with a policy that has lost its HTTP rules is not known")}
TWIN, UNMESHED = "ratings-answers", "unmeshed-pod-answered"
DROPPED = {"kmesh": TimedOut()}


@cases(
    case("allowed-method-is-reset-too", "curl", LOOK, REFUSED, state="allow", twin=TWIN, on=LOST),
    case("post-is-reset", "curl", POST(PAGE), REFUSED, state="allow", before=WRONG_METHOD, twin=TWIN, on=LOST),
    case("unmeshed-pod-is-reset", ALIEN, LOOK, REFUSED, state="allow", twin=UNMESHED, needs=PLAIN, on=LOST),
    case("ratings-answers", "curl", RATINGS, ANSWERED, state="allow", unchanged=True),
    case("unmeshed-pod-answered", ALIEN, RATINGS, ANSWERED, state="allow", unchanged=True, needs=PLAIN),
    case("allow-says-unsupported-value", None, STATUS(POLICY, "productpage-get-only"), UNSUPPORTED, state="allow"),
    case(
        "deny-by-method-never-fires", "curl", LOOK, ANSWERED, state="deny", unchanged=True, level="documented", on=LOST
    ),
    case("deny-says-unsupported-value", None, STATUS(POLICY, "productpage-deny-get"), UNSUPPORTED, state="deny"),
    case(
        "path-and-port-refuses-every-path",
        "curl",
        LOOK,
        MORE_REFUSED,
        state="deny-port",
        level="documented",
        twin="other-workload-answers",
        on=DROPPED,
    ),
    case("other-workload-answers", "curl", RATINGS, ANSWERED, state="deny-port", unchanged=True),
)
def test_l7_policy_without_waypoint(verdict: Verdict) -> None:
    """HTTP attributes in a selector policy fail safe for ALLOW and open for DENY."""
    verdict.holds()
