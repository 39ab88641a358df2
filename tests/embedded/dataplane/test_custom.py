"""CUSTOM policies at a waypoint, asked of a program that answers by a real socket."""

from typing import Any

import pytest

from pytest_ambient.embedded.dataplane.checks import Checks
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.authorizers import authorizers
from pytest_ambient.embedded.istiod.model import Authorizer, L7Policy, L7Rule, Operation, Source
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .conftest import Bookinfo
from .test_waypoint_policy import CURL, WAYPOINT, denied

ASKED = L7Policy("c", "bookinfo", "CUSTOM", (L7Rule((), (Operation(paths=("/asked*",)),)),), "them")
PROVIDER = {"service": "details.bookinfo.svc.cluster.local", "port": 9080, "headersToDownstreamOnDeny": ["x-why"]}


def test_an_authorizer_decides(bookinfo: Bookinfo) -> None:
    """Whom a policy is about waits for the authorizer's word; DENY comes after it, others never ask."""
    world = bookinfo.world
    known: Any = {"authorizers": {"them": Authorizer("bookinfo/details", 9080)}}
    deny = L7Policy(
        "d", "bookinfo", "DENY", (L7Rule((Source(principals=(CURL,)),), (Operation(paths=("/asked/no",)),)),)
    )
    with world.having(**known, service_policies={"bookinfo/reviews": (ASKED, deny)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/free").status == 200
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/asked/yes").status == 200
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews, "/asked/no"))
    nobody: Any = {"authorizers": {"them": Authorizer("bookinfo/details", 1)}}
    with world.having(**nobody, service_policies={"bookinfo/reviews": (ASKED,)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/asked/yes").status == 403
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/free").status == 200
    assert world.logged(WAYPOINT, '"GET /asked/yes', "403", "ext_authz_error")


def test_an_unknown_provider_admits_nobody(bookinfo: Bookinfo) -> None:
    """What the policy is about is refused under Istio's name for it; the rest passes."""
    world = bookinfo.world
    with world.having(service_policies={"bookinfo/reviews": (ASKED,)}):
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews, "/asked"))
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/free").status == 200
    name = "istio-ext-authz-them-ns[bookinfo]-policy[c]-rule[0]-deny-due-to-bad-CUSTOM-action"
    assert world.logged(WAYPOINT, f"rbac_access_denied_matched_policy[{name}]")


def test_of_several_providers_none_is_asked(bookinfo: Bookinfo) -> None:
    """What their policies are about is refused, HTTP or not, and the rest passes."""
    world = bookinfo.world
    known: Any = {"authorizers": {each: Authorizer("bookinfo/details", 9080) for each in ("them", "others")}}
    second = L7Policy("o", "bookinfo", "CUSTOM", (L7Rule((), (Operation(paths=("/else*",)),)),), "others")
    with world.having(**known, service_policies={"bookinfo/reviews": (ASKED, second)}):
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews, "/asked"))
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews, "/else"))
        assert world.call(bookinfo.curl, bookinfo.to_reviews, "/free").status == 200
    about_all = [L7Policy(each, "bookinfo", "CUSTOM", (L7Rule(),), each) for each in ("them", "others")]
    filters = Checks(tuple(about_all), **known).tcp()
    assert [each["typed_config"]["rules"]["action"] for each in filters] == ["DENY", "DENY"]


def test_plain_tcp_is_refused_for_an_unknown_provider_alone() -> None:
    """An authorizer that speaks HTTP cannot be asked about it, and Istio leaves its policies out there."""
    about_all = L7Policy("c", "bookinfo", "CUSTOM", (L7Rule(),), "them")
    filters = Checks((about_all,), authorizers={"others": Authorizer("a/b", 1)}).tcp()
    assert [each["typed_config"]["rules"]["action"] for each in filters] == ["DENY"]
    assert Checks((about_all,), authorizers={"them": Authorizer("a/b", 1)}).tcp() == []


def test_the_fault_asks_nobody() -> None:
    """ext-authz-ignored leaves out the whole of CUSTOM."""
    assert Checks((ASKED,), faults=frozenset({Fault.EXT_AUTHZ_IGNORED})).http() == []


@pytest.mark.parametrize(
    ("provider", "known"),
    [
        ({"envoyExtAuthzHttp": PROVIDER}, True),
        ({"envoyExtAuthzHttp": {**PROVIDER, "service": "bookinfo/details.bookinfo.svc.cluster.local"}}, True),
        ({"envoyExtAuthzHttp": {**PROVIDER, "service": "nobody.bookinfo.svc.cluster.local"}}, False),
        ({"envoyExtAuthzGrpc": PROVIDER}, False),
    ],
)
def test_providers_of_the_meshs_configuration(provider: Object, known: bool) -> None:
    """Those that speak HTTP and lead to a Service that is there."""
    config = f"extensionProviders: [{ {'name': 'them', **provider} }]"
    view = View(
        services=[{"metadata": {"name": "details", "namespace": "bookinfo"}}],
        configs=[{"metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": config}}],
    )
    found = {"them": Authorizer("bookinfo/details", 9080, downstream=("x-why",))} if known else {}
    assert authorizers(view) == found
