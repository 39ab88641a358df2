"""T4: a Telemetry switches a waypoint's access log on, for the whole waypoint or for one Service behind it."""

import pytest

from pytest_ambient import GET, Logged, Unlogged, Unsupported, Verdict, case, cases

NEEDS = ("Waypoint", "Telemetry", "AccessLogFormat")
pytestmark = pytest.mark.ambient(rule="T4", profile="AMBIENT-TELEMETRY", needs=NEEDS)

HTTPBIN = GET("http://httpbin:8000/anything/logged")
DETAILS = GET("http://details:9080/details/0")
SILENT = Unlogged()
LOGGED = Logged("waypoint", {"method": "GET", "path": "/anything/logged", "response_code": "200"})
OTHER_LOGGED = Logged("waypoint", {"method": "GET", "path": "/details/0", "response_code": "200"})


@cases(
    case("waypoints-own-switch-logs-it", "curl", HTTPBIN, LOGGED, before=SILENT, state="gateway"),
    case("waypoints-own-switch-logs-all", "curl", DETAILS, OTHER_LOGGED, before=SILENT, state="gateway"),
    case("services-switch-logs-it", "curl", HTTPBIN, LOGGED, before=SILENT, state="service"),
    case("services-switch-logs-no-other", "curl", DETAILS, SILENT, unchanged=True, state="service"),
    level="extended",
    on={"kmesh": Unsupported("no ztunnel tells there whether a call passed the waypoint")},
)
def test_access_log(verdict: Verdict) -> None:
    """Requests are logged where a Telemetry says so, and nowhere else."""
    verdict.holds()
