"""T2: ztunnel counts connections where they begin and where they end, with who called whom and how it ended."""

import pytest

from pytest_ambient import GET, Answered, Counted, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="T2", profile="AMBIENT-TELEMETRY")

RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ACCOUNTS = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/"
OPENED, CLOSED = "istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total"
SENT, RECEIVED = "istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total"
PARTIES = {
    "source_workload": "details-v1",
    "source_workload_namespace": "${NAMESPACE}",
    "source_principal": f"{ACCOUNTS}bookinfo-details",
    "source_app": "details",
    "source_version": "v1",
    "destination_workload": "ratings-v1",
    "destination_workload_namespace": "${NAMESPACE}",
    "destination_principal": f"{ACCOUNTS}bookinfo-ratings",
    "destination_service_namespace": "${NAMESPACE}",
    "request_protocol": "tcp",
    "connection_security_policy": "mutual_tls",
}
CALLED = {"destination_service": "ratings.${NAMESPACE}.svc.*", "destination_service_name": "ratings"}
SOURCE = {**PARTIES, **CALLED, "reporter": "source"}
DESTINATION = {**PARTIES, "destination_service": "ratings*", "reporter": "destination"}
WELL = {"response_flags": "-"}
DENIED = DeniedL4(by="ratings-not-from-details")
REFUSED = Counted(CLOSED, {**DESTINATION, "response_flags": "DENY"}, of=DENIED)
REFUSED_AT_CALLER = Counted(CLOSED, {**SOURCE, "response_flags": "CONNECT"}, of=DENIED)
KMESH = Unsupported("Kmesh has counters of its own")


@cases(
    case("callers-end-counts-it-opened", "details-v1", RATINGS, Counted(OPENED, {**SOURCE, **WELL})),
    case("callers-end-counts-it-closed", "details-v1", RATINGS, Counted(CLOSED, {**SOURCE, **WELL})),
    case("servers-end-counts-it-opened", "details-v1", RATINGS, Counted(OPENED, {**DESTINATION, **WELL})),
    case("servers-end-counts-it-closed", "details-v1", RATINGS, Counted(CLOSED, {**DESTINATION, **WELL})),
    case("bytes-sent-are-counted", "details-v1", RATINGS, Counted(SENT, {**DESTINATION, **WELL})),
    case("bytes-received-are-counted", "details-v1", RATINGS, Counted(RECEIVED, {**DESTINATION, **WELL})),
    case("refusal-counts-as-deny", "details-v1", RATINGS, REFUSED, state="denied", twin="other-is-answered"),
    case(
        "refusal-counts-as-connect-at-the-caller",
        "details-v1",
        RATINGS,
        REFUSED_AT_CALLER,
        state="denied",
        twin="other-is-answered",
        on={"kmesh": KMESH, "istio<1.29": Counted(CLOSED, {**SOURCE, **WELL}, of=DENIED)},
    ),
    case("other-is-answered", "curl", RATINGS, Answered(200), state="denied", unchanged=True),
    on={"kmesh": KMESH},
)
def test_ztunnel_metrics(verdict: Verdict) -> None:
    """Every connection grows the counters of both ends."""
    verdict.holds()
