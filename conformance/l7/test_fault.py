"""H8: a VirtualService aborts requests with a status and delays them, those that it names and no others."""

import pytest

from pytest_ambient import GET, Answered, Statuses, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of fault injection there")}
NEEDS = ("Waypoint", "VirtualService")
pytestmark = pytest.mark.ambient(rule="H8", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

GOT = "http://httpbin:8000/get"
NAMED, OTHER = GET(GOT, headers={"x-fault": "yes"}), GET(GOT)
ABORTED = Answered(418, body="fault filter abort", by_proxy=True)
DELAYED = Answered(200, after=2.0)
TENTH = Statuses({"200": 90, "418": 10}, header=("x-share", "tenth"))


@cases(
    case("named-request-is-aborted", "curl", NAMED, ABORTED, state="abort"),
    case("other-request-is-answered", "curl", OTHER, Answered(200), state="abort", unchanged=True),
    case("named-request-is-delayed", "curl", NAMED, DELAYED, state="delay"),
    case("other-request-is-not", "curl", OTHER, Answered(200, within=1.5), state="delay", unchanged=True),
    case("tenth-of-requests-is-aborted", "curl", NAMED, TENTH, state="share"),
    level="extended",
)
def test_fault(verdict: Verdict) -> None:
    """The waypoint itself plays the broken or slow backend."""
    verdict.holds()
