"""What the API refuses of the mesh's objects, and in which words."""

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.istiod.validate import guard, warnings
from pytest_ambient.embedded.istiod.view import GATEWAY_API, SECURITY, TELEMETRY
from pytest_ambient.embedded.objects import Object

from .world import bare, peer, policy, recorded, route, waypoint_objects

GROUPS = dict.fromkeys(("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"), SECURITY)
GROUPS["Telemetry"] = TELEMETRY
SERVICE: Object = {"group": "", "kind": "Service", "name": "reviews"}


def create(item: Object) -> Object:
    """The object as a guarded store keeps it."""
    store = Store()
    guard(store)
    return store.create(find(item["kind"], GROUPS.get(item["kind"], GATEWAY_API)), item)


def refusal(item: Object) -> ApiError:
    """The error with which a guarded store refuses the object."""
    with pytest.raises(ApiError) as caught:
        create(item)
    return caught.value


def rules(*parts: Object, action: str = "ALLOW", **more: object) -> Object:
    """An AuthorizationPolicy named p with those rules."""
    return policy("p", {"action": action, "rules": list(parts), **more})


def custom(*parts: Object, **more: object) -> Object:
    """One that leaves it to an authorizer."""
    return rules(*parts, action="CUSTOM", **{"provider": {"name": "x"}, **more})


@pytest.mark.parametrize(
    "item", [bare(each["object"]) for each in recorded("policies")], ids=lambda each: each["metadata"]["name"]
)
def test_recorded_policies_are_accepted(item: Object) -> None:
    """Whatever a real mesh was seen to accept is accepted, a principal with its scheme included."""
    assert create(item)["spec"] == item["spec"]


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
        (
            peer("p", {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {}}),
            "port level mTLS, if defined, must have at least one element",
        ),
    ],
)
def test_mistakes_are_denied_as_by_istios_webhook(item: Object, message: str) -> None:
    """400 with the webhook's opening words and the mistake."""
    error = refusal(item)
    assert (error.status, error.reason) == (400, "BadRequest")
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
    ],
)
def test_mistakes_that_istios_definitions_tell_of(item: Object, message: str) -> None:
    """422 by the rules of the definitions: the API says it before any webhook is asked."""
    error = refusal(item)
    assert (error.status, error.reason) == (422, "Invalid")
    assert error.message.endswith(f'"p" is invalid: {message}')


def test_denial_is_pinned_whole() -> None:
    """The text that kubectl shows, all of it."""
    assert refusal(policy("deny", {"action": "DENY"})).message == (
        'admission webhook "validation.istio.io" denied the request: configuration is invalid: 1 error occurred:\n'
        "\t* invalid policy deny.bookinfo: DENY action without `rules` is meaningless as it will never be triggered, "
        "add an empty rule `{}` if you want it be triggered for every request\n\n"
    )


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
        (
            route("r", [{"matches": [{"path": {"type": "RegularExpression", "value": "("}}]}]),
            "spec.rules[0].matches[0].path.value",
            'Invalid value: "(": not a regular expression',
        ),
    ],
)
def test_wrong_values_are_invalid(item: Object, field: str, message: str) -> None:
    """422 with the field's path and the API's words for it."""
    error = refusal(item)
    assert (error.status, error.reason) == (422, "Invalid")
    assert f"is invalid: {field}: {message}" in error.message
    assert error.details["causes"][0]["field"] == field


def gateway(**spec: object) -> Object:
    """A waypoint Gateway with other fields."""
    item = waypoint_objects()[0]
    item["spec"] |= spec
    return item


EXTERNAL_NAME = gateway(gatewayClassName="istio")
EXTERNAL_NAME["metadata"]["annotations"] = {"networking.istio.io/service-type": "ExternalName"}


LISTENER: Object = {"name": "mesh", "port": 15008, "protocol": "HBONE"}


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (
            route("r", [{"filters": [{"type": "ExtensionRef", "extensionRef": {}}]}]),
            "spec.rules[0].filters[0].extensionRef",
        ),
        (
            route("r", [{"backendRefs": [{"name": "a", "port": 1, "filters": [{"type": "CORS", "cors": {}}]}]}]),
            "spec.rules[0].backendRefs[0].filters[0].cors",
        ),
        (route("r", [{}], {"name": "mesh", "kind": "Mesh"}), "spec.parentRefs[0].kind"),
        (gateway(gatewayClassName="istio-remote"), "spec.gatewayClassName"),
        (EXTERNAL_NAME, "metadata.annotations[networking.istio.io/service-type]"),
        (gateway(gatewayClassName="istio"), "spec.listeners[0].protocol"),
        (gateway(addresses=[{"value": "1.2.3.4"}]), "spec.addresses"),
        (gateway(listeners=[LISTENER | {"tls": {}}]), "spec.listeners[0].tls"),
    ],
)
def test_what_the_mesh_does_not_carry_out_is_refused_by_name(item: Object, field: str) -> None:
    """Never ignored in silence: the field's path and what is missing are named."""
    error = refusal(item)
    assert (error.status, error.reason) == (422, "Invalid")
    assert f"{field}: Forbidden: the embedded mesh does not implement " in error.message
    assert error.message.endswith("; see the README's list of what it implements") or "]" in error.message


