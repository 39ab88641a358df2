"""R9: Kiali draws the traffic of the mesh: who calls whom, over mutual TLS, and through which waypoint."""

import pytest

from pytest_ambient import GET, HasEdge, HasWorkload, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="R9", profile="AMBIENT-TELEMETRY", needs=("Kiali", "Prometheus", "Waypoint"))

KIALI = "http://kiali.${ROOT_NAMESPACE}:20001/kiali/api"
SHOWN = "graphType=workload&injectServiceNodes=false&ambientTraffic=total&waypoints=true"
RATES = "rateHttp=requests&rateGrpc=requests&rateTcp=sent&appenders=ambient,deadNode,securityPolicy"
GRAPH = GET(f"{KIALI}/namespaces/graph?namespaces=${{NAMESPACE}}&duration=60s&{SHOWN}&{RATES}")
OURS = GET(f"{KIALI}/clusters/workloads?namespaces=${{NAMESPACE}}&health=false&istioResources=false")
ALL = GET(f"{KIALI}/clusters/workloads?health=false&istioResources=false")

TWO_SCRAPES = 120.0
"""Seconds: a rate needs two looks of Prometheus at a proxy, 15 s apart in Istio's samples; Kiali looks after them."""


@cases(
    case("visitor-calls-productpage", "curl", GRAPH, HasEdge("visitor", "productpage"), within=TWO_SCRAPES),
    case("productpage-calls-details", "curl", GRAPH, HasEdge("productpage", "details"), within=TWO_SCRAPES),
    case("productpage-calls-reviews", "curl", GRAPH, HasEdge("productpage", "reviews"), within=TWO_SCRAPES),
    case("reviews-calls-ratings", "curl", GRAPH, HasEdge("reviews", "ratings"), within=TWO_SCRAPES),
    case(
        "details-is-called-over-mtls", "curl", GRAPH, HasEdge("productpage", "details", mtls=True), within=TWO_SCRAPES
    ),
    case("ratings-is-called-over-mtls", "curl", GRAPH, HasEdge("reviews", "ratings", mtls=True), within=TWO_SCRAPES),
    case("waypoint-is-called", "curl", GRAPH, HasEdge("productpage", "reviews-waypoint"), within=TWO_SCRAPES),
    case("waypoint-calls-reviews", "curl", GRAPH, HasEdge("reviews-waypoint", "reviews"), within=TWO_SCRAPES),
    case("waypoint-is-known", "curl", OURS, HasWorkload("reviews-waypoint"), within=TWO_SCRAPES),
    case("ztunnel-is-known", "curl", ALL, HasWorkload("ztunnel", namespace=None), within=TWO_SCRAPES),
    level="extended",
    on={"kmesh": Unsupported("Kiali draws what ztunnels and Istio's waypoints count")},
)
def test_kiali_graph(verdict: Verdict) -> None:
    """Kiali shows what ambient mode does."""
    verdict.holds()
