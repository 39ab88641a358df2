"""What the API refuses of the mesh's objects, and in which words."""

import pytest

from pytest_ambient.embedded.objects import Object
from tests.embedded.istiod.validating import SERVICE, create, custom, refusal, rules

from .world import bare, peer, policy, recorded, route


@pytest.mark.parametrize(
    "item", [bare(each["object"]) for each in recorded("policies")], ids=lambda each: each["metadata"]["name"]
)
def test_recorded_policies_are_accepted(item: Object) -> None:
    """Whatever a real mesh was seen to accept is accepted, a principal with its scheme included."""
    assert create(item)["spec"] == item["spec"]


@pytest.mark.parametrize("value", ["(", "/a(?!b)", "*"])
def test_what_is_no_expression_is_for_the_proxy_to_refuse(value: str) -> None:
    """Neither the API nor istiod looks at it."""
    pair = {"name": "x", "type": "RegularExpression", "value": value}
    path = {"type": "RegularExpression", "value": value}
    create(route("r", [{"matches": [{"path": path, "headers": [pair], "queryParams": [pair]}]}]))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (policy("p", {"action": "DENY"}), "DENY action without `rules` is meaningless"),
        (policy("p", {"action": "DENY", "rules": []}), "DENY action without `rules` is meaningless"),
        (rules({}, {"to": [{}]}), "`to.operation` must not be nil, found at rule 1"),
        (rules({"from": [{"source": {"principals": []}}]}), "`from.source` must not be empty"),
        (rules({"from": [{"source": {"principals": [""]}}]}), "empty value not allowed, found in Principals"),
        (
            rules({"from": [{"source": {"ipBlocks": ["10.0.0.0/64"]}}]}),
            'bad CIDR range (10.0.0.0/64): netip.ParsePrefix("10.0.0.0/64"): prefix length out of range',
        ),
        (rules({"from": [{"source": {"ipBlocks": ["ten"]}}]}), "bad IP address (ten)"),
        (rules({"from": [{"source": {"serviceAccounts": ["a/b/c"]}}]}), "expected format 'serviceAccount'"),
        (rules({"from": [{"source": {"serviceAccounts": ["/c"]}}]}), 'found empty namespace "/c" in ServiceAccounts'),
        (rules({"from": [{"source": {"trustDomains": ["a*b"]}}]}), "wildcard is only allowed at the start or end"),
        (rules({"from": [{"source": {"trustDomains": ["a/b"]}}]}), "trust domain must not contain '/'"),
        (
            rules({"to": [{"operation": {"ports": ["http"]}}]}),
            'bad port (http): strconv.ParseUint: parsing "http": invalid syntax',
        ),
        (
            rules({"to": [{"operation": {"paths": ["/a{b}"]}}]}),
            "invalid or unsupported path a{b}, found in Paths. Contains '{' or '}' beyond a supported path template",
        ),
        (
            rules({"to": [{"operation": {"paths": ["/{**}/{*}"]}}]}),
            "invalid or unsupported path {**}/{*}, found in Paths. {**} is not the last operator",
        ),
        (
            rules({"to": [{"operation": {"notPaths": ["/{*}/b*"]}}]}),
            "invalid or unsupported path {*}/b*, found in NotPaths. Contains segment b* with invalid string literal",
        ),
        (
            rules({"when": [{"key": "destination.labels[app]", "values": ["a"]}]}),
            "attribute destination.labels[app] is replaced by the workload selector",
        ),
        (
            rules({"when": [{"key": "source.ip", "values": ["x"]}]}),
            "invalid `value` for `key` source.ip: 1 error occurred:\n\t* bad IP address (x)\n\n",
        ),
        (
            rules({"when": [{"key": "source.trustDomain", "values": ["*a*"]}]}),
            'at most one wildcard is allowed, found in source.trustDomain: "*a*"',
        ),
        (rules({"when": [{"key": "request.header[x]", "values": ["a"]}]}), "unknown attribute: request.header[x]"),
        (rules({"when": [{"key": "request.headers", "values": ["a"]}]}), "should have format a[b]"),
        (rules({"when": [{"key": "source.ip"}]}), "at least one of `values` or `notValues` must be set"),
        (rules({"when": [{"values": ["a"]}]}), "`key` must not be empty"),
        (
            rules({}, targetRefs=[{"kind": "Deployment", "group": "apps", "name": "x"}]),
            "targetRef must be to one of [core/v1/Service networking.istio.io/v1/ServiceEntry "
            "gateway.networking.k8s.io/v1/Gateway gateway.networking.k8s.io/v1/GatewayClass] but was apps/Deployment",
        ),
        (rules({}, provider={"name": "x"}), "`provider` must not be with non CUSTOM action"),
        (custom({}, provider={}), "`provider.name` must not be empty"),
        (
            custom({"from": [{"source": {"principals": ["a"]}}]}),
            "From.Principals is currently not supported with CUSTOM",
        ),
        (custom({"from": [{"source": {"notNamespaces": ["a"]}}]}), "From.NotNamespaces is currently not supported"),
        (custom({"when": [{"key": "request.auth.claims[a]", "values": ["b"]}]}), "request.auth.claims[a] is currently"),
        (
            custom({"when": [{"key": "source.principal", "values": ["b"]}]}),
            "source.principal is currently not supported",
        ),
    ],
)
def test_mistakes_are_denied_as_by_istios_webhook(item: Object, message: str) -> None:
    """400 with the webhook's opening words and the mistake."""
    error = refusal(item)
    assert (error.status, error.reason) == (400, "")
    opening = 'admission webhook "validation.istio.io" denied the request: configuration is invalid: '
    assert error.message.startswith(opening)
    assert message in error.message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            rules({}, selector={"matchLabels": {"a": "*"}}),
            'spec.selector.matchLabels[a]: Invalid value: "string": wildcard not allowed in label value match',
        ),
        (
            rules({}, selector={}, targetRefs=[SERVICE]),
            'spec: Invalid value: "object": only one of targetRefs or selector can be set',
        ),
        (
            rules({}, targetRefs=[SERVICE | {"namespace": "x"}]),
            'spec.targetRefs[0].namespace: Invalid value: "string": '
            "cross namespace referencing is not currently supported",
        ),
        (
            rules({"from": [{"source": {"serviceAccounts": ["a"], "namespaces": ["b"]}}]}),
            'spec.rules[0].from[0].source: Invalid value: "object": '
            "Cannot set serviceAccounts with namespaces or principals",
        ),
        (
            peer("p", {"portLevelMtls": {"1": {"mode": "STRICT"}}}),
            'spec: Invalid value: "object": portLevelMtls requires selector',
        ),
        (
            peer("p", {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"0": {"mode": "STRICT"}}}),
            'spec.portLevelMtls: Invalid value: "object": port must be between 1-65535',
        ),
        (
            peer("p", {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"x": {"mode": "STRICT"}}}),
            "spec.portLevelMtls: Invalid value: \"object\": type conversion error from 'string' to 'int' "
            "evaluating rule: port must be between 1-65535",
        ),
        (
            peer("p", {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {}}),
            "spec.portLevelMtls: Invalid value: 0: spec.portLevelMtls in body should have at least 1 properties",
        ),
    ],
)
def test_mistakes_that_istios_definitions_tell_of(item: Object, message: str) -> None:
    """422 by the rules of the definitions: the API says it before any webhook is asked."""
    error = refusal(item)
    assert (error.status, error.reason) == (422, "Invalid")
    assert error.message.endswith(f'"p" is invalid: {message}')


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (
            policy("deny", {"action": "DENY"}),
            "invalid policy deny.bookinfo: DENY action without `rules` is meaningless as it will never be triggered, "
            "add an empty rule `{}` if you want it be triggered for every request",
        ),
        (
            rules({"from": [{"source": {"ipBlocks": ["ten"]}}]}),
            "1 error occurred:\n\t* invalid policy p.bookinfo: bad IP address (ten)\n\n",
        ),
        (
            rules({"from": [{}], "to": [{}]}),
            "2 errors occurred:\n\t* invalid policy p.bookinfo: `from.source` must not be nil, found at rule 0\n"
            "\t* invalid policy p.bookinfo: `to.operation` must not be nil, found at rule 0\n\n",
        ),
    ],
)
def test_denial_is_pinned_whole(item: Object, told: str) -> None:
    """The Status that kubectl shows, without a reason; one mistake is a list only where Istio makes one of it."""
    opening = 'admission webhook "validation.istio.io" denied the request: configuration is invalid: '
    body = refusal(item).body()
    assert body["message"] == opening + told
    assert "reason" not in body


@pytest.mark.parametrize(
    ("item", "field", "message"),
    [
        (
            route("r", [{"matches": [{"path": {"value": "a"}}]}]),
            "spec.rules[0].matches[0].path",
            'Invalid value: "object": value must be an absolute path',
        ),
        (
            route("r", [{"backendRefs": [{"name": "a"}]}]),
            "spec.rules[0].backendRefs[0]",
            'Invalid value: "object": Must have port for Service reference',
        ),
        (
            route("r", [{"filters": [{"type": "RequestHeaderModifier"}]}]),
            "spec.rules[0].filters[0]",
            'Invalid value: "object": filter.requestHeaderModifier must be specified',
        ),
    ],
)
def test_wrong_values_are_invalid(item: Object, field: str, message: str) -> None:
    """422 with the field's path and the API's words for it."""
    error = refusal(item)
    assert (error.status, error.reason) == (422, "Invalid")
    assert f"is invalid: {field}: {message}" in error.message
    assert error.details["causes"][0]["field"] == field
