"""Each fault of the configuration breaks what its name says and nothing else."""

from dataclasses import replace

import pytest

from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.faulty import BREAKS, broken, late
from pytest_ambient.embedded.istiod.model import (
    Backend,
    Cors,
    Destination,
    Ejection,
    HeaderChange,
    HeaderMatch,
    Injection,
    Mesh,
    Mirror,
    Policy,
    Redirect,
    Retries,
    Rewrite,
    Route,
    RouteMatch,
    RouteRule,
    Subset,
    WaypointRef,
)
from pytest_ambient.embedded.istiod.peers import STATIC_STRICT
from pytest_ambient.embedded.istiod.view import View

from .world import USE_WAYPOINT, mesh_of, namespace, peer, pod, policy, route, service, waypoint_objects


def healthy() -> Mesh:
    """A mesh with policies of every kind, a waypoint and a weighted route with a header match."""
    gateway, own = waypoint_objects()
    reviews = {"matchLabels": {"app": "reviews"}}
    ref = {"group": "", "kind": "Service", "name": "reviews"}
    whole = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}
    names = ("details", "reviews", "reviews-v1", "reviews-v2", "reviews-v3")
    weighted = [{"name": f"reviews-v{n}", "port": 9080, "weight": w} for n, w in ((1, 90), (2, 10), (3, 0))]
    return mesh_of(
        View(
            namespaces=[namespace("bookinfo", {USE_WAYPOINT: "waypoint"})],
            services=[*(service(each) for each in names), own],
            gateways=[gateway],
            pods=[
                pod("d", "details", "127.80.1.1"), pod("r1", "reviews", "127.80.1.2"),
                pod("r2", "reviews", "127.80.1.3"), pod("s", "ratings", "127.80.1.4"),
            ],
            policies=[
                policy("l4", {"selector": reviews}), policy("wide", {}),
                policy("l7", {"targetRefs": [ref]}), policy("gate", {"targetRefs": [whole]}),
            ],
            peers=[peer("default", {"mtls": {"mode": "STRICT"}})],
            routes=[
                route("r", [
                    {"matches": [{"headers": [{"name": "a", "value": "b"}]}], "backendRefs": weighted[1:2]},
                    {"backendRefs": weighted},
                ])
            ],
        )
    )  # fmt: skip


def listed(mesh: Mesh) -> dict[str, tuple[str, ...]]:
    """Policies by pod."""
    return {each.name: each.policies for each in mesh.workloads.values()}


def weights(mesh: Mesh) -> list[list[int]]:
    """Weights by rule."""
    return [[each.weight for each in rule.backends] for rule in mesh.routes["bookinfo/reviews"][0].rules]


def test_policy_ignored() -> None:
    """No authorization policy is left anywhere; PeerAuthentication still holds."""
    mesh = broken(healthy(), [Fault.POLICY_IGNORED])
    assert list(mesh.l4_policies) == [STATIC_STRICT.key]
    assert set(listed(mesh).values()) == {(STATIC_STRICT.key,)}
    assert mesh.service_policies == {}
    assert mesh.waypoints["bookinfo/waypoint"].policies == ()


def test_policy_on_wrong_workload() -> None:
    """The policy holds for all other pods of the namespace, and at another Service, than those that it names."""
    mesh = broken(healthy(), [Fault.POLICY_ON_WRONG_WORKLOAD])
    strict = (STATIC_STRICT.key,)
    wrong = ("bookinfo/l4", *strict)
    assert listed(mesh) == {"d": wrong, "r1": strict, "r2": strict, "s": wrong}
    assert {key: [each.name for each in policies] for key, policies in mesh.service_policies.items()} == {
        "bookinfo/details": ["l7"]
    }


def test_l7_policy_unenforced() -> None:
    """Waypoints have no policy; ztunnel keeps its own."""
    whole = healthy()
    mesh = broken(whole, [Fault.L7_POLICY_UNENFORCED])
    assert mesh.service_policies == {}
    assert mesh.waypoints["bookinfo/waypoint"].policies == ()
    assert mesh.l4_policies == whole.l4_policies


def test_waypoint_bypassed() -> None:
    """Nothing is sent to a waypoint, which is still there."""
    mesh = broken(healthy(), [Fault.WAYPOINT_BYPASSED])
    assert {each.waypoint for each in mesh.services.values()} == {None}
    assert mesh.waypoints["bookinfo/waypoint"].services


@pytest.mark.parametrize(
    ("fault", "served"), [(Fault.SPLIT_62_38, [[10], [62, 38, 0]]), (Fault.SPLIT_FROZEN, [[10], [1, 0, 0]])]
)
def test_splits(fault: Fault, served: list[list[int]]) -> None:
    """The weights of a rule with several backends are not those asked for."""
    assert weights(healthy()) == [[10], [90, 10, 0]]
    assert weights(broken(healthy(), [fault])) == served


