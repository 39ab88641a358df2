"""E13: ztunnel answers for DNS in captured pods: there a ServiceEntry's name leads to what it selects.

The name ends in `.invalid`, which no other server knows.
"""

import pytest

from pytest_ambient import GET, Answered, Logged, Unreachable, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E13", profile="AMBIENT-L4", needs=("DnsCapture", "ServiceEntry"))

HOST = "captured.${NAMESPACE}.invalid"
CALL = GET(f"http://{HOST}:8000/get")
NOBODY = Unreachable("no address")
TUNNELLED = Logged("outbound", {"dst.service": HOST, "dst.hbone_addr": "*:8080", "error": None})
KMESH = {"kmesh": Unsupported("Kmesh writes no log of where it leads a name")}


@cases(
    case("entrys-name-resolves", "curl", CALL, Answered(200), before=NOBODY),
    case("call-goes-to-what-it-selects", "curl", CALL, TUNNELLED, before=NOBODY, on=KMESH),
    case("other-namespace-knows-it-too", "other/curl", CALL, Answered(200), before=NOBODY),
    case("unmeshed-pod-does-not", "outside/curl", CALL, NOBODY, before=NOBODY, unchanged=True),
    level="extended",
)
def test_dns_capture(verdict: Verdict) -> None:
    """No resolver outside of the mesh could tell."""
    verdict.holds()
