"""Z2: at a waypoint DENY beats ALLOW, and policies for the Gateway count beside those for the Service."""

import pytest

from pytest_ambient import GET, POST, Answered, DeniedL7, Verdict, case, cases

NEEDS = ("Waypoint", "Telemetry", "AccessLogFormat")
pytestmark = pytest.mark.ambient(rule="Z2", profile="AMBIENT-L7", needs=NEEDS)

OPEN, CLOSED = "http://httpbin:8000/anything/open", "http://httpbin:8000/anything/denied"
BY_DENY, BY_ALLOW = DeniedL7(by="${NAMESPACE}/deny-curl"), DeniedL7(by="${NAMESPACE}/allow-get")
BY_GATEWAY = DeniedL7(by="${NAMESPACE}/gateway-deny")
ANSWERED = Answered(200)


@cases(
    case("allowed-and-denied-is-denied", "curl", GET(CLOSED), BY_DENY, state="service", twin="allowed-is-answered"),
    case("allowed-is-answered", "curl", GET(OPEN), ANSWERED, state="service", unchanged=True),
    case("not-allowed-is-denied", "curl", POST(OPEN), BY_ALLOW, state="service", twin="allowed-is-answered"),
    case(
        "gateways-deny-beats-services-allow", "curl", GET(CLOSED), BY_GATEWAY, state="gateway", twin="both-let-it-pass"
    ),
    case("both-let-it-pass", "curl", GET(OPEN), ANSWERED, state="gateway", unchanged=True),
    case("services-allow-still-counts", "curl", POST(OPEN), BY_ALLOW, state="gateway", twin="both-let-it-pass"),
)
def test_deny_beats_allow_at_waypoint(verdict: Verdict) -> None:
    """One DENY is enough, wherever it is attached."""
    verdict.holds()
