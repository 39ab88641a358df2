"""H4: an HTTPRoute rewrites a prefix, a whole path or the host, and the backend sees what was rewritten."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H4", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

HTTPBIN = "http://httpbin:8000"
ANYTHING = f"{HTTPBIN}/anything"


def sees(url: str) -> Answered:
    """The backend says that it was asked for that."""
    return Answered(200, body=f'"url": "http://{url}"')


@cases(
    case("prefix-is-rewritten", "curl", GET(f"{ANYTHING}/old/x?a=b"), sees("httpbin:8000/anything/new/x?a=b")),
    case("bare-prefix-is-rewritten", "curl", GET(f"{ANYTHING}/old"), sees("httpbin:8000/anything/new")),
    case(
        "longer-element-is-not", "curl", GET(f"{ANYTHING}/older"), sees("httpbin:8000/anything/older"), unchanged=True
    ),
    case(
        "prefix-is-taken-away",
        "curl",
        GET(f"{HTTPBIN}/strip/anything/x"),
        sees("httpbin:8000/anything/x"),
        before=Answered(404),
    ),
    case("whole-path-is-rewritten", "curl", GET(f"{ANYTHING}/whole/x?a=b"), sees("httpbin:8000/anything/all?a=b")),
    case("host-is-rewritten", "curl", GET(f"{ANYTHING}/host"), sees("other.example/anything/host")),
    level="extended",
)
def test_rewrite(verdict: Verdict) -> None:
    """The backend itself tells what it was asked for."""
    verdict.holds()
