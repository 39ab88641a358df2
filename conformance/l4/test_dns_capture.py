"""E13: ztunnel answers for DNS in captured pods: there a ServiceEntry's name leads to what it selects.

The name is one of the cluster's own domain: the cluster's DNS server denies it by itself and asks nobody. It has five
dots, so that pods ask for it as it is and for nothing below a search domain of their node, where any name may lead.
"""

import pytest

from pytest_ambient import GET, Answered, Logged, Unreachable, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E13", profile="AMBIENT-L4", needs=("DnsCapture", "ServiceEntry"))

HOST = "captured.by.${NAMESPACE}.mesh.cluster.local"
CALL = GET(f"http://{HOST}:8000/get")
NOBODY = Unreachable("no address")
TUNNELLED = Logged("outbound", {"dst.service": HOST, "dst.hbone_addr": "*:8080", "error": None})
OLD = {"istio<1.25": Unsupported("ServiceEntries got addresses of themselves with Istio 1.25")}
UNTOLD = {"kmesh": Unsupported("Kmesh writes no log of where it leads a name"), **OLD}


@cases(
    case("entrys-name-resolves", "curl", CALL, Answered(200), before=NOBODY),
    case("call-goes-to-what-it-selects", "curl", CALL, TUNNELLED, before=NOBODY, on=UNTOLD),
    case("other-namespace-knows-it-too", "other/curl", CALL, Answered(200), before=NOBODY),
    case("unmeshed-pod-does-not", "outside/curl", CALL, NOBODY, before=NOBODY, unchanged=True),
    level="extended",
    on=OLD,
)
def test_dns_capture(verdict: Verdict) -> None:
    """No resolver outside of the mesh could tell."""
    verdict.holds()
