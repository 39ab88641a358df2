"""E6: ztunnel listens inside of captured pods for what leaves and what comes in plaintext, and in no others.

A pod that calls those ports by itself is let in and turned away; chains, ipsets and CNI files are not looked at, for
that takes more rights than a pod of ours has.
"""

import pytest

from pytest_ambient import GET, Unreachable, Unsupported, Verdict, case, cases

NEEDS = ("Redirection", "Identity")
pytestmark = pytest.mark.ambient(rule="E6", profile="AMBIENT-ENROLMENT", needs=NEEDS)

OUTBOUND, INBOUND = GET("http://127.0.0.1:15001/"), GET("http://127.0.0.1:15006/")
TURNED_AWAY, NOBODY = Unreachable("no healthy upstream"), Unreachable("no connection")


@cases(
    case("ztunnel-takes-what-leaves", "curl", OUTBOUND, TURNED_AWAY, before=None),
    case("ztunnel-takes-what-comes", "curl", INBOUND, TURNED_AWAY, before=None),
    case("other-namespace-is-the-same", "other/curl", OUTBOUND, TURNED_AWAY, before=None),
    case("unmeshed-pod-has-no-way-out-by-it", "outside/curl", OUTBOUND, NOBODY, before=None),
    case("unmeshed-pod-has-no-way-in-by-it", "outside/curl", INBOUND, NOBODY, before=None),
    level="extended",
    on={"kmesh": Unsupported("Kmesh redirects in the kernel, nothing listens in pods")},
)
def test_redirection(verdict: Verdict) -> None:
    """ztunnel's own word tells that it is ztunnel that listens."""
    verdict.holds()
