"""E12: whether caller and server share a node makes no difference: tunnelled alike, under one policy."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Logged, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E12", profile="AMBIENT-L4", needs=["MultiNode", "Identity"])

HTTPBIN = GET("http://httpbin:8000/get")
ACCOUNTS = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/"
TUNNELLED = Logged(
    "inbound",
    {
        "src.identity": f"{ACCOUNTS}traveller",
        "dst.identity": f"{ACCOUNTS}httpbin",
        "dst.addr": "*:15008",
        "dst.hbone_addr": "*:8080",
        "error": None,
    },
)
REFUSED = DeniedL4(by="${NAMESPACE}/httpbin-not-from-traveller")
KMESH = {"kmesh": Unsupported("Kmesh tunnels nothing between pods: there is no log of it")}


@cases(
    case("one-node-is-tunnelled", "here", HTTPBIN, TUNNELLED),
    case("other-node-is-tunnelled", "there", HTTPBIN, TUNNELLED),
    case("one-node-is-refused", "here", HTTPBIN, REFUSED, state="denied", twin="other-account-is-answered"),
    case("other-node-is-refused", "there", HTTPBIN, REFUSED, state="denied", twin="other-account-is-answered"),
    case("other-account-is-answered", "curl", HTTPBIN, Answered(200), state="denied", unchanged=True),
    on=KMESH,
)
def test_across_nodes(verdict: Verdict) -> None:
    """Two clients of one account, forced onto different nodes, fare alike."""
    verdict.holds()
