"""Z1: a rule at a waypoint matches when its from, its to and its when all do."""

import pytest

from pytest_ambient import GET, POST, Answered, DeniedL7, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="Z1", profile="AMBIENT-L7", needs="Waypoint")

URL, WRITE = "http://httpbin:8000/anything", {"x-mode": "write"}
DENIED = DeniedL7(by="${NAMESPACE}/post-by-details")


@cases(
    case("all-three-are-denied", "details-v1", POST(URL, headers=WRITE), DENIED, twin="other-account-is-answered"),
    case("other-account-is-answered", "curl", POST(URL, headers=WRITE), Answered(200), unchanged=True),
    case("other-method-is-answered", "details-v1", GET(URL, headers=WRITE), Answered(200), unchanged=True),
    case("other-header-is-answered", "details-v1", POST(URL), Answered(200), unchanged=True),
)
def test_deny_when(verdict: Verdict) -> None:
    """Whatever lacks one of the three is answered."""
    verdict.holds()
