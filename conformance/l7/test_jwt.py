"""Z3: a waypoint refuses wrong tokens, lets requests without one pass, and policies ask for what a token says."""

import pytest

from pytest_ambient import GET, Answered, DeniedL7, Unauthorized, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="Z3", profile="AMBIENT-L7", needs=("Waypoint", "RequestAuthentication"))

# ruff: noqa: E501 - tokens, of one key made for this alone: good until 2100, or until 2020
HEAD = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImFtYmllbnQifQ"
AS_ANN = {
    "authorization": f"Bearer {HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImdyb3VwcyI6WyJyZWFkZXJzIl19.z8eQIwGkuPDfb60FOXZfCOspKMc7yAo5Wqnw78qenH7Di2Zs7dUbXYwU5O8CMjkOdUCio1ceLQATL9zCUmKWPA"
}
AS_BOB = {
    "authorization": f"Bearer {HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJib2IiLCJleHAiOjQxMDI0NDQ4MDB9.nI0r6ETOdQWvTqt6F4i2xRxgGl0EvEPZkcsU8nVSKJxRRboyynBYh_Bx87RGinb5NWO7t1E-rMDjEB09-13jpA"
}
TOO_LATE = {
    "authorization": f"Bearer {HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJhbm4iLCJleHAiOjE1Nzc4MzY4MDB9.oyCtAPpUxmskQtRWpqNwsVTMlhVcfigNf9VPNMcwh_tm4gvfD5Rw2yGp9asaKlM3YlOfS5a7EPABAZuL1IOB7w"
}
AS_STRANGER = {
    "authorization": f"Bearer {HEAD}.eyJpc3MiOiJzdHJhbmdlckB0ZXN0Iiwic3ViIjoiYW5uIiwiZXhwIjo0MTAyNDQ0ODAwfQ.cIx7dAwNWK5dgwkBRWsX04kPJoOCpGTfZpc3Wquwe1ioc6NGnwc89bdkw3LAu_GapX-6RTlXlmUXabdzhTaBRw"
}
AS_FORGER = {
    "authorization": f"Bearer {HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDB9.prYBzrZkDeN6Bo_Tl-EQQUDJ_C0pEeW_O8-e0W-Si0SX6cZm8tjUaYR3AfqyRk0HHh8TQL6HyULUtJORhGEfLQ"
}
URL = "http://httpbin:8000/headers"
BARE, GARBAGE, BY_ANN, BY_BOB = (
    GET(URL),
    GET(URL, headers={"authorization": "Bearer x"}),
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