def test_header_route_ignored() -> None:
    """Rules that ask for a header are gone, others stay."""
    mesh = broken(healthy(), [Fault.HEADER_ROUTE_IGNORED])
    assert weights(mesh) == [[90, 10, 0]]


def test_everything_denied() -> None:
    """One more policy refuses every identity in the whole mesh."""
    mesh = broken(healthy(), [Fault.EVERYTHING_DENIED])
    policy = mesh.l4_policies["istio-system/everything-denied"]
    assert (policy.scope, policy.action) == ("Global", "DENY")


def test_other_faults_change_nothing_here() -> None:
    """What breaks elsewhere leaves the configuration alone."""
    whole = healthy()
    elsewhere = set(Fault) - set(BREAKS)
    assert broken(whole, elsewhere) == whole


def test_late_configuration_keeps_pods_and_bindings_of_now() -> None:
    """Pods and Services are those of now, policies and routes those of before."""
    whole = healthy()
    mesh = late(whole, Mesh(), Mesh())
    assert mesh.services == whole.services
    assert mesh.services["bookinfo/reviews"].waypoint == WaypointRef("bookinfo", "waypoint")
    assert set(mesh.workloads) == set(whole.workloads)
    assert (mesh.l4_policies, mesh.routes, mesh.service_policies) == ({}, {}, {})
    assert set(listed(mesh).values()) == {()}
    assert late(whole, replace(whole, services={}), Mesh()) == whole
    said = {"bookinfo/reviews": Destination(Policy("RANDOM"))}
    assert late(replace(whole, destinations=said), whole, whole).destinations == {}
    assert late(replace(whole, destinations=said), replace(whole, destinations=said), whole).destinations == said
    told = replace(whole, log_filters={"Service/bookinfo/reviews": "false"})
    assert (late(told, whole, whole).log_filters, late(whole, told, whole).log_filters) == ({}, {})
    assert late(told, told, whole).log_filters == told.log_filters


def test_late_configuration_that_went_meanwhile() -> None:
    """A policy or route that is gone before its time never arrives; one that the proxies have goes late."""
    whole = healthy()
    bare = late(whole, Mesh(), Mesh())
    assert late(bare, whole, Mesh()) == bare
    assert late(bare, whole, whole) == whole


def test_route_filters_ignored() -> None:
    """Redirects are answered by the Service itself, nothing is rewritten, mirrored or shared; time-outs stay."""
    rules = (
        RouteRule((), (), redirect=Redirect(302, "h")),
        RouteRule(
            (),
            (OWN,),
            rewrite=Rewrite("/x"),
            mirrors=(Mirror(OWN),),
            cors=Cors(),
            request_timeout=1,
            direct_status=None,
        ),
    )
    assert _rules(rules, Fault.ROUTE_FILTERS_IGNORED) == (
        RouteRule((), (OWN,)),
        RouteRule((), (OWN,), request_timeout=1),
    )


def test_timeouts_ignored() -> None:
    """No rule has a time-out, all else stays."""
    rule = RouteRule((), (OWN,), rewrite=Rewrite("/x"), request_timeout=1)
    assert _rules((rule,), Fault.TIMEOUTS_IGNORED) == (replace(rule, request_timeout=None),)


OWN = Backend("bookinfo/reviews", 9080)
ADDED = HeaderChange(add=(("x", "y"),))
A, B = HeaderMatch("a", "1"), HeaderMatch("b", "2")


def _rules(rules: tuple[RouteRule, ...], fault: Fault) -> tuple[RouteRule, ...]:
    """The rules of a route on reviews under that fault."""
    route = Route("r", "bookinfo", "", None, rules)
    mesh = replace(healthy(), routes={"bookinfo/reviews": (route,), "bookinfo/nowhere": (route,)})
    return broken(mesh, [fault]).routes["bookinfo/reviews"][0].rules


def test_retries_and_injections_ignored() -> None:
    """Nothing is tried again under the one, nothing is injected under the other."""
    rule = RouteRule((), (OWN,), retries=Retries(3), injection=Injection(status=418, aborted=100))
    assert _rules((rule,), Fault.RETRIES_IGNORED) == (replace(rule, retries=Retries(0)),)
    assert _rules((rule,), Fault.FAULTS_NOT_INJECTED) == (replace(rule, injection=None),)


def test_destination_rules_ignored() -> None:
    """Subsets are still known, with all endpoints, and none is ejected."""
    said = Destination(Policy(ejection=Ejection(1)), {"v1": Subset({"version": "v1"}, Policy("RANDOM"))})
    mesh = broken(replace(healthy(), destinations={"bookinfo/reviews": said}), [Fault.DESTINATION_RULES_IGNORED])
    assert mesh.destinations == {"bookinfo/reviews": Destination(Policy(), {"v1": Subset({}, Policy())})}


