"""Z3: a waypoint refuses wrong tokens, lets requests without one pass, and policies ask for what a token says."""

import pytest

from pytest_ambient import GET, Answered, DeniedL7, Unauthorized, Verdict, case, cases

from .tokens import AS_ANN, AS_BOB, AS_FORGER, AS_NOBODY, AS_STRANGER, TOO_LATE

pytestmark = pytest.mark.ambient(rule="Z3", profile="AMBIENT-L7", needs=("Waypoint", "RequestAuthentication"))

URL = "http://httpbin:8000/headers"
BARE, GARBAGE, BY_ANN, BY_BOB = (
    GET(URL),
    GET(URL, headers=AS_NOBODY),
    GET(URL, headers=AS_ANN),
    GET(URL, headers=AS_BOB),
)
FORGED, EXPIRED, STRANGE = GET(URL, headers=AS_FORGER), GET(URL, headers=TOO_LATE), GET(URL, headers=AS_STRANGER)
OK, ANN_ONLY = Answered(200), DeniedL7(by="${NAMESPACE}/ann-only")
READERS_ONLY, NONE_WITHOUT = DeniedL7(by="${NAMESPACE}/readers-only"), DeniedL7(by="${NAMESPACE}/none-without-token")
NO_TOKEN = Unauthorized("Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")
BAD_SIGNATURE, LATE = Unauthorized("Jwt verification fails"), Unauthorized("Jwt is expired")
UNKNOWN = Unauthorized("Jwt issuer is not configured")


@cases(
    case("no-token-is-answered", "curl", BARE, OK, state="verified", unchanged=True),
    case("token-is-answered", "curl", BY_ANN, OK, state="verified", unchanged=True),
    case("garbage-is-refused", "curl", GARBAGE, NO_TOKEN, state="verified", twin="token-is-answered"),
    case("forged-is-refused", "curl", FORGED, BAD_SIGNATURE, state="verified", twin="token-is-answered"),
    case("expired-is-refused", "curl", EXPIRED, LATE, state="verified", twin="token-is-answered"),
    case("stranger-is-refused", "curl", STRANGE, UNKNOWN, state="verified", twin="token-is-answered"),
    case("principal-is-answered", "curl", BY_ANN, OK, state="required", unchanged=True),
    case("other-principal-is-denied", "curl", BY_BOB, ANN_ONLY, state="required", twin="principal-is-answered"),
    case("no-principal-is-denied", "curl", BARE, ANN_ONLY, state="required", twin="principal-is-answered"),
    case("garbage-is-refused-first", "curl", GARBAGE, NO_TOKEN, state="required", twin="principal-is-answered"),
    case("claim-is-answered", "curl", BY_ANN, OK, state="claims", unchanged=True),
    case("missing-claim-is-denied", "curl", BY_BOB, READERS_ONLY, state="claims", twin="claim-is-answered"),
    case("any-principal-is-answered", "curl", BY_BOB, OK, state="no-principal", unchanged=True),
    case("denied-without-token", "curl", BARE, NONE_WITHOUT, state="no-principal", twin="any-principal-is-answered"),
    level="extended",
)
def test_jwt(verdict: Verdict) -> None:
    """Who asks is what the token says."""
    verdict.holds()
