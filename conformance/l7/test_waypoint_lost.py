"""W6: where a waypoint was ready and is gone, its Service is refused rather than called past it, until it is back."""

import pytest

from pytest_ambient import (
    GET,
    POST,
    STATUS,
    Answered,
    DeniedL7,
    HasCondition,
    Steady,
    Unreachable,
    Unsupported,
    Verdict,
    case,
    cases,
)

pytestmark = pytest.mark.ambient(rule="W6", profile="AMBIENT-L7", needs="Waypoint", disruptive=True)

TO_SERVICE, TO_POD = GET("http://httpbin:8000/anything"), GET("http://httpbin-pods:8080/anything")
POSTED, DENIED = POST("http://httpbin:8000/anything"), DeniedL7(by="${NAMESPACE}/httpbin-no-post")
FROM_OUTSIDE = GET("http://httpbin.${NAMESPACE}:8000/anything")
PAST, THROUGH = Answered(200, through=None), Answered(200, through="httpbin-waypoint")
LOST = Unreachable("lost waypoint")
GATEWAY = STATUS("gateway.networking.k8s.io/v1/Gateway", "httpbin-waypoint")
PROGRAMMED = HasCondition("Programmed", "True", "Programmed")
KMESH = {"kmesh": Unsupported("what Kmesh does without its waypoint was never recorded")}


@cases(
    case("service-is-refused", "curl", TO_SERVICE, LOST, before=THROUGH),
    case("other-account-is-refused-too", "details-v1", TO_SERVICE, LOST, before=THROUGH),
    case("pod-is-called-past-it", "curl", TO_POD, PAST, before=PAST, unchanged=True),
    case(
        "unmeshed-call-goes-past",
        "outside/curl",
        FROM_OUTSIDE,
        PAST,
        before=PAST,
        unchanged=True,
        level="documented",
        needs="Permissive",
    ),
    case("gateway-stays-programmed", None, GATEWAY, PROGRAMMED, before=PROGRAMMED, unchanged=True, level="documented"),
    case("calls-never-go-past", "curl", TO_SERVICE, Steady(THROUGH, gap=None)),
    case("denied-methods-never-pass", "curl", POSTED, Steady(DENIED), twin="calls-never-go-past"),
    on=KMESH,
)
def test_waypoint_lost(verdict: Verdict) -> None:
    """It fails closed, and the control after the manifest shows that it mends by itself."""
    verdict.holds()
