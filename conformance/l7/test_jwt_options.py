"""Z3: a waypoint takes tokens from where it is told, passes on what it is told, and finds keys at an address."""

import pytest

from pytest_ambient import GET, Answered, Unauthorized, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="Z3", profile="AMBIENT-L7", needs=("Waypoint", "RequestAuthentication"))

# tokens of one key made for this alone: one good until 2100, one signed with another key
# ruff: noqa: E501
HEAD = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImFtYmllbnQifQ"
GOOD = f"{HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImdyb3VwcyI6WyJyZWFkZXJzIl19.z8eQIwGkuPDfb60FOXZfCOspKMc7yAo5Wqnw78qenH7Di2Zs7dUbXYwU5O8CMjkOdUCio1ceLQATL9zCUmKWPA"
FORGED = f"{HEAD}.eyJpc3MiOiJhbWJpZW50QHRlc3QiLCJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDB9.prYBzrZkDeN6Bo_Tl-EQQUDJ_C0pEeW_O8-e0W-Si0SX6cZm8tjUaYR3AfqyRk0HHh8TQL6HyULUtJORhGEfLQ"
URL = "http://httpbin:8000/headers"
OWN, USUAL = {"x-token": f"Token {GOOD}"}, {"authorization": f"Bearer {GOOD}"}
FORGED_OWN, FORGED_USUAL = {"x-token": f"Token {FORGED}"}, {"authorization": f"Bearer {FORGED}"}
REFUSED = Unauthorized("Jwt verification fails")
PASSED_ON, NAMED, PLAIN = Answered(200, body=GOOD), Answered(200, body='"X-Person"'), Answered(200, lacks='"X-Person"')


@cases(
    case("claim-becomes-a-header", "curl", GET(URL, headers=OWN), NAMED, before=PLAIN, state="from-header"),
    case("token-is-passed-on", "curl", GET(URL, headers=OWN), PASSED_ON, state="from-header", unchanged=True),
    case(
        "forged-is-refused-there",
        "curl",
        GET(URL, headers=FORGED_OWN),
        REFUSED,
        state="from-header",
        twin="token-is-passed-on",
    ),
    case("usual-place-is-not-read", "curl", GET(URL, headers=FORGED_USUAL), PLAIN, state="from-header", unchanged=True),
    case(
        "fetched-key-verifies",
        "curl",
        GET(URL, headers=USUAL),
        Answered(200),
        state="by-uri",
        unchanged=True,
        needs="Permissive",
    ),
    case(
        "fetched-key-refuses",
        "curl",
        GET(URL, headers=FORGED_USUAL),
        REFUSED,
        state="by-uri",
        needs="Permissive",
        twin="fetched-key-verifies",
    ),
    level="extended",
)
def test_jwt_options(verdict: Verdict) -> None:
    """The rule's own fields count."""
    verdict.holds()
