"""VirtualServices and DestinationRules as waypoints get them, and what is refused of them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.istiod.binding import gates
from pytest_ambient.embedded.istiod.destination_model import Hash
from pytest_ambient.embedded.istiod.destination_rules import destinations
from pytest_ambient.embedded.istiod.model import (
    Backend,
    Cors,
    Destination,
    Ejection,
    HeaderChange,
    HeaderMatch,
    Injection,
    Mirror,
    Policy,
    Redirect,
    Retries,
    Rewrite,
    Route,
    RouteMatch,
    RouteRule,
    Subset,
)
from pytest_ambient.embedded.istiod.routes import routes_by_service
from pytest_ambient.embedded.istiod.validate import guard, warnings
from pytest_ambient.embedded.istiod.view import NETWORKING, View
from pytest_ambient.embedded.objects import Object

from .world import USE_WAYPOINT, meta, namespace, route, service, waypoint_objects

TO: Object = {"destination": {"host": "reviews"}}
OWN = Backend("bookinfo/reviews", 9080)
EVERYTHING = (RouteMatch(path_kind="Prefix"),)


def virtual(*rules: Object, hosts: Sequence[str] = ("reviews",), name: str = "v", space: str = "bookinfo") -> Object:
    """A VirtualService."""
    spec = {"hosts": list(hosts), "http": list(rules)}
    return {"apiVersion": f"{NETWORKING}/v1", "kind": "VirtualService", "metadata": meta(name, space), "spec": spec}


def rule_for(host: str, space: str = "bookinfo", **spec: object) -> Object:
    """A DestinationRule."""
    spec = {"host": host, **spec}
    return {"apiVersion": f"{NETWORKING}/v1", "kind": "DestinationRule", "metadata": meta(host, space), "spec": spec}


def seen(*items: Object) -> View:
    """Services reviews and ratings, bound to a waypoint in namespace other, and these objects."""
    gateway, own = waypoint_objects("way", "other")
    gateway["spec"]["listeners"][0]["allowedRoutes"] = {"namespaces": {"from": "All"}}
    labels = {USE_WAYPOINT: "way", "istio.io/use-waypoint-namespace": "other"}
    return View(
        [namespace("bookinfo"), namespace("other")],
        [service("reviews", labels=labels), service("ratings", labels=labels), own],
        gateways=[gateway],
        routes=[each for each in items if each["kind"] == "HTTPRoute"],
        virtual_services=[each for each in items if each["kind"] == "VirtualService"],
        destination_rules=[each for each in items if each["kind"] == "DestinationRule"],
    )


def routes(*items: Object) -> tuple[Route, ...]:
    """The routes of Service reviews."""
    view = seen(*items)
    return routes_by_service(view, gates(view)).get("bookinfo/reviews", ())


def rule(**asked: object) -> RouteRule:
    """The only rule, as the waypoint gets it."""
    return routes(virtual({"route": [TO], **asked}))[0].rules[0]


def said(*items: Object) -> Destination | None:
    """What DestinationRules say of Service reviews."""
    view = seen(*items)
    return destinations(view, gates(view)).get("bookinfo/reviews")


def test_plain_rule_takes_everything_to_the_service_itself() -> None:
    """A destination without a port is the Service's only one, one that stands alone gets everything."""
    assert routes(virtual({"route": [TO]})) == (
        Route("v", "bookinfo", meta("v")["creationTimestamp"], 9080, (RouteRule(EVERYTHING, (OWN,)),), virtual=True),
    )


@pytest.mark.parametrize(
    ("hosts", "space", "known"),
    [
        (["reviews"], "bookinfo", True),
        (["reviews.bookinfo.svc.cluster.local"], "other", True),
        (["*.bookinfo.svc.cluster.local"], "other", True),
        (["reviews"], "other", False),
        (["reviews.bookinfo"], "bookinfo", False),
        (["reviews.bookinfo.svc.cluster.local"], "third", False),
    ],
)
def test_hosts(hosts: list[str], space: str, known: bool) -> None:
    """A short name is one of the own namespace, a name with a dot a full one; only the Service's and the waypoint's
    namespaces count."""
    assert bool(routes(virtual({"route": [TO]}, hosts=hosts, space=space))) is known


