"""Z6: a CUSTOM policy leaves it to an external authorizer, before DENY and ALLOW; an unknown one admits nobody."""

import pytest

from pytest_ambient import GET, POST, PUT, STATUS, Answered, DeniedL7, HasCondition, Unsupported, Verdict, case, cases

NEEDS = ("Waypoint", "Telemetry", "AccessLogFormat")
pytestmark = pytest.mark.ambient(rule="Z6", profile="AMBIENT-L7", needs=NEEDS)

OPEN, CLOSED = "http://httpbin:8000/anything/guarded/open", "http://httpbin:8000/anything/guarded/denied"
OTHER = GET("http://httpbin:8000/anything/free")
PASS = {"x-ext-authz": "allow"}
POLICY = STATUS("security.istio.io/v1/AuthorizationPolicy", "ask-about-guarded")
TAKEN = HasCondition("WaypointAccepted", "True", "Accepted")
OK, BY_AUTHORIZER = (
    Answered(200),
    DeniedL7(says="denied by ext_authz for not found header `x-ext-authz: allow` in the request"),
)
BY_DENY, BY_ALLOW = DeniedL7(by="${NAMESPACE}/deny-path"), DeniedL7(by="${NAMESPACE}/allow-get")
ASKED = "ExtAuthz"


@cases(
    case("authorizer-admits", "curl", GET(OPEN, headers=PASS), OK, state="custom", unchanged=True, needs=ASKED),
    case("authorizer-refuses", "curl", GET(OPEN), BY_AUTHORIZER, state="custom", twin="authorizer-admits", needs=ASKED),
    case("other-path-is-not-asked-about", "curl", OTHER, OK, state="custom", unchanged=True, needs=ASKED),
    case("other-method-is-not-asked-about", "curl", PUT(OPEN), OK, state="custom", unchanged=True, needs=ASKED),
    case("waypoint-says-accepted", None, POLICY, TAKEN, state="custom", needs=ASKED),
    case("custom-comes-first", "curl", GET(CLOSED), BY_AUTHORIZER, state="order", twin="on-another-path", needs=ASKED),
    case("on-another-path", "curl", OTHER, OK, state="order", unchanged=True, needs=ASKED),
    case("deny-comes-next", "curl", GET(CLOSED, headers=PASS), BY_DENY, state="order", twin="all-admit", needs=ASKED),
    case("allow-comes-last", "curl", POST(OPEN, headers=PASS), BY_ALLOW, state="order", twin="all-admit", needs=ASKED),
    case("all-admit", "curl", GET(OPEN, headers=PASS), OK, state="order", unchanged=True, needs=ASKED),
    case("unknown-provider-admits-nobody", "curl", GET(OPEN), DeniedL7(), state="unknown", twin="beside-it"),
    case("beside-it", "curl", OTHER, OK, state="unknown", unchanged=True),
    level="extended",
    on={"kmesh": Unsupported("not known of Kmesh")},
)
def test_ext_authz(verdict: Verdict) -> None:
    """First the authorizer, then the mesh's own policies."""
    verdict.holds()
