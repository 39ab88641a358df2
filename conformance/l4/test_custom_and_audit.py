"""L11: CUSTOM and AUDIT are not enforced at ztunnel, and their status says so."""

import pytest

from pytest_ambient import GET, STATUS, Answered, HasCondition, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L11", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
POLICY = "security.istio.io/v1/AuthorizationPolicy"
UNSUPPORTED = HasCondition("ZtunnelAccepted", "False", "UnsupportedValue")
KMESH = {"kmesh": Unsupported("Kmesh writes no status of its own")}


@cases(
    case("audited-call-is-answered", "curl", REVIEWS, Answered(200), state="audit", unchanged=True, level="documented"),
    case(
        "audit-says-unsupported", None, STATUS(POLICY, "reviews-audit"), UNSUPPORTED, state="audit", level="documented"
    ),
    case("custom-call-is-answered", "curl", REVIEWS, Answered(200), state="custom", unchanged=True, level="documented"),
    case(
        "custom-says-unsupported",
        None,
        STATUS(POLICY, "reviews-custom"),
        UNSUPPORTED,
        state="custom",
        level="documented",
    ),
    on=KMESH,
)
def test_custom_and_audit(verdict: Verdict) -> None:
    """What only a waypoint can do is left undone without one."""
    verdict.holds()