def test_matches() -> None:
    """All kinds of matches, also of the method and by what is not there."""
    asked = {
        "name": "m",
        "uri": {"regex": "/a.*"},
        "ignoreUriCase": True,
        "headers": {"x": {"prefix": "1"}, "here": {}},
        "withoutHeaders": {"y": {"exact": "2"}},
        "method": {"exact": "GET"},
        "queryParams": {"q": {"regex": "*"}},
    }
    assert rule(match=[asked]).matches == (
        RouteMatch(
            "/a.*",
            "RegularExpression",
            (
                HeaderMatch("here", "", "Present"),
                HeaderMatch("x", "1", "Prefix"),
                HeaderMatch("y", "2", inverted=True),
                HeaderMatch(":method", "GET"),
            ),
            (HeaderMatch("q", "", "Present"),),
            ignore_case=True,
            name="m",
        ),
    )


def test_what_nobody_can_match_is_left_out() -> None:
    """Matches of a caller's labels, of another port and of gateways, and whatever stands behind a rule for all."""
    nobody = [{"sourceLabels": {"a": "b"}}, {"port": 80}, {"gateways": ["g"]}]
    rules: list[Object] = [
        {"match": nobody, "route": [TO]},
        {"match": [{"port": 9080}], "route": [TO]},
        {"route": [TO]},
    ]
    assert [each.matches for each in routes(virtual(*rules))[0].rules] == [EVERYTHING]
    assert routes(virtual({"match": nobody, "route": [TO]})) == ()


def test_destinations() -> None:
    """Weights, subsets, ports, headers; a host that nobody knows stays a name."""
    written = [
        {"destination": {"host": "ratings", "subset": "v1", "port": {"number": 80}}, "weight": 3},
        {"destination": {"host": "nosuch"}, "headers": {"response": {"add": {"b": "2", "a": "1"}}}},
    ]
    assert rule(route=written).backends == (
        Backend("bookinfo/ratings", 80, 3, subset="v1"),
        Backend(
            None,
            9080,
            0,
            response_headers=HeaderChange(add=(("a", "1"), ("b", "2"))),
            missing="nosuch.bookinfo.svc.cluster.local",
        ),
    )


@pytest.mark.parametrize(
    ("asked", "field", "wanted"),
    [
        ({"redirect": {"uri": "/x"}, "route": []}, "redirect", Redirect(301, path="/x")),
        (
            {"redirect": {"authority": "h", "redirectCode": 307, "derivePort": "FROM_REQUEST_PORT"}, "route": []},
            "redirect",
            Redirect(307, "h", port="asked"),
        ),
        ({"directResponse": {"status": 403, "body": {"string": "no"}}, "route": []}, "direct_body", "no"),
        ({"rewrite": {"uri": "/x", "authority": "h"}}, "rewrite", Rewrite("/x", host="h")),
        ({"rewrite": {"uriRegexRewrite": {"match": "a", "rewrite": "b"}}}, "rewrite", Rewrite(expression=("a", "b"))),
        ({"timeout": "1.5s"}, "request_timeout", 1.5),
        ({"retries": {"attempts": 0}}, "retries", Retries(0)),
        (
            {
                "retries": {
                    "attempts": 3,
                    "perTryTimeout": "2s",
                    "retryOn": "5xx, 404",
                    "retryIgnorePreviousHosts": False,
                }
            },
            "retries",
            Retries(3, "5xx", (404,), 2.0, other_hosts=False),
        ),
        (
            {"fault": {"delay": {"fixedDelay": "2s", "percentage": {"value": 12.5}}, "abort": {"httpStatus": 418}}},
            "injection",
            Injection(2.0, 12.5, 418, 0),
        ),
        ({"mirror": {"host": "ratings"}}, "mirrors", (Mirror(Backend("bookinfo/ratings", 9080)),)),
        (
            {"mirrors": [{"destination": {"host": "ratings"}, "percentage": {"value": 10}}]},
            "mirrors",
            (Mirror(Backend("bookinfo/ratings", 9080), 10),),
        ),
        (
            {"corsPolicy": {"allowOrigins": [{"exact": "http://a"}], "maxAge": "24h", "unmatchedPreflights": "IGNORE"}},
            "cors",
            Cors((HeaderMatch("", "http://a"),), max_age=86400),
        ),
        ({"corsPolicy": {"allowOrigin": ["http://a"]}}, "cors", Cors((HeaderMatch("", "http://a"),), forwards=True)),
    ],
)
def test_rule(asked: Object, field: str, wanted: object) -> None:
    """Each part of a rule reaches the waypoint."""
    assert getattr(rule(**asked), field) == wanted


