"""DestinationRules as waypoints and ingress gateways get them."""

from dataclasses import replace

import pytest

from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.destination_model import Hash
from pytest_ambient.embedded.istiod.faulty import broken
from pytest_ambient.embedded.istiod.model import (
    Destination,
    Ejection,
    Ingress,
    Keepalive,
    Mesh,
    Policy,
    RetryBudget,
    Subset,
)
from pytest_ambient.embedded.istiod.validate import guard
from pytest_ambient.embedded.istiod.view import NETWORKING
from pytest_ambient.embedded.objects import Object
from tests.embedded.istiod.virtual import rule_for, said, seen

from .world import mesh_of, meta


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


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ({"connectionPool": {"tcp": {"tcpKeepalive": {}}}}, Policy(keepalive=Keepalive())),
        (
            {"connectionPool": {"tcp": {"tcpKeepalive": {"probes": 3, "time": "1m", "interval": "1500ms"}}}},
            Policy(keepalive=Keepalive(3, 60, 1)),
        ),
        (
            {"connectionPool": {"tcp": {"idleTimeout": "0s", "maxConnectionDuration": "2s"}}},
            Policy(idle=0.0, longest=2.0),
        ),
        (
            {"connectionPool": {"tcp": {"idleTimeout": "1s"}, "http": {"idleTimeout": "2s"}}},
            Policy(idle=1.0, http_idle=2.0),
        ),
        ({"connectionPool": {"http": {"h2UpgradePolicy": "UPGRADE"}}}, Policy(speaks="HTTP/2")),
        ({"connectionPool": {"http": {"h2UpgradePolicy": "DO_NOT_UPGRADE"}}}, Policy()),
        ({"connectionPool": {"http": {"maxConcurrentStreams": 2}}}, Policy(streams=2)),
        (
            {"connectionPool": {"http": {"h2UpgradePolicy": "DEFAULT", "useClientProtocol": True}}},
            Policy(speaks="client's"),
        ),
        ({"outlierDetection": {"consecutiveErrors": 7}}, Policy(ejection=Ejection())),
        ({"outlierDetection": {"splitExternalLocalOriginErrors": True}}, Policy(ejection=Ejection(apart=True))),
        (
            {"outlierDetection": {"splitExternalLocalOriginErrors": True, "consecutiveLocalOriginFailures": 4}},
            Policy(ejection=Ejection(apart=True, own_errors=4)),
        ),
        ({"retryBudget": {}}, Policy(budget=RetryBudget(20.0, 3))),
        ({"retryBudget": {"percent": 0, "minRetryConcurrency": 9}}, Policy(budget=RetryBudget(0.0, 9))),
    ],
)
def test_pools_and_ejection(written: Object, wanted: Policy) -> None:
    """What is said of connections, retries and failures; what Istio ignores says nothing."""
    store = Store()
    guard(store)
    assert store.create(find("DestinationRule", NETWORKING), rule_for("reviews", trafficPolicy=written))
    assert said(rule_for("reviews", trafficPolicy=written)) == Destination(wanted)


def test_ports_have_no_budget_of_their_own() -> None:
    """A subset's word for a port takes the place of everything but the budget of all; a port's of that, too."""
    budget = {"retryBudget": {"percent": 50}}
    port = [{"port": {"number": 9080}, "loadBalancer": {"simple": "RANDOM"}}]
    v1 = [{"name": "v1", "trafficPolicy": {"portLevelSettings": port}}]
    found = said(rule_for("reviews", trafficPolicy=budget, subsets=v1))
    assert found is not None
    assert found.chosen("v1", 9080) == Subset({}, Policy("RANDOM", budget=RetryBudget(50.0)))
    found = said(rule_for("reviews", trafficPolicy={**budget, "portLevelSettings": port}, subsets=v1))
    assert found is not None
    assert found.chosen("v1", 9080) == Subset({}, Policy("RANDOM"))


@pytest.mark.parametrize(
    ("rules", "chosen"),
    [
        ({"bookinfo": ["*"]}, "bookinfo"),
        ({"bookinfo": ["other"]}, "bookinfo"),
        ({"bookinfo": ["."]}, ""),
        ({"bookinfo": ["."], "istio-system": ["*"]}, "istio-system"),
        ({"istio-system": ["."]}, ""),
        ({"bookinfo": ["*"], "other": ["third"]}, "other"),
    ],
)
def test_exports(rules: dict[str, list[str]], chosen: str) -> None:
    """A waypoint takes all rules of its own namespace, `other`, and of the others those that are exported to it."""
    limits = {"bookinfo": 1, "other": 2, "istio-system": 3}
    written = [
        rule_for(
            "reviews.bookinfo.svc.cluster.local", space, exportTo=exports,
            trafficPolicy={"connectionPool": {"tcp": {"maxConnections": limits[space]}}},
        )
        for space, exports in rules.items()
    ]  # fmt: skip
    found = said(*written)
    assert (found.policy.max_connections if found else None) == limits.get(chosen)


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


@pytest.mark.parametrize(
    ("others", "chosen"), [({}, 1), ({"front": 2}, 2), ({"third": 3}, 1), ({"istio-system": 4}, 1)]
)
def test_a_gateway_asks_its_own_namespace_first(others: dict[str, int], chosen: int) -> None:
    """Then the Service's, whatever the Service's waypoint is told."""
    written = [
        rule_for(
            "reviews.bookinfo.svc.cluster.local", space,
            trafficPolicy={"connectionPool": {"tcp": {"maxConnections": limit}}},
        )
        for space, limit in {"bookinfo": 1, **others}.items()
    ]  # fmt: skip
    front: Object = {"metadata": meta("front", "front"), "spec": {"gatewayClassName": "istio"}}
    view = seen(*written)
    mesh = mesh_of(replace(view, gateways=[*view.gateways, front]))
    policy = Policy(max_connections=chosen)
    assert mesh.ingresses["front/front"].destinations == {"bookinfo/reviews": Destination(policy)}
    assert mesh.destinations == {"bookinfo/reviews": Destination(Policy(max_connections=1))}


def test_the_fault_is_one_of_gateways_too() -> None:
    """Under it nothing that DestinationRules say to a gateway is followed."""
    told = {"bookinfo/reviews": Destination(Policy("RANDOM"))}
    front = Ingress("front", "bookinfo", "front-istio", {}, destinations=told)
    broke = broken(Mesh(ingresses={"bookinfo/front": front}), [Fault.DESTINATION_RULES_IGNORED])
    assert broke.ingresses["bookinfo/front"].destinations == {"bookinfo/reviews": Destination()}
