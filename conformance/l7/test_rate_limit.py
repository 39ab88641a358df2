"""H12: an EnvoyFilter on a waypoint limits requests: those beyond are answered 429 by the waypoint."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of EnvoyFilters there")}
NEEDS = ("Waypoint", "EnvoyFilter")
pytestmark = pytest.mark.ambient(rule="H12", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

HTTPBIN, DETAILS = GET("http://httpbin:8000/get"), GET("http://details:9080/details/0")
LIMITED = Answered(429, header=("x-limited", "yes"), body="local_rate_limited", by_proxy=True)


@cases(
    case("request-beyond-the-limit-is-429", "curl", HTTPBIN, LIMITED),
    case("service-without-waypoint-is-answered", "curl", DETAILS, Answered(200), unchanged=True),
    level="extended",
)
def test_rate_limit(verdict: Verdict) -> None:
    """One request an hour is let through."""
    verdict.holds()