def authentication(**rule: object) -> Object:
    """A RequestAuthentication with one rule."""
    return policy("jwt", {"jwtRules": [{"issuer": "x", **rule}]}) | {"kind": "RequestAuthentication"}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"jwks": '{"keys": []}', "jwksUri": "http://a/b"}, 'spec.jwtRules[0]: Invalid value: "object": only one of'),
        ({"jwks": "none"}, "jwks parse error: failed to unmarshal JWK set"),
        ({"jwksUri": "ftp://a/b"}, "url must have scheme http:// or https://"),
        ({"issuer": ""}, "issuer or jwksUri must be non-empty string"),
        ({"timeout": "1s"}, "does not implement the timeout of a key set's fetch"),
    ],
)
def test_mistakes_about_tokens(rule: Object, message: str) -> None:
    """What is wrong with a rule, or beyond this mesh, is refused by name; the rest is accepted."""
    assert message in refusal(authentication(**rule)).message
    assert create(authentication(jwks='{"keys": []}', forwardOriginalToken=True))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"accessLogging": [{"providers": [{"name": "otel"}]}]}, "does not implement the access log provider 'otel'"),
        ({"accessLogging": [{"filter": {"expression": "true"}}]}, "does not implement filters of the access log"),
        ({"tracing": [{"customTags": {}}]}, "does not implement tags of one's own in traces"),
        ({"metrics": [{}]}, "does not implement changes of metrics"),
    ],
)
def test_telemetry_beyond_logs_and_traces_is_refused(spec: Object, message: str) -> None:
    """Only the access log and traces are switched."""
    telemetry = {"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry"}
    assert message in refusal(policy("t", spec) | telemetry).message
    assert create(policy("t", {"accessLogging": [{"disabled": True}], "tracing": [{}]}) | telemetry)


def test_a_tracer_that_is_not_zipkins_is_refused() -> None:
    """One that is there; an unknown one is accepted and gets nothing, as with Istio."""
    store = Store()
    guard(store)
    config = "extensionProviders: [{name: otel, opentelemetry: {}}, {name: zipkin, zipkin: {port: 9411}}]"
    meta = {"name": "istio", "namespace": "istio-system"}
    store.create(find("ConfigMap"), {"metadata": meta, "data": {"mesh": config}})
    for name in ("zipkin", "unknown"):
        store.create(find("Telemetry", TELEMETRY), _tracing(name))
    with pytest.raises(ApiError) as caught:
        store.create(find("Telemetry", TELEMETRY), _tracing("otel"))
    assert caught.value.message.endswith(
        "spec.tracing[0].providers[0].name: Forbidden: the embedded mesh does not implement the tracing provider "
        "'otel', which is not of kind zipkin; see the README's list of what it implements"
    )


def _tracing(name: str) -> Object:
    return policy(name, {"tracing": [{"providers": [{"name": name}]}]}) | {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
    }


def test_route_defaults_are_those_of_the_recording() -> None:
    """A route written tersely is stored as a real API server stored it."""
    stored = recorded("routes")[0]["spec"]
    parents = [{"group": "", "kind": "Service", "name": "reviews", "port": 9080}]
    terse = route(
        "reviews",
        [
            {
                "matches": [{"headers": [{"name": "end-user", "value": "jason"}]}],
                "backendRefs": [{"name": "reviews-v2", "port": 9080}],
            },
            {"backendRefs": [{"name": "reviews-v1", "port": 9080}]},
        ],
        parents[0],
    )
    assert create(terse)["spec"] == stored


def test_gateway_defaults_are_those_of_the_recording() -> None:
    """A listener says that it takes routes of its own namespace, and a new Gateway that it waits for its controller."""
    kept = create(waypoint_objects()[0])
    assert kept["spec"]["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    assert [each["type"] for each in kept["status"]["conditions"]] == ["Accepted", "Programmed"]


@pytest.mark.parametrize(
    ("rule", "warned"),
    [
        ({"to": [{"operation": {"methods": ["GET"]}}]}, True),
        ({"from": [{"source": {"principals": ["a"]}}], "to": [{"operation": {"methods": ["GET"]}}]}, True),
        ({"to": [{"operation": {"paths": ["/a"], "ports": ["9080"]}}]}, False),
        ({"when": [{"key": "request.headers[x-test]", "values": ["bad"]}]}, False),
        ({"from": [{"source": {"remoteIpBlocks": ["10.0.0.1"]}}]}, False),
    ],
)
def test_warning_about_tcp_ports_as_recorded(rule: Object, warned: bool) -> None:
    """A DENY rule that asks only HTTP attributes is warned about, in the cases in which istiod was seen to warn."""
    assert len(warnings(rules(rule, action="DENY"))) == warned
    assert warnings(rules(rule)) == []


def test_warning_about_a_selector_without_labels() -> None:
    """Such a selector chooses every pod, which is seldom meant."""
    assert warnings(rules({}, selector={})) == ["workload selector specified without labels"]
    assert warnings(peer("p", {"selector": {"matchLabels": {}}})) == ["workload selector specified without labels"]
    assert warnings(rules({}, selector={"matchLabels": {"app": "a"}})) == []
