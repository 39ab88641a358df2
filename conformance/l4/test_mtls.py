"""E3: between meshed pods traffic is mutual TLS in a tunnel, both identities known; from an un-meshed one plaintext."""

import pytest

from pytest_ambient import CERTIFICATES, GET, Counted, Logged, OneCertificate, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E3", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
ACCOUNTS = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/"
CALLER, SERVER = f"{ACCOUNTS}bookinfo-productpage", f"{ACCOUNTS}bookinfo-reviews"
CERTIFIED = {"src.identity": CALLER, "dst.identity": SERVER, "dst.hbone_addr": "*"}
PLAIN = {"src.identity": None, "dst.identity": None, "dst.hbone_addr": None, "dst.workload": "reviews-*"}
OPENED = "istio_tcp_connections_opened_total"
ENCRYPTED = {"connection_security_policy": "mutual_tls", "source_principal": CALLER, "destination_principal": SERVER}
OPEN = {
    "connection_security_policy": "unknown",
    "source_principal": "unknown",
    "destination_principal": SERVER,
    "reporter": "destination",
}


@cases(
    case("callers-end-knows-both-identities", "productpage-v1", REVIEWS, Logged("outbound", CERTIFIED)),
    case("servers-end-knows-both-identities", "productpage-v1", REVIEWS, Logged("inbound", CERTIFIED)),
    case(
        "meshed-call-counts-as-mutual-tls",
        "productpage-v1",
        REVIEWS,
        Counted(OPENED, {**ENCRYPTED, "reporter": "destination"}),
    ),
    case("unmeshed-call-has-no-identity", "outside/curl", REVIEWS, Logged("inbound", PLAIN), needs="Permissive"),
    case("unmeshed-call-counts-as-plaintext", "outside/curl", REVIEWS, Counted(OPENED, OPEN), needs="Permissive"),
    case("reviews-have-one-certificate", None, CERTIFICATES(SERVER), OneCertificate()),
    case("productpage-has-one-certificate", None, CERTIFICATES(CALLER), OneCertificate()),
    on={"kmesh": Unsupported("Kmesh tells callers by their address and has no ztunnel that could say more")},
)
def test_mtls(verdict: Verdict) -> None:
    """Both ends say so in their logs and counters, and hold one certificate for each service account."""
    verdict.holds()
