"""R3: at a waypoint an ALLOW for GET by one account answers that and gives 403 to every other method and account."""

import pytest

from pytest_ambient import DELETE, GET, POST, PUT, Answered, DeniedL7, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of principals at a waypoint of Kmesh, its callers show no certificate")}
pytestmark = pytest.mark.ambient(rule="R3", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

PAGE = "http://productpage:9080/productpage"
DENIED = DeniedL7(by="${NAMESPACE}/productpage-get-only")
NOT_ALLOWED = Answered(405)


@cases(
    case("get-is-answered", "curl", GET(PAGE), Answered(200), unchanged=True),
    case("post-is-denied-at-l7", "curl", POST(PAGE), DENIED, before=NOT_ALLOWED, twin="get-is-answered"),
    case("put-is-denied-at-l7", "curl", PUT(PAGE), DENIED, before=NOT_ALLOWED, twin="get-is-answered"),
    case("delete-is-denied-at-l7", "curl", DELETE(PAGE), DENIED, before=NOT_ALLOWED, twin="get-is-answered"),
    case("get-by-another-account-is-denied-at-l7", "ratings-v1", GET(PAGE), DENIED, twin="get-is-answered"),
)
def test_allow_method(verdict: Verdict) -> None:
    """A waypoint admits the allowed method from the allowed account only."""
    verdict.holds()
