"""W3: pods with a waypoint of their own are called through it by their address, and not when a Service is called."""

import pytest

from pytest_ambient import GET, POST, Answered, DeniedL7, Unsupported, Verdict, case, cases

NEEDS = ("Waypoint", "Telemetry", "AccessLogFormat")
pytestmark = pytest.mark.ambient(rule="W3", profile="AMBIENT-L7", needs=NEEDS)

TO_POD, POST_TO_POD = GET("http://labelled-pods:8080/anything"), POST("http://labelled-pods:8080/anything")
TO_SERVICE = POST("http://labelled:8000/anything")
FROM_OUTSIDE = POST("http://labelled-pods.${NAMESPACE}:8080/anything")
OTHER_POD = POST("http://unlabelled-pods:8080/anything")
PAST, THROUGH = Answered(200, through=None), Answered(200, through="pod-waypoint")
DENIED = DeniedL7(by="${NAMESPACE}/pod-waypoint-no-post")
KMESH = {"kmesh": Unsupported("whether Kmesh leads calls to pods through their waypoint was never recorded")}


@cases(
    case("call-to-the-pod-passes-it", "curl", TO_POD, THROUGH, before=PAST),
    case("denied-method-is-403", "curl", POST_TO_POD, DENIED, before=PAST, twin="call-to-the-pod-passes-it"),
    case("other-namespaces-call-passes-it", "other/curl", FROM_OUTSIDE, DENIED, before=PAST, twin="others-get-passes"),
    case("others-get-passes", "other/curl", GET(FROM_OUTSIDE.url), THROUGH, before=PAST),
    case("call-to-the-service-goes-past", "curl", TO_SERVICE, PAST, before=PAST, unchanged=True),
    case("pod-without-label-is-called-past-it", "curl", OTHER_POD, PAST, before=PAST, unchanged=True),
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
    level="extended",
    on=KMESH,
)
def test_waypoint_pod(verdict: Verdict) -> None:
    """A policy for the waypoint holds for all that is addressed to those pods."""
    verdict.holds()
