"""H11: a GRPCRoute routes calls by service, method and header.

gRPC calls a method by the path `/SERVICE/METHOD`, and that is what a waypoint matches; so any client can ask for it.
"""

import pytest

from pytest_ambient import POST, STATUS, Answered, HasCondition, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of GRPCRoutes there")}
NEEDS = ("Waypoint", "GRPCRoute")
pytestmark = pytest.mark.ambient(rule="H11", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

HTTPBIN = "http://httpbin:8000"
NAMED, OTHER = POST(f"{HTTPBIN}/anything/Named"), POST(f"{HTTPBIN}/anything/Other")
VERSIONED = f"{HTTPBIN}/anything/Versioned"
ROUTE = STATUS("gateway.networking.k8s.io/v1/GRPCRoute", "calls")


def by(way: str) -> Answered:
    """Answered by way of that rule."""
    return Answered(200, header=("x-route", way))


@cases(
    case("named-method-has-its-rule", "curl", NAMED, by("method")),
    case("other-method-has-its-services", "curl", OTHER, by("service")),
    case("named-header-has-its-rule", "curl", POST(VERSIONED, headers={"version": "two"}), by("header")),
    case("other-header-has-its-services", "curl", POST(VERSIONED, headers={"version": "one"}), by("service")),
    case("other-service-has-no-route", "curl", POST(f"{HTTPBIN}/post"), Answered(404, by_proxy=True)),
    case("route-is-accepted", None, ROUTE, HasCondition("Accepted", "True", "Accepted")),
    level="extended",
)
def test_grpc_route(verdict: Verdict) -> None:
    """What no rule names goes nowhere."""
    verdict.holds()
