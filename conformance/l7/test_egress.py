"""I2: what a ServiceEntry names is called through its waypoint, which enforces the policies that target the entry.

The target is inside of the cluster; the name is one that only the mesh's own DNS knows, asked for as it is (five dots).
"""

import pytest

from pytest_ambient import GET, POST, STATUS, Answered, DeniedL7, HasCondition, Unsupported, Verdict, case, cases

ELSEWHERE = {
    "kmesh": Unsupported("nothing is known of ServiceEntries behind a waypoint there"),
    "istio<1.25": Unsupported("ServiceEntries got addresses of themselves with Istio 1.25"),
}
NEEDS = ("Waypoint", "ServiceEntry", "DnsCapture", "Permissive")
pytestmark = pytest.mark.ambient(rule="I2", profile="AMBIENT-L7", needs=NEEDS, on=ELSEWHERE)

EGRESS = "http://egress.to.${NAMESPACE}.mesh.cluster.local:80/anything/egress"
THROUGH = Answered(200, through="egress-waypoint")
ENTRY = STATUS("networking.istio.io/v1/ServiceEntry", "egress")
POLICY = STATUS("security.istio.io/v1/AuthorizationPolicy", "egress-get-only")
BOUND = HasCondition("istio.io/WaypointBound", "True", "WaypointAccepted")


@cases(
    case("get-is-answered", "curl", GET(EGRESS), THROUGH, before=THROUGH, unchanged=True),
    case("post-is-denied-at-l7", "curl", POST(EGRESS), DeniedL7(), twin="get-is-answered"),
    case("entry-is-bound", None, ENTRY, BOUND, before=BOUND, unchanged=True),
    case("policy-is-bound", None, POLICY, HasCondition("WaypointAccepted", "True", "Accepted")),
    level="extended",
)
def test_egress(verdict: Verdict) -> None:
    """A waypoint is the way out, too."""
    verdict.holds()
