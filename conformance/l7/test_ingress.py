"""I1: an ingress gateway leads to productpage by its own identity; past its waypoint unless told otherwise."""

import pytest

from pytest_ambient import GET, STATUS, Answered, DeniedL4, DeniedL7, HasCondition, Unsupported, Verdict, case, cases

NEEDS = ("Ingress", "HTTPRoute", "Waypoint", "Telemetry", "AccessLogFormat")
pytestmark = pytest.mark.ambient(rule="I1", profile="AMBIENT-L7", needs=NEEDS)

ALIEN = "outside/curl"
PAGE = GET("http://ingress-istio.${NAMESPACE}/productpage")
PRODUCTS = GET("http://ingress-istio.${NAMESPACE}/api/v1/products")
STRANGE_PAGE = GET("http://stranger-istio.${NAMESPACE}/productpage")
STRANGE_DETAILS = GET("http://stranger-istio.${NAMESPACE}/details/0")
DIRECT, BESIDE = GET("http://productpage:9080/productpage"), GET("http://productpage:9080/api/v1/products")
NO_ROUTE, SERVED = Answered(404, by_proxy=True), Answered(200, through="ingress")
REFUSED = DeniedL4(by="${NAMESPACE}/productpage-without-stranger", via="gateway")
DENIED = DeniedL7(by="${NAMESPACE}/productpage-no-page")
GATEWAY = STATUS("gateway.networking.k8s.io/v1/HTTPRoute", "bookinfo")
KMESH = {"kmesh": Unsupported("whether Kmesh takes a gateway's tunnels was never recorded")}


@cases(
    case("named-gateway-is-answered", ALIEN, PAGE, SERVED, before=NO_ROUTE, state="routed"),
    case(
        "unnamed-gateway-is-refused",
        ALIEN,
        STRANGE_PAGE,
        REFUSED,
        before=NO_ROUTE,
        state="routed",
        twin="unnamed-gateway-reaches-others",
    ),
    case("unnamed-gateway-reaches-others", ALIEN, STRANGE_DETAILS, SERVED, before=NO_ROUTE, state="routed"),
    case("route-is-accepted", None, GATEWAY, HasCondition("Accepted", "True", "Accepted"), state="routed"),
    case("direct-call-meets-the-policy", "curl", DIRECT, DENIED, state="past", twin="direct-call-beside-is-answered"),
    case("direct-call-beside-is-answered", "curl", BESIDE, Answered(200), state="past", unchanged=True),
    case("ingress-goes-past-the-policy", ALIEN, PAGE, SERVED, before=NO_ROUTE, state="past"),
    case(
        "ingress-meets-the-policy",
        ALIEN,
        PAGE,
        DENIED,
        before=NO_ROUTE,
        state="through",
        twin="ingress-beside-is-answered",
    ),
    case("ingress-beside-is-answered", ALIEN, PRODUCTS, SERVED, before=NO_ROUTE, state="through"),
    level="extended",
    on=KMESH,
)
def test_ingress(verdict: Verdict) -> None:
    """Whom productpage lets in decides at L4; the waypoint decides only where ingress is sent through it."""
    verdict.holds()
