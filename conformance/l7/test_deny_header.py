"""Z1: a DENY at a waypoint matches headers by value, by prefix and by their absence."""

import pytest

from pytest_ambient import GET, Answered, DeniedL7, Verdict, case, cases

NEEDS = ("Waypoint", "Telemetry", "AccessLogFormat")
pytestmark = pytest.mark.ambient(rule="Z1", profile="AMBIENT-L7", needs=NEEDS)

URL = "http://httpbin:8000/anything"
LOCKED = f"{URL}/locked"
RED, DARK = {"x-color": "red"}, {"x-color": "dark-green"}
BY_COLOR, BY_KEY = DeniedL7(by="${NAMESPACE}/no-red"), DeniedL7(by="${NAMESPACE}/key-needed")
ANSWERED = Answered(200)


@cases(
    case("named-value-is-denied", "curl", GET(URL, headers=RED), BY_COLOR, twin="no-header-is-answered"),
    case("prefix-of-value-is-denied", "curl", GET(URL, headers=DARK), BY_COLOR, twin="no-header-is-answered"),
    case("other-value-is-answered", "curl", GET(URL, headers={"x-color": "reddish"}), ANSWERED, unchanged=True),
    case("no-header-is-answered", "curl", GET(URL), ANSWERED, unchanged=True),
    case("absent-header-is-denied", "curl", GET(LOCKED), BY_KEY, twin="present-header-is-answered"),
    case("present-header-is-answered", "curl", GET(LOCKED, headers={"x-key": "any"}), ANSWERED, unchanged=True),
)
def test_deny_header(verdict: Verdict) -> None:
    """Headers are looked at by name, whatever its case, and value."""
    verdict.holds()