@pytest.mark.parametrize(
    ("fault", "said", "read"),
    [
        (
            Fault.HEADER_MODIFIERS_IGNORED,
            RouteRule((), (replace(OWN, response_headers=ADDED),), ADDED, ADDED),
            RouteRule((), (OWN,)),
        ),
        (
            Fault.PATHS_MATCH_LOOSELY,
            RouteRule((RouteMatch("/a", "Exact"), RouteMatch("/b", "RegularExpression")), (OWN,)),
            RouteRule((RouteMatch("/a", "Prefix", ignore_case=True), RouteMatch("/b", "RegularExpression")), (OWN,)),
        ),
        (
            Fault.ONE_CONDITION_IS_ENOUGH,
            RouteRule((RouteMatch(headers=(A, B)), RouteMatch("/b")), (OWN,)),
            RouteRule((RouteMatch(headers=(A,)), RouteMatch(headers=(B,)), RouteMatch("/b")), (OWN,)),
        ),
    ],
)
def test_rules_that_lose_something(fault: Fault, said: RouteRule, read: RouteRule) -> None:
    """A rule as it is asked for, and as it is carried out."""
    assert _rules((said,), fault) == (read,)


def test_missing_backend_falls_through() -> None:
    """The Service itself takes what a backend that is not there should, and what no rule does."""
    missing = RouteRule((RouteMatch("/x"),), (Backend(None, 80),))
    assert _rules((missing,), Fault.MISSING_BACKEND_FALLS_THROUGH) == (
        replace(missing, backends=(OWN,)),
        RouteRule((RouteMatch(),), (OWN,)),
    )


def test_parent_port_ignored() -> None:
    """A route for one port is one for all."""
    route = Route("r", "bookinfo", "", 9080, ())
    mesh = broken(replace(healthy(), routes={"bookinfo/reviews": (route,)}), [Fault.PARENT_PORT_IGNORED])
    assert mesh.routes["bookinfo/reviews"] == (replace(route, port=None),)


def test_waypoints_always_admitted() -> None:
    """ALLOW policies have one more rule, for the account of every waypoint."""
    whole = healthy()
    mesh = broken(whole, [Fault.WAYPOINTS_ALWAYS_ADMITTED])
    (clause,) = mesh.l4_policies["bookinfo/l4"].rules[-1].clauses
    assert [each.principal for each in clause.matches[0].service_accounts] == ["cluster.local/ns/bookinfo/sa/waypoint"]
    assert mesh.l4_policies[STATIC_STRICT.key] == whole.l4_policies[STATIC_STRICT.key]


def test_a_lost_waypoint_is_passed_by() -> None:
    """Only what is bound to a waypoint without pods loses it."""
    mesh = healthy()
    (key,) = mesh.waypoints
    lost = replace(mesh, waypoints={key: replace(mesh.waypoints[key], pods=())})
    kept = replace(mesh, waypoints={key: replace(mesh.waypoints[key], pods=("x",))})
    assert any(each.waypoint for each in mesh.services.values())
    assert not any(each.waypoint for each in broken(lost, {Fault.LOST_WAYPOINT_FAILS_OPEN}).services.values())
    assert broken(kept, {Fault.LOST_WAYPOINT_FAILS_OPEN}) == kept


def test_policies_are_forgotten_without_istiod() -> None:
    """While one istiod is ready all is well."""
    istiod = pod("istiod-x", "istiod", "127.80.1.77", "istio-system")
    istiod["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "istiod-abc"}]
    runs = mesh_of(View(pods=[istiod]))
    mesh = healthy()
    there = replace(mesh, workloads={**mesh.workloads, **runs.workloads})
    assert broken(there, {Fault.FORGETS_WITHOUT_ISTIOD}) == there
    forgotten = broken(mesh, {Fault.FORGETS_WITHOUT_ISTIOD})
    assert forgotten == broken(mesh, {Fault.POLICY_IGNORED})


def test_restarted_ztunnels_forget() -> None:
    """Those of the first template know all, those restarted twice again; waypoints forget nothing."""
    mesh = healthy()
    for generation in ("1", "2", "3"):
        daemon = pod("ztunnel-x", "ztunnel", "127.80.1.78", "istio-system", {"pod-template-generation": generation})
        daemon["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "ztunnel"}]
        more = replace(mesh, workloads={**mesh.workloads, **mesh_of(View(pods=[daemon])).workloads})
        forgotten = broken(more, {Fault.FORGETS_AT_RESTART})
        assert (forgotten == more) is (generation != "2")
        assert forgotten.service_policies == mesh.service_policies
