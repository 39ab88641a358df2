"""W8: behind a waypoint the destination sees the waypoint, so that an ALLOW for the client no longer matches."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("behind a waypoint Kmesh shows no identity that a certificate proves")}
pytestmark = pytest.mark.ambient(rule="W8", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

CALL = GET("http://httpbin:8000/get")
RATINGS = GET("http://ratings:9080/ratings/0")
REFUSED = DeniedL4(by="${NAMESPACE}/httpbin-only-curl", via="waypoint")
PAST, THROUGH = Answered(200, through=None), Answered(200, through="httpbin-waypoint")


@cases(
    case(
        "client-alone-is-refused", "curl", CALL, REFUSED, before=PAST, state="bound", twin="other-workload-is-answered"
    ),
    case("other-workload-is-answered", "curl", RATINGS, Answered(200), state="bound", unchanged=True),
    case("admitted-waypoint-is-answered", "curl", CALL, THROUGH, before=PAST, state="admitted"),
)
def test_waypoint_identity(verdict: Verdict) -> None:
    """Admitting the waypoint's account mends it."""
    verdict.holds()
