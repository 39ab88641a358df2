"""What is refused of Gateways, tokens and Telemetry, or filled in and warned of."""

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.istiod.validate import guard, warnings
from pytest_ambient.embedded.istiod.view import TELEMETRY
from pytest_ambient.embedded.objects import Object
from tests.embedded.istiod.validating import authentication, create, gateway, refusal, rules

from .world import peer, policy, recorded, route, waypoint_objects

EXTERNAL_NAME = gateway(gatewayClassName="istio")
EXTERNAL_NAME["metadata"]["annotations"] = {"networking.istio.io/service-type": "ExternalName"}

LISTENER: Object = {"name": "mesh", "port": 15008, "protocol": "HBONE"}


SHOWN: Object = {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": "books"}]}


def entry(*listeners: Object) -> Object:
    """An ingress gateway with these listeners."""
    named = [{"name": f"l{number}", "port": 443} | each for number, each in enumerate(listeners)]
    return gateway(gatewayClassName="istio", listeners=named)


def annotated(name: str) -> Object:
    """A Gateway with an annotation."""
    made = entry({"protocol": "HTTP"})
    made["metadata"]["annotations"] = {name: "other"}
    return made


def twice(*sections: Object) -> Object:
    """A route with one parent several times."""
    item = route("r", [{}])
    item["spec"]["parentRefs"] = [item["spec"]["parentRefs"][0] | each for each in sections]
    return item


def by_path(value: str) -> Object:
    """A route by that path."""
    return route("r", [{"matches": [{"path": {"type": "Exact", "value": value}}]}])


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
        (annotated("gateway.istio.io/name-override"), "metadata.annotations[gateway.istio.io/name-override]"),
        (annotated("gateway.istio.io/service-account"), "metadata.annotations[gateway.istio.io/service-account]"),
        (EXTERNAL_NAME, "metadata.annotations[networking.istio.io/service-type]"),
        (gateway(gatewayClassName="istio"), "spec.listeners[0].protocol"),
        (gateway(addresses=[{"value": "1.2.3.4"}]), "spec.addresses"),
        (gateway(listeners=[LISTENER | {"tls": SHOWN}]), "spec.listeners[0].tls"),
        (entry({"tls": SHOWN, "protocol": "TLS"}), "spec.listeners[0].protocol"),
        (entry({"protocol": "HTTPS"}), "spec.listeners[0].tls"),
        (entry({"tls": SHOWN | {"options": {"a/b": "c"}}, "protocol": "HTTPS"}), "spec.listeners[0].tls.options"),
    ],
)
def test_what_the_mesh_does_not_carry_out_is_refused_by_name(item: Object, field: str) -> None:
    """Never ignored in silence: the field's path and what is missing are named."""
    error = refusal(item)
    assert (error.status, error.reason) == (422, "Invalid")
    assert f"{field}: Forbidden: the embedded mesh does not implement " in error.message
    assert error.message.endswith("; see the README's list of what it implements") or "]" in error.message


@pytest.mark.parametrize(
    ("listener", "message"),
    [
        ({"protocol": "HTTP", "tls": SHOWN}, "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"),
        ({"protocol": "HTTPS", "tls": {"mode": "Passthrough"}}, "tls mode must be Terminate for protocol HTTPS"),
        ({"protocol": "TLS"}, "tls mode must be set for protocol TLS"),
    ],
)
def test_tls_and_protocol_go_together(listener: Object, message: str) -> None:
    """By the rules of the Gateway API's definitions."""
    assert f'spec.listeners: Invalid value: "array": {message}' in refusal(entry(listener)).message


def test_a_listener_that_ends_tls_names_a_certificate() -> None:
    """Or options, which are another matter; with one it is taken."""
    message = refusal(entry({"protocol": "HTTPS", "tls": {"mode": "Terminate"}})).message
    why = "certificateRefs or options must be specified when mode is Terminate"
    assert f'spec.listeners[0].tls: Invalid value: "object": {why}' in message
    create(entry({"protocol": "HTTPS", "tls": SHOWN}, {"protocol": "HTTPS", "tls": SHOWN, "hostname": "a.example"}))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"jwks": '{"keys": []}', "jwksUri": "http://a/b"}, 'spec.jwtRules[0]: Invalid value: "object": only one of'),
        ({"jwks": "none"}, "jwks parse error: failed to unmarshal JWK set"),
        ({"jwksUri": "ftp://a/b"}, "url must have scheme http:// or https://"),
        ({"issuer": ""}, "issuer or jwksUri must be non-empty string"),
        ({"timeout": "1us"}, 'spec.jwtRules[0].timeout: Invalid value: "string": must be a valid duration'),
        ({"timeout": "1500us"}, "1 error occurred:\n\t* only durations to ms precision are supported"),
        ({"jwks_uri": "http://a/b"}, "does not implement jwks_uri, the old name of jwksUri"),
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
        (
            {"accessLogging": [{"filter": {"expression": "response.code >"}}]},
            "must be a valid CEL expression, ERROR: <input>:1:16: Syntax error at '<EOF>'",
        ),
        ({"accessLogging": [{"filter": {}}]}, "must be a valid CEL expression, ERROR: <input>:1:1: Syntax error"),
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


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (gateway(listeners=[LISTENER, LISTENER]), "Listener name must be unique within the Gateway"),
        (
            gateway(listeners=[LISTENER, LISTENER | {"name": "x"}]),
            "Combination of port, protocol and hostname must be unique",
        ),
        (
            gateway(infrastructure={"labels": {"a b": "c"}}),
            "Label keys must be in the form of an optional DNS subdomain",
        ),
        (gateway(infrastructure={"annotations": {"/b": "c"}}), "Annotation keys must be in the form of"),
        (twice({}, {}), "sectionName must be unique when parentRefs includes 2 or more references"),
        (twice({}, {"sectionName": "a"}), "sectionName must be specified when parentRefs"),
        (by_path("/a//b"), "must not contain '//' when type one of ['Exact', 'PathPrefix']"),
        (by_path("/a/../b"), "must not contain '/../' when type one of"),
        (by_path("/a/.."), "must not end with '/..' when type one of"),
        (by_path("/a b"), "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a"),
    ],
)
def test_what_the_gateway_apis_definitions_tell_of(item: Object, told: str) -> None:
    """Seen on a real cluster, word for word."""
    assert told in refusal(item).message


def test_a_status_that_is_none_for_a_redirect_keeps_rules_from_being_looked_at() -> None:
    """As every value that a definition lists and this is not among."""
    wrong = {"type": "RequestRedirect", "requestRedirect": {"statusCode": 200}}
    assert "some validation rules were not checked" in refusal(route("r", [{"filters": [wrong]}])).message


def test_what_the_gateway_apis_definitions_let_pass() -> None:
    """Sections of one parent, listeners of one port with different hosts, expressions with what paths may not have."""
    assert create(twice({"sectionName": "a"}, {"sectionName": "b"}))
    listeners = [LISTENER, *({"name": each, "port": 80, "protocol": "HTTP", "hostname": each} for each in ("a", "b"))]
    assert create(gateway(listeners=listeners, infrastructure={"labels": {"example.com/a_b": "c"}}))
    assert create(route("r", [{"matches": [{"path": {"type": "RegularExpression", "value": "//a#"}}]}]))
