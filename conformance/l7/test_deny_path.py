"""Z1: a DENY at a waypoint matches a path exactly, by prefix, by suffix and by template."""

import pytest

from pytest_ambient import GET, Answered, DeniedL7, Verdict, case, cases

NEEDS = ("Waypoint", "Telemetry", "AccessLogFormat")
pytestmark = pytest.mark.ambient(rule="Z1", profile="AMBIENT-L7", needs=NEEDS)

URL, OTHER = "http://httpbin:8000/anything", "other-path-is-answered"
EXACT, PREFIX = DeniedL7(by="${NAMESPACE}/no-exact"), DeniedL7(by="${NAMESPACE}/no-prefix")
SUFFIX, TEMPLATE = DeniedL7(by="${NAMESPACE}/no-suffix"), DeniedL7(by="${NAMESPACE}/no-template")
ANSWERED = Answered(200)


@cases(
    case("exact-path-is-denied", "curl", GET(f"{URL}/exact"), EXACT, twin=OTHER),
    case("prefix-is-denied", "curl", GET(f"{URL}/prefixed"), PREFIX, twin=OTHER),
    case("suffix-is-denied", "curl", GET(f"{URL}/any/suffix"), SUFFIX, twin=OTHER),
    case("template-is-denied", "curl", GET(f"{URL}/one/template"), TEMPLATE, twin=OTHER),
    case("two-elements-are-not-one", "curl", GET(f"{URL}/one/two/template"), ANSWERED, unchanged=True),
    case("longer-than-exact-is-answered", "curl", GET(f"{URL}/exact/more"), ANSWERED, unchanged=True),
    case("other-path-is-answered", "curl", GET(f"{URL}/other"), ANSWERED, unchanged=True),
)
def test_deny_path(verdict: Verdict) -> None:
    """What does not match is answered."""
    verdict.holds()
