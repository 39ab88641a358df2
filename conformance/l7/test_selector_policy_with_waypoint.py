"""Z5: a policy with a selector holds at ztunnel and not at the waypoint, one with targetRefs the other way round."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, DeniedL7, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("behind a waypoint Kmesh shows no identity that a certificate proves")}
pytestmark = pytest.mark.ambient(rule="Z5", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

TO_SERVICE, TO_POD = GET("http://httpbin:8000/get"), GET("http://httpbin-pods:8080/get")
AT_ZTUNNEL = DeniedL4(by="${NAMESPACE}/selected-not-curl")
AT_WAYPOINT = DeniedL7(by="${NAMESPACE}/targeted-not-curl")
THROUGH, PAST = Answered(200, through="httpbin-waypoint"), Answered(200, through=None)


@cases(
    case(
        "selector-spares-service-calls", "curl", TO_SERVICE, THROUGH, before=THROUGH, state="selector", unchanged=True
    ),
    case(
        "selector-resets-pod-calls", "curl", TO_POD, AT_ZTUNNEL, state="selector", twin="selector-spares-service-calls"
    ),
    case("target-denies-service-calls", "curl", TO_SERVICE, AT_WAYPOINT, state="target", twin="target-spares-others"),
    case("target-spares-others", "details-v1", TO_SERVICE, THROUGH, before=THROUGH, state="target", unchanged=True),
    case("target-spares-pod-calls", "curl", TO_POD, PAST, before=PAST, state="target", unchanged=True),
)
def test_selector_policy_with_waypoint(verdict: Verdict) -> None:
    """Each is enforced in one place only."""
    verdict.holds()
