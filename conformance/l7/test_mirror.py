"""H5: a route's mirror gets a copy of each request, and the caller gets the answer of the route's backend alone.

That a copy came is told by the ztunnel of the mirror: each request to it has a connection of its own.
"""

import pytest

from pytest_ambient import GET, Answered, Counted, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
NEEDS = ("Waypoint", "VirtualService")
pytestmark = pytest.mark.ambient(rule="H5", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

CALL = GET("http://reviews:9080/reviews/0")
ACCOUNTS = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/"
TO_MIRROR = {
    "reporter": "destination",
    "source_principal": f"{ACCOUNTS}reviews-waypoint",
    "destination_workload": "reviews-v3",
    "destination_workload_namespace": "${NAMESPACE}",
    "connection_security_policy": "mutual_tls",
}
PRIMARY = Answered(200, backend="reviews-v1")
COPIED = Counted("istio_tcp_connections_opened_total", TO_MIRROR, of=PRIMARY)


@cases(
    case("copy-arrives-at-the-mirror", "curl", CALL, COPIED, state="copied"),
    case("answer-is-the-backends-alone", "curl", CALL, PRIMARY, state="copied"),
    case("mirror-without-pods-harms-nobody", "curl", CALL, PRIMARY, state="lost"),
    level="extended",
)
def test_mirror(verdict: Verdict) -> None:
    """Nobody waits for what the mirror makes of its copy."""
    verdict.holds()
