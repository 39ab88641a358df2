"""T3: a waypoint counts every request with its code, and with the identities of caller and backend, not its own."""

import pytest

from pytest_ambient import GET, POST, Answered, Counted, DeniedL7, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="T3", profile="AMBIENT-TELEMETRY", needs="Waypoint")

REVIEWS = "http://reviews.${NAMESPACE}:9080/reviews/0"
ACCOUNTS = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/"
WAYPOINT, REQUESTS = "reviews-waypoint", "istio_requests_total"
CALLED = {
    "reporter": "waypoint",
    "source_workload": "details-v1",
    "source_workload_namespace": "${NAMESPACE}",
    "source_principal": f"{ACCOUNTS}bookinfo-details",
    "destination_service": "reviews.${NAMESPACE}.svc.*",
    "destination_service_name": "reviews",
    "destination_service_namespace": "${NAMESPACE}",
    "request_protocol": "http",
    "connection_security_policy": "mutual_tls",
}
SERVED = {
    **CALLED,
    "destination_workload": "reviews-*",
    "destination_principal": f"{ACCOUNTS}bookinfo-reviews",
    "destination_app": "reviews",
}
OK = Counted(REQUESTS, {**SERVED, "response_code": "200", "response_flags": "-"}, at=WAYPOINT)
WRONG_METHOD = Counted(REQUESTS, {**SERVED, "response_code": "405"}, at=WAYPOINT, of=Answered(405))
FORBIDDEN = Counted(REQUESTS, {**CALLED, "response_code": "403"}, at=WAYPOINT, of=DeniedL7())


@cases(
    case("answered-request-is-counted", "details-v1", GET(REVIEWS), OK),
    case("applications-own-error-is-counted", "details-v1", POST(REVIEWS), WRONG_METHOD),
    case("denied-request-is-counted", "details-v1", GET(REVIEWS), FORBIDDEN, state="denied", twin="other-is-answered"),
    case("other-is-answered", "curl", GET(REVIEWS), Answered(200), state="denied", unchanged=True),
    on={"kmesh": Unsupported("the waypoints of Kmesh count in another way")},
)
def test_waypoint_metrics(verdict: Verdict) -> None:
    """The waypoint's counter tells requests apart by who, whom and how they ended."""
    verdict.holds()
