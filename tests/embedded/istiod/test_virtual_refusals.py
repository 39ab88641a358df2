"""What is refused of VirtualServices and DestinationRules, or warned of: in Istio's words, or as not carried out."""

import pytest

from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.istiod.validate import guard, warnings
from pytest_ambient.embedded.istiod.view import NETWORKING
from pytest_ambient.embedded.objects import Object
from tests.embedded.istiod.virtual import TO, connections, pooled, refusal, rule_for, virtual


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (virtual({"route": [TO], "delegate": {"name": "x"}}), "spec.http[0].delegate"),
        (virtual({"redirect": {"uri": "/", "redirectCode": 304}}), "spec.http[0].redirect.redirectCode"),
        (rule_for("a", trafficPolicy={"tls": {"mode": "SIMPLE"}}), "spec.trafficPolicy.tls.mode"),
        (
            rule_for("a", trafficPolicy={"portLevelSettings": [{"tls": {"mode": "MUTUAL"}}]}),
            "spec.trafficPolicy.portLevelSettings[0].tls.mode",
        ),
        (
            rule_for("a", subsets=[{"name": "b", "trafficPolicy": {"loadBalancer": {"simple": "PASSTHROUGH"}}}]),
            "spec.subsets[0].trafficPolicy.loadBalancer.simple",
        ),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(item: Object, field: str) -> None:
    """422 with the field and what is missing, never silence."""
    error = refusal(item)
    assert (error.status, error.details["causes"][0]["field"]) == (422, field)
    assert "the embedded mesh does not implement" in error.message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (virtual(), "http, tcp or tls must be provided in virtual service"),
        (virtual({"route": [TO]}, hosts=["*"]), "wildcard host * is not allowed"),
        (
            virtual({"match": [{"headers": {"@request.auth.claims.group": {"exact": "a"}}}], "route": [TO]}),
            "invalid: JWT claim based routing (key: @request.auth.claims.group) is only supported for gateway, "
            "found no gateways: []",
        ),
        (
            rule_for("a", exportTo=["~"]),
            "invalid: exportTo ~ (none) is not allowed for Istio configuration objects",
        ),
        (virtual({"route": [TO]}, hosts=["a", "a"]), "duplicate hosts in virtual service: a & a"),
        (virtual({"route": [TO]}, hosts=["*.com", "a.com"]), "duplicate hosts in virtual service: *.com & a.com"),
        (virtual({"route": [TO]}, hosts=["a b"]), 'invalid: domain name "a b" invalid (label "a b" invalid)'),
        (
            virtual({"redirect": {"redirectCode": 200}}),
            "invalid: redirect must specify URI, authority, scheme, or port",
        ),
        (virtual({"match": [{"headers": {"": {}}}], "route": [TO]}), "header name cannot be empty"),
        (virtual({"route": [TO], "headers": {"request": {"set": {"": "a"}}}}), "header name cannot be empty"),
        (virtual({"route": [TO], "corsPolicy": {"allowOrigins": [{}]}}), "'' is not a valid match type for CORS allow"),
        (virtual({"route": [TO], "corsPolicy": {"maxAge": "1.5s"}}), "max_age duration is accurate only to seconds"),
        ({**rule_for("a"), "spec": {"host": "a b"}}, 'domain name "a b" invalid (label "a b" invalid)'),
        (rule_for("a", subsets=[{"name": "b", "labels": {"a b": "c"}}]), 'invalid tag key: "a b"'),
        (rule_for("a", trafficPolicy={"outlierDetection": {"minHealthPercent": -1}}), "percentage -1 is not in range"),
        (virtual({}), "HTTP route, redirect or direct_response is required"),
        (virtual({"route": [TO], "redirect": {"uri": "/"}}), "HTTP route cannot contain both route and redirect"),
        (virtual({"redirect": {}}), "redirect must specify URI, authority, scheme, or port"),
        (virtual({"route": [TO, TO]}), "total destination weight = 0"),
        (virtual({"route": [TO], "retries": {"retryOn": "5xx"}}), "http retry policy configured when attempts are set"),
        (virtual({"route": [TO], "fault": {"abort": {"httpStatus": 1}}}), "HTTP status 1 is not in range 200-599"),
        (
            virtual({"route": [TO], "fault": {"abort": {"grpcStatus": "CANCELED"}}}),
            'gRPC status "CANCELED" is not supported. See https://github.com/grpc/grpc/blob/master/doc/statuscodes.md '
            "for a list of supported codes, for example 'NOT_FOUND'",
        ),
        (virtual({"route": [TO], "fault": {}}), "HTTP fault injection must have an abort and/or a delay"),
        (
            virtual({"route": [TO], "fault": {"abort": {"httpStatus": 500, "percentage": {"value": 101}}}}),
            "percentage 101 is neither 0.0, nor in range [0.0001, 100.0]",
        ),
        (virtual({"route": [TO | {"weight": -1}]}), "weight -1 < 0"),
        (virtual({"route": [{"destination": {"host": "a", "subset": "A_b"}}]}), "subset name is invalid: A_b"),
        (
            virtual({"route": [{"destination": {"host": "a", "port": {"number": 70000}}}]}),
            "port number 70000 must be in the range 1..65535",
        ),
        (virtual({"match": [{"headers": {"a b": {}}}], "route": [TO]}), "header name a b is not a valid header name"),
        (virtual({"match": [{"uri": {"regex": "("}}], "route": [TO]}), '"uri": error parsing regexp: '),
        (virtual({"route": [TO], "retries": {"attempts": 1, "retryOn": "x,503"}}), '"x" is not a valid retryOn policy'),
        (virtual({"route": [TO], "corsPolicy": {"allowMethods": ["X"]}}), '"X" is not a supported HTTP method'),
        (virtual({"directResponse": {"status": 99}}), "HTTP status 99 is not in range 200-599"),
        (virtual({"route": [TO], "rewrite": {}}), "rewrite must specify at least one of URI, UriRegexRewrite"),
        (
            virtual({"route": [TO], "rewrite": {"uri": "/", "uriRegexRewrite": {"match": "a"}}}),
            "rewrite may only contain one of URI or UriRegexRewrite",
        ),
        (
            virtual({"route": [TO], "mirror": {"host": "a"}, "mirrorPercentage": {"value": 200}}),
            "mirror_percentage must have a max value of 100 (it has 200.000000)",
        ),
        (rule_for("a", subsets=[{"name": "b"}, {"name": "b"}]), "duplicate subset names: b"),
        (rule_for("a", subsets=[{"name": "V_1"}]), "subset name is invalid: V_1"),
        (rule_for("a", trafficPolicy={}), "traffic policy must have at least one field"),
        (rule_for("a", trafficPolicy={"connectionPool": {}}), "connection pool must have at least one field"),
        (
            rule_for("a", trafficPolicy={"connectionPool": {"tcp": {"maxConnections": -1}}}),
            "max connections must be non-negative",
        ),
        (
            rule_for("a", trafficPolicy={"outlierDetection": {"maxEjectionPercent": 200}}),
            "percentage 200 is not in range 0..100",
        ),
        (
            rule_for("a", trafficPolicy={"outlierDetection": {"consecutiveLocalOriginFailures": 1}}),
            "local origin failures is specified, but split external local origin errors is set to false",
        ),
        (
            pooled({"http": {"h2UpgradePolicy": "UPGRADE", "useClientProtocol": True}}),
            "use client protocol must not be true when H2UpgradePolicy is UPGRADE",
        ),
        (pooled({"http": {"maxConcurrentStreams": -1}}), "max concurrent streams must be non-negative"),
        (pooled({"tcp": {"idleTimeout": "1500us"}}), "only durations to ms precision are supported"),
        (pooled({"tcp": {"idleTimeout": "-1s"}}), "duration must be greater than 1ms"),
        (pooled({"tcp": {"idleTimeout": "soon"}}), 'bad Duration: time: invalid duration "soon"'),
        (pooled({"http": {"idleTimeout": "1500us"}}), "only durations to ms precision are supported"),
        (pooled({"tcp": {"maxConnectionDuration": "1500us"}}), "only durations to ms precision are supported"),
        (pooled({"tcp": {"tcpKeepalive": {"time": "1500us"}}}), "only durations to ms precision are supported"),
        (
            rule_for("a", trafficPolicy={"loadBalancer": {"consistentHash": {"httpCookie": {"ttl": "0s"}}}}),
            "name required for HttpCookie",
        ),
        (
            rule_for("a", trafficPolicy={"portLevelSettings": [{"loadBalancer": {"simple": "RANDOM"}}]}),
            "portTrafficPolicy must have valid port",
        ),
        (
            rule_for("a", trafficPolicy={"portLevelSettings": [{"port": {"number": 1}}]}),
            "port traffic policy must have at least one field",
        ),
    ],
)
def test_mistakes_are_denied_as_by_istios_webhook(item: Object, message: str) -> None:
    """400 in the webhook's words."""
    error = refusal(item)
    assert (error.status, error.reason) == (400, "")
    assert message in error.message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (connections({"route": []}), "TCP route is required"),
        (connections({"route": [TO, TO]}), "total destination weight = 0"),
        (
            connections({"match": [{"destinationSubnets": ["10.0.0.0/8"]}], "route": [TO]}),
            "of a connection's destination",
        ),
        (connections({"match": [{"sourceSubnet": "10.0.0.0/8"}], "route": [TO]}), "matches of a caller's address"),
    ],
)
def test_what_is_refused_of_rules_for_connections(item: Object, message: str) -> None:
    """In Istio's words what is wrong, by name what is not carried out."""
    assert message in refusal(item).message


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (virtual({"route": [TO], "timeout": "0s"}), "spec.http[0].timeout"),
        (
            virtual({"route": [TO], "retries": {"attempts": 1, "perTryTimeout": "1us"}}),
            "spec.http[0].retries.perTryTimeout",
        ),
        (
            rule_for("a", trafficPolicy={"outlierDetection": {"interval": "1us"}}),
            "spec.trafficPolicy.outlierDetection.interval",
        ),
        (
            pooled({"tcp": {"maxConnectionDuration": "0s"}}),
            "spec.trafficPolicy.connectionPool.tcp.maxConnectionDuration",
        ),
        (pooled({"http": {"idleTimeout": "0s"}}), "spec.trafficPolicy.connectionPool.http.idleTimeout"),
        (
            pooled({"tcp": {"tcpKeepalive": {"time": "0s"}}}),
            "spec.trafficPolicy.connectionPool.tcp.tcpKeepalive.time",
        ),
    ],
)
def test_durations_are_a_millisecond_at_least(item: Object, field: str) -> None:
    """By the rules of Istio's definitions."""
    why = 'Invalid value: "string": must be a valid duration greater than 1ms'
    assert f"{field}: {why}" in refusal(item).message