def test_http_routes_and_virtual_services_are_both_known() -> None:
    """Both kinds on one Service reach its waypoint, the oldest first."""
    found = routes(virtual({"route": [TO]}, name="a"), route("b", [{}]))
    assert [(each.name, each.virtual) for each in found] == [("a", True), ("b", False)]


def test_destination_rule() -> None:
    """Subsets have their own policy or that of all; limits and ejection are carried over."""
    policy = {
        "loadBalancer": {"simple": "RANDOM"},
        "connectionPool": {
            "tcp": {"maxConnections": 1, "connectTimeout": "2s"},
            "http": {
                "http1MaxPendingRequests": 3,
                "http2MaxRequests": 4,
                "maxRetries": 5,
                "maxRequestsPerConnection": 6,
            },
        },
    }
    ejecting = {"outlierDetection": {"consecutive5xxErrors": 0, "baseEjectionTime": "3m", "minHealthPercent": 10}}
    subsets = [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "trafficPolicy": ejecting}]
    whole = Policy("RANDOM", 1, 3, 4, 5, 6, 2.0)
    ejection = Ejection(errors=0, base_time=180.0, min_health=10)
    assert said(rule_for("reviews", trafficPolicy=policy, subsets=subsets)) == Destination(
        whole,
        {
            "v1": Subset({"version": "v1"}, whole),
            "v2": Subset({}, Policy("RANDOM", 1, 3, 4, 5, 6, 2.0, ejection)),
        },
    )


def test_ports_have_a_policy_of_their_own() -> None:
    """It inherits nothing; a subset's word for the port is the last, then its own, then the port's."""
    random, robin = ({"loadBalancer": {"simple": each}} for each in ("RANDOM", "ROUND_ROBIN"))
    pool = {"connectionPool": {"tcp": {"maxConnections": 1}}}
    port = {"port": {"number": 9080}, **pool}
    subsets = [
        {"name": "v1", "trafficPolicy": robin},
        {"name": "v2", "trafficPolicy": {"portLevelSettings": [{"port": {"number": 9080}, **robin}]}},
    ]
    found = said(rule_for("reviews", trafficPolicy={**random, "portLevelSettings": [port]}, subsets=subsets))
    assert found is not None
    seen = {(name, number): found.chosen(name, number) for name in ("", "v1", "v2", "v3") for number in (80, 9080)}
    assert {key: each.policy if each else None for key, each in seen.items()} == {
        ("", 80): Policy("RANDOM"),
        ("", 9080): Policy(max_connections=1),
        ("v1", 80): Policy("ROUND_ROBIN"),
        ("v1", 9080): Policy("ROUND_ROBIN", max_connections=1),
        ("v2", 80): Policy("RANDOM"),
        ("v2", 9080): Policy("ROUND_ROBIN"),
        ("v3", 80): None,
        ("v3", 9080): None,
    }


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ({"httpHeaderName": "x-user"}, Hash("header", "x-user", size=1024)),
        ({"httpQueryParameterName": "u", "minimumRingSize": 9}, Hash("query", "u", size=9)),
        ({"useSourceIp": True, "ringHash": {}}, Hash("source")),
        ({"httpCookie": {"name": "c", "ttl": "0s"}, "maglev": {}}, Hash("cookie", "c", 0.0, maglev=True)),
        (
            {"httpCookie": {"name": "c", "path": "/", "attributes": [{"name": "Secure"}]}, "maglev": {"tableSize": 7}},
            Hash("cookie", "c", None, "/", (("Secure", ""),), maglev=True, size=7),
        ),
    ],
)
def test_consistent_hashing(written: Object, wanted: Hash) -> None:
    """By a header, a parameter, a cookie or the caller's address; on a ring of 1024 unless it says otherwise."""
    policy = {"loadBalancer": {"consistentHash": written}, "tls": {"mode": "ISTIO_MUTUAL"}}
    store = Store()
    guard(store)
    assert store.create(find("DestinationRule", NETWORKING), rule_for("reviews", trafficPolicy=policy))
    assert said(rule_for("reviews", trafficPolicy=policy)) == Destination(Policy(hash=wanted))


