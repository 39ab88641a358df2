"""H12: a waypoint gives a failing endpoint no more requests, a connection no more than a DestinationRule says."""

import pytest

from pytest_ambient import GET, Answered, Counted, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of outlier detection there")}
NEEDS = ("Waypoint", "VirtualService")
pytestmark = pytest.mark.ambient(rule="H12", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

FAILING, SPARED = GET("http://httpbin:8000/status/500"), GET("http://httpbin-spared:8000/status/500")
POOLED = GET("http://httpbin-spared:8000/get")
EJECTED = Answered(503, body="no healthy upstream", by_proxy=True)

FROM_WAYPOINT = {
    "reporter": "destination",
    "source_principal": "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/httpbin-waypoint",
    "destination_workload": "httpbin",
    "destination_workload_namespace": "${NAMESPACE}",
}
CONNECTION_EACH = Counted("istio_tcp_connections_opened_total", FROM_WAYPOINT)


@cases(
    case("failing-endpoint-is-ejected", "curl", FAILING, EJECTED, before=Answered(500)),
    case("service-without-a-limit-goes-on", "curl", SPARED, Answered(500), unchanged=True),
    case("connection-serves-one-request", "curl", POOLED, CONNECTION_EACH),
    level="extended",
)
def test_circuit_breaker(verdict: Verdict) -> None:
    """Where the only endpoint is out, the waypoint answers for it."""
    verdict.holds()
