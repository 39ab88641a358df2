"""W9: pod-IP calls and callers outside of the mesh go past a waypoint, until ztunnel admits only the waypoint."""

import pytest

from pytest_ambient import GET, POST, Answered, DeniedL4, DeniedL7, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("behind a waypoint Kmesh shows no identity that a certificate proves")}
pytestmark = pytest.mark.ambient(rule="W9", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

TO_SERVICE, TO_POD = GET("http://httpbin:8000/anything"), GET("http://httpbin-pods:8080/anything")
FROM_OUTSIDE = GET("http://httpbin.${NAMESPACE}:8000/anything")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
BY_WAYPOINT = DeniedL7(by="${NAMESPACE}/httpbin-no-get")
BY_ZTUNNEL = DeniedL4(by="${NAMESPACE}/httpbin-only-waypoint")
PAST, THROUGH = Answered(200, through=None), Answered(200, through="httpbin-waypoint")
ALIEN, PLAIN = "outside/curl", "Permissive"


@cases(
    case("service-call-is-denied", "curl", TO_SERVICE, BY_WAYPOINT, state="open", twin="other-method-is-answered"),
    case(
        "other-method-is-answered",
        "curl",
        POST("http://httpbin:8000/anything"),
        THROUGH,
        state="open",
        before=THROUGH,
        unchanged=True,
    ),
    case("pod-call-goes-past", "curl", TO_POD, PAST, state="open", before=PAST, unchanged=True, level="documented"),
    case(
        "unmeshed-goes-past",
        ALIEN,
        FROM_OUTSIDE,
        PAST,
        state="open",
        before=PAST,
        unchanged=True,
        level="documented",
        needs=PLAIN,
    ),
    case("closed-gap-answers-services", "curl", TO_SERVICE, THROUGH, state="closed", before=THROUGH, unchanged=True),
    case("closed-gap-resets-pod-calls", "curl", TO_POD, BY_ZTUNNEL, state="closed", twin="closed-gap-answers-services"),
    case(
        "closed-gap-resets-unmeshed",
        ALIEN,
        FROM_OUTSIDE,
        BY_ZTUNNEL,
        state="closed",
        twin="unselected-answers",
        needs=PLAIN,
    ),
    case("unselected-answers", ALIEN, RATINGS, Answered(200), state="closed", unchanged=True, needs=PLAIN),
)
def test_waypoint_bypass(verdict: Verdict) -> None:
    """Only an L4 policy makes the waypoint the only way."""
    verdict.holds()
