"""E11: headless Services and ports that speak no HTTP are tunnelled and guarded; a port that is none leads nowhere."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Logged, Unreachable, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E11", profile="AMBIENT-L4")

HEADLESS = GET("http://httpbin-pods:8080/get")
TCP = GET("http://httpbin-tcp:9000/get")
ACCOUNTS = "spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/"
NO_PORT = GET("http://httpbin-tcp:9999/get")
NOWHERE = Unreachable("no healthy upstream")
TUNNELLED = {
    "src.identity": f"{ACCOUNTS}curl",
    "dst.identity": f"{ACCOUNTS}httpbin",
    "dst.hbone_addr": "*:8080",
    "error": None,
}
BY_ACCOUNT = DeniedL4(by="${NAMESPACE}/httpbin-only-curl")
KMESH = {"kmesh": Unsupported("Kmesh tunnels nothing between pods: there is no log of it")}
UNTOLD = {"kmesh": Unsupported("what Kmesh does with a port that is none was never recorded")}


@cases(
    case("headless-call-is-tunnelled", "curl", HEADLESS, Logged("inbound", TUNNELLED), on=KMESH),
    case("tcp-call-is-tunnelled", "curl", TCP, Logged("inbound", TUNNELLED), on=KMESH),
    case("port-that-is-none-leads-nowhere", "curl", NO_PORT, NOWHERE, before=NOWHERE, unchanged=True, on=UNTOLD),
    case("headless-call-is-reset", "details-v1", HEADLESS, BY_ACCOUNT, state="account", twin="headless-is-answered"),
    case("headless-is-answered", "curl", HEADLESS, Answered(200), state="account", unchanged=True),
    case("tcp-call-is-reset", "details-v1", TCP, BY_ACCOUNT, state="account", twin="tcp-is-answered"),
    case("tcp-is-answered", "curl", TCP, Answered(200), state="account", unchanged=True),
)
def test_headless_and_tcp(verdict: Verdict) -> None:
    """ztunnel knows connections only: what a port speaks and how its address was found is the same to it."""
    verdict.holds()
