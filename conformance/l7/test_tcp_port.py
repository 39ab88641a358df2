"""Z1: on a port of plain TCP a waypoint closes what a policy denies, and more where the policy names what HTTP has."""

import pytest

from pytest_ambient import GET, POST, Answered, DeniedL4, DeniedL7, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("what Kmesh's waypoints do with policies on plain TCP was never recorded")}
NEEDS = ("Waypoint", "Telemetry", "AccessLogFormat")
pytestmark = pytest.mark.ambient(rule="Z1", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

CALL, OTHER_PORT = GET("http://httpbin-tcp:9000/get"), GET("http://httpbin-tcp:9001/get")
BESIDE, SHOWN = GET("http://httpbin-beside:9000/get"), GET("http://httpbin-any:9000/anything")
SHOWN_POST = POST("http://httpbin-any:9000/anything")
BY_ACCOUNT = DeniedL4(by="${NAMESPACE}/tcp-only-curl", at="waypoint")
BY_PORT = DeniedL4(by="${NAMESPACE}/tcp-not-9001", at="waypoint")
BY_ANY = DeniedL4(at="waypoint")
BY_METHOD, AS_HTTP = DeniedL4(by="${NAMESPACE}/no-post", at="waypoint"), DeniedL7(by="${NAMESPACE}/no-post")
BY_BOTH = DeniedL4(by="${NAMESPACE}/tcp-no-post-by-curl", at="waypoint")
ANSWERED = Answered(200)


@cases(
    case("named-account-is-answered", "curl", CALL, ANSWERED, state="account", unchanged=True),
    case("other-account-is-closed", "details-v1", CALL, BY_ACCOUNT, state="account", twin="named-account-is-answered"),
    case("denied-port-is-closed", "curl", OTHER_PORT, BY_PORT, state="account", twin="named-account-is-answered"),
    case("allowed-method-is-closed-too", "curl", CALL, BY_ANY, state="allow-get", twin="beside-the-allow-is-answered"),
    case("beside-the-allow-is-answered", "curl", BESIDE, ANSWERED, state="allow-get", unchanged=True),
    case("other-method-is-closed-too", "curl", CALL, BY_METHOD, state="deny-post", twin="beside-the-deny-is-answered"),
    case("beside-the-deny-is-answered", "curl", BESIDE, ANSWERED, state="deny-post", unchanged=True),
    case("shown-method-is-denied-at-l7", "curl", SHOWN_POST, AS_HTTP, state="deny-post", twin="shown-get-is-answered"),
    case("shown-get-is-answered", "curl", SHOWN, ANSWERED, state="deny-post", unchanged=True),
    case("named-caller-is-closed", "curl", CALL, BY_BOTH, state="deny-caller", twin="other-caller-is-answered"),
    case("other-caller-is-answered", "details-v1", CALL, ANSWERED, state="deny-caller", unchanged=True),
    level="extended",
)
def test_tcp_port(verdict: Verdict) -> None:
    """An ALLOW by method admits nobody; a DENY by method denies all whom the rest of its rule is about."""
    verdict.holds()
