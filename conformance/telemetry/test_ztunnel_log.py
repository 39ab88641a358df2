"""T1: ztunnel writes a line for each connection at each end: who, whom, where to, and why it was refused."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Logged, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="T1", profile="AMBIENT-TELEMETRY")

RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ACCOUNTS = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/"
BOTH = {
    "src.workload": "details-v1-*",
    "src.namespace": "${NAMESPACE}",
    "src.identity": f"{ACCOUNTS}bookinfo-details",
    "dst.addr": "*:15008",
    "dst.hbone_addr": "*:9080",
    "dst.service": "ratings*",
    "dst.workload": "ratings-v1-*",
    "dst.namespace": "${NAMESPACE}",
    "dst.identity": f"{ACCOUNTS}bookinfo-ratings",
    "message": "connection complete",
}
PLAIN = {"src.namespace": "${OUTSIDE_NAMESPACE}", "dst.workload": "ratings-v1-*", "dst.addr": "*:9080"}
BY, DENIED = "${NAMESPACE}/ratings-not-from-details", DeniedL4(by="ratings-not-from-details")
AT_SERVER = {"level": "error", "error": f"connection closed due to policy rejection: explicitly denied by: {BY}"}
AT_CALLER = {"level": "error", "error": "http status: 401 Unauthorized"}
NO_ERROR = {"level": "info", "error": None}


@cases(
    case("callers-end-is-logged", "details-v1", RATINGS, Logged("outbound", {**BOTH, **NO_ERROR})),
    case("servers-end-is-logged", "details-v1", RATINGS, Logged("inbound", {**BOTH, **NO_ERROR})),
    case("plaintext-is-logged-once", "outside/curl", RATINGS, Logged("inbound", PLAIN), needs="Permissive"),
    case(
        "servers-end-says-who-refused",
        "details-v1",
        RATINGS,
        Logged("inbound", {**BOTH, **AT_SERVER}, of=DENIED),
        state="denied",
        twin="other-caller-is-answered",
    ),
    case(
        "callers-end-says-that-it-was-refused",
        "details-v1",
        RATINGS,
        Logged("outbound", {**BOTH, **AT_CALLER}, of=DENIED),
        state="denied",
        twin="other-caller-is-answered",
    ),
    case("other-caller-is-answered", "curl", RATINGS, Answered(200), state="denied", unchanged=True),
    on={"kmesh": Unsupported("Kmesh writes no such lines")},
)
def test_ztunnel_log(verdict: Verdict) -> None:
    """Whoever reads the log knows what happened."""
    verdict.holds()