def test_warning_about_a_field_that_does_nothing() -> None:
    """Errors in a row are counted by newer fields; of the policies of ports nobody is warned."""
    old: Object = {"outlierDetection": {"consecutiveErrors": 5}}
    told = "outlier detection consecutive errors is deprecated, use consecutiveGatewayErrors or consecutive5xxErrors"
    assert warnings(rule_for("a", trafficPolicy=old)) == [f"{told} instead"]
    assert warnings(rule_for("a", trafficPolicy={"portLevelSettings": [{"port": {"number": 1}, **old}]})) == []


def test_warning_about_rules_that_no_request_comes_to() -> None:
    """Behind a rule without a match nothing is reached, nor by a match that stands before."""
    one: Object = {"match": [{"uri": {"prefix": "/"}}], "route": [TO]}
    not_used = "virtualService rule #1 not used"
    assert warnings(virtual({"route": [TO]}, one)) == [f"{not_used} (route without matches defined before)"]
    assert warnings(virtual({"route": [TO]}, {"route": [TO]})) == [
        f"{not_used} (only the last rule can have no matches)"
    ]
    assert warnings(virtual(one | {"name": "x"}, one)) == [
        'virtualService rule #1 match #0 is not used (duplicate/overlapping match in rule "x")',
        f"{not_used} (all matches used by prior rules)",
    ]
    assert warnings(virtual({"match": [{}], "route": [TO]}, {"route": [TO]})) == []


def test_one_without_hosts_is_for_others_to_delegate_to() -> None:
    """It has no gateways then."""
    item = virtual({"route": [TO]}, hosts=[])
    store = Store()
    guard(store)
    assert store.create(find("VirtualService", NETWORKING), item)
    item["spec"]["gateways"] = ["mesh"]
    assert "delegate virtual service must have no gateways" in refusal(item).message