def test_which_destination_rule_holds() -> None:
    """The waypoint's namespace comes first, then the best host; rules of other namespaces say nothing."""
    random, robin = ({"loadBalancer": {"simple": each}} for each in ("RANDOM", "ROUND_ROBIN"))
    own = rule_for("reviews", trafficPolicy=random)
    every = rule_for("*.svc.cluster.local", trafficPolicy=robin)
    there = rule_for("*.bookinfo.svc.cluster.local", "other", trafficPolicy=robin)
    assert said(own, every) == Destination(Policy("RANDOM"))
    assert said(own, there) == Destination(Policy("ROUND_ROBIN"))
    assert said(rule_for("*.svc.cluster.local", "third", trafficPolicy=robin)) is None


def refusal(item: Object) -> ApiError:
    """The error with which a guarded store refuses the object."""
    store = Store()
    guard(store)
    with pytest.raises(ApiError) as caught:
        store.create(find(item["kind"], NETWORKING), item)
    return caught.value


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (virtual({"route": [TO], "delegate": {"name": "x"}}), "spec.http[0].delegate"),
        (virtual({"route": [TO], "fault": {"abort": {"grpcStatus": "OK"}}}), "spec.http[0].fault.abort.grpcStatus"),
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
        (virtual({"route": [TO]}, hosts=["a", "a"]), "duplicate hosts in virtual service: a & a"),
        (virtual({}), "HTTP route, redirect or direct_response is required"),
        (virtual({"route": [TO], "redirect": {"uri": "/"}}), "HTTP route cannot contain both route and redirect"),
        (virtual({"redirect": {}}), "redirect must specify URI, authority, scheme, or port"),
        (virtual({"route": [TO, TO]}), "total destination weight = 0"),
        (virtual({"route": [TO], "retries": {"retryOn": "5xx"}}), "http retry policy configured when attempts are set"),
        (virtual({"route": [TO], "fault": {"abort": {"httpStatus": 1}}}), "HTTP status 1 is not in range 200-599"),
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
    assert (error.status, error.reason) == (400, "BadRequest")
    assert message in error.message


def connections(*rules: Object) -> Object:
    """A VirtualService for connections."""
    made = virtual()
    return {**made, "spec": {"hosts": ["reviews"], "tcp": list(rules)}}


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        ([], True),
        ([{"port": 9080}], True),
        ([{"port": 9081}], False),
        ([{"port": 9081}, {"gateways": ["mesh"]}], True),
        ([{"gateways": ["front"]}], False),
        ([{"sourceLabels": {"app": "curl"}}], False),
        ([{"sourceNamespace": "bookinfo"}], False),
    ],
)
def test_connections_have_rules_of_their_own(match: list[Object], taken: bool) -> None:
    """The first rule whose match is met takes them, with its weights and subsets; what asks who calls is never met."""
    both = {"destination": {"host": "reviews", "subset": "v2"}, "weight": 0}
    item = connections({"match": match, "route": [{**TO, "weight": 3}, both]}, {"route": [TO]})
    view = seen(item)
    (found,) = routes_by_service(view, gates(view))["bookinfo/reviews"]
    shared = (replace(OWN, weight=3), replace(OWN, weight=0, subset="v2"))
    assert (found.tcp, found.virtual, found.port) == (True, True, 9080)
    assert found.rules == (RouteRule((RouteMatch(),), shared if taken else (OWN,)),)


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
    ],
)
def test_durations_are_a_millisecond_at_least(item: Object, field: str) -> None:
    """By the rules of Istio's definitions."""
    why = 'Invalid value: "string": must be a valid duration greater than 1ms'
    assert f"{field}: {why}" in refusal(item).message


def test_warning_about_rules_that_no_request_comes_to() -> None:
    """Behind a rule without a match nothing is reached."""
    item = virtual({"route": [TO]}, {"match": [{"uri": {"prefix": "/"}}], "route": [TO]})
    assert warnings(item) == ["virtualService rule #1 not used (only the last rule can have no matches)"]
    assert warnings(virtual({"match": [{}], "route": [TO]}, {"route": [TO]})) == []


def test_one_without_hosts_is_for_others_to_delegate_to() -> None:
    """It has no gateways then."""
    item = virtual({"route": [TO]}, hosts=[])
    store = Store()
    guard(store)
    assert store.create(find("VirtualService", NETWORKING), item)
    item["spec"]["gateways"] = ["mesh"]
    assert "delegate virtual service must have no gateways" in refusal(item).message
