"""Real requests that a waypoint admits or denies."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from pytest_ambient.embedded.istiod.model import (
    Condition,
    L7Policy,
    L7Rule,
    Operation,
    Source,
)

from .conftest import Bookinfo
from .world import Reply

WAYPOINT = "bookinfo/waypoint-abc"
CURL = "cluster.local/ns/bookinfo/sa/curl"


def policy(*rules: L7Rule, action: Any = "ALLOW", name: str = "p") -> L7Policy:
    """A policy in namespace bookinfo."""
    return L7Policy(name, "bookinfo", action, rules)


def rule(source: Source | None = None, operation: Operation | None = None, *conditions: Condition) -> L7Rule:
    """A rule with at most one `from` and one `to`."""
    return L7Rule((source,) if source else (), (operation,) if operation else (), conditions)


def denied(reply: Reply) -> bool:
    """Whether the waypoint itself said no."""
    return reply.status == 403 and reply.body == "RBAC: access denied"


def test_denial(bookinfo: Bookinfo) -> None:
    """A 403 of the waypoint's own: 19 bytes, lower-case names, no upstream time; HEAD has no body."""
    world = bookinfo.world
    only_get = policy(rule(Source(principals=(CURL,)), Operation(methods=("GET",))), name="viewer")
    with world.having(service_policies={"bookinfo/reviews": (only_get,)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        reply = world.call(bookinfo.curl, bookinfo.to_reviews, "/no", "-X", "POST")
        assert denied(reply)
        assert [each for each in reply.names if each != "date"] == [
            "content-length",
            "content-type",
            "server",
            "x-envoy-decorator-operation",
        ]
        assert (reply.headers["content-length"], reply.headers["content-type"]) == ("19", "text/plain")
        assert denied(world.call(bookinfo.details, bookinfo.to_reviews))
        head = world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-I")
        assert (head.status, head.body) == (403, "")
    assert world.logged(WAYPOINT, '"POST /no HTTP/1.1" 403 - rbac_access_denied_matched_policy[none]')


@pytest.mark.parametrize(
    ("asked", "arguments", "path", "hit"),
    [
        pytest.param(Operation(methods=("P*",)), ("-X", "POST"), "/", True, id="method-prefix"),
        pytest.param(Operation(not_methods=("GET",)), (), "/", False, id="not-method"),
        pytest.param(Operation(paths=("/reviews/0",)), (), "/reviews/0?a=b", True, id="path-without-query"),
        pytest.param(Operation(paths=("/reviews/0",)), (), "/reviews/1", False, id="other-path"),
        pytest.param(Operation(paths=("/reviews/*",)), (), "/reviews/1", True, id="path-prefix"),
        pytest.param(Operation(paths=("*/0",)), (), "/reviews/0", True, id="path-suffix"),
        pytest.param(Operation(paths=("/{*}/stars",)), (), "/reviews/stars", True, id="path-template"),
        pytest.param(Operation(paths=("/{*}/stars",)), (), "/a/b/stars", False, id="path-template-one-part"),
        pytest.param(Operation(paths=("/{**}/stars",)), (), "/a/b/stars", True, id="path-template-many"),
        pytest.param(Operation(not_paths=("/reviews/*",)), (), "/x", True, id="not-path"),
        pytest.param(Operation(hosts=("reviews.bookinfo:9080",)), (), "/", True, id="host-with-port"),
        pytest.param(Operation(hosts=("reviews.bookinfo",)), (), "/", False, id="host-without-port"),
        pytest.param(Operation(hosts=("REVIEWS.*",)), (), "/", True, id="host-any-case"),
        pytest.param(Operation(not_hosts=("details.*",)), (), "/", True, id="not-host"),
        pytest.param(Operation(ports=("9080",)), (), "/", True, id="port"),
        pytest.param(Operation(not_ports=("9080",)), (), "/", False, id="not-port"),
        pytest.param(Condition("request.headers[x-test]", ("bad",)), ("-H", "x-test: bad"), "/", True, id="header"),
        pytest.param(Condition("request.headers[x-test]", ("*",)), (), "/", False, id="header-absent"),
        pytest.param(Condition("request.headers[x-test]", ("*",)), ("-H", "x-test: 1"), "/", True, id="header-there"),
        pytest.param(Condition("request.headers[x-test]", (), ("a",)), (), "/", True, id="header-not"),
        pytest.param(Condition("source.namespace", ("book*",)), (), "/", True, id="when-namespace"),
        pytest.param(Condition("source.principal", ("*/sa/other",)), (), "/", False, id="when-principal"),
        pytest.param(Condition("source.principal", (f"*{CURL}",)), (), "/", True, id="when-principal-suffix"),
        pytest.param(Condition("destination.port", ("9080",)), (), "/", True, id="when-port"),
        pytest.param(Condition("request.auth.principal", ("*",)), (), "/", False, id="nobody-has-a-token"),
        pytest.param(Source(principals=(CURL,)), (), "/", True, id="principal"),
        pytest.param(Source(principals=(f"spiffe://{CURL}",)), (), "/", False, id="principal-with-scheme"),
        pytest.param(Source(not_principals=(CURL,)), (), "/", False, id="not-principal"),
        pytest.param(Source(namespaces=("bookinfo",)), (), "/", True, id="namespace"),
        pytest.param(Source(not_namespaces=("bookinfo",)), (), "/", False, id="not-namespace"),
        pytest.param(Source(service_accounts=("curl",)), (), "/", True, id="account"),
        pytest.param(Source(service_accounts=("other/curl",)), (), "/", False, id="account-elsewhere"),
        pytest.param(Source(trust_domains=("cluster.local",)), (), "/", True, id="trust-domain"),
        pytest.param(Source(trust_domains=("cluster.loc",)), (), "/", False, id="trust-domain-is-whole"),
        pytest.param(Source(trust_domains=("*.local",)), (), "/", True, id="trust-domain-suffix"),
        pytest.param(Source(not_trust_domains=("*",)), (), "/", False, id="not-any-trust-domain"),
        pytest.param(Condition("source.trustDomain", ("cluster*",)), (), "/", True, id="when-trust-domain"),
        pytest.param(Source(not_request_principals=("*",)), (), "/", True, id="not-token"),
        pytest.param(Source(ip_blocks=("127.0.0.0/8",)), (), "/", False, id="ip-blocks-never-see-the-client"),
        pytest.param(Source(remote_ip_blocks=("127.0.0.0/8",)), (), "/", True, id="remote-ip-blocks-do"),
        pytest.param(Source(not_remote_ip_blocks=("127.0.0.0/8",)), (), "/", False, id="not-remote-ip-blocks"),
    ],
)
def test_deny_by(
    bookinfo: Bookinfo,
    asked: Operation | Condition | Source,
    arguments: tuple[str, ...],
    path: str,
    hit: bool,
) -> None:
    """Each attribute of a DENY refuses what it matches, by this policy, and nothing else."""
    match asked:
        case Operation():
            one = rule(None, asked)
        case Source():
            one = rule(asked)
        case _:
            one = rule(None, None, asked)
    with bookinfo.world.having(service_policies={"bookinfo/reviews": (policy(one, action="DENY", name="no"),)}):
        reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, path, *arguments)
        assert denied(reply) == hit
        assert hit or reply.status == 200
    if hit:
        assert bookinfo.world.logged(WAYPOINT, "rbac_access_denied_matched_policy[ns[bookinfo]-policy[no]-rule[0]]")


def test_dry_run_refuses_nobody(bookinfo: Bookinfo) -> None:
    """What only judges lets pass, a lonely ALLOW that matches nobody too; what stands beside it is enforced."""
    world, nobody = bookinfo.world, rule(Source(principals=("nobody",)))
    dry = replace(policy(rule(), action="DENY"), dry_run=True), replace(policy(nobody, name="few"), dry_run=True)
    with world.having(service_policies={"bookinfo/reviews": dry, "bookinfo/tcp": dry}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        assert world.call(bookinfo.curl, bookinfo.to_tcp).status == 200
    real = policy(rule(None, Operation(methods=("POST",))), action="DENY", name="no")
    with world.having(service_policies={"bookinfo/reviews": (*dry, real)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews, "/", "-X", "POST"))


def test_deny_comes_before_allow(bookinfo: Bookinfo) -> None:
    """A DENY wins over an ALLOW; a policy on the Gateway counts like one on the Service."""
    world = bookinfo.world
    allow, deny = policy(rule(Source(principals=(CURL,)))), policy(rule(), action="DENY", name="no")
    with world.having(service_policies={"bookinfo/reviews": (allow,)}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200
        assert denied(world.call(bookinfo.details, bookinfo.to_reviews))
    waypoint = replace(bookinfo.waypoint, policies=(deny,))
    with world.having(service_policies={"bookinfo/reviews": (allow,)}, waypoints={waypoint.key: waypoint}):
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews))
    waypoint = replace(bookinfo.waypoint, policies=(policy(),))
    with world.having(service_policies={"bookinfo/reviews": (allow,)}, waypoints={waypoint.key: waypoint}):
        assert world.call(bookinfo.curl, bookinfo.to_reviews).status == 200, "an ALLOW for the Service is enough"
        assert denied(world.call(bookinfo.details, bookinfo.to_reviews))


def test_http_attributes_on_a_tcp_port(bookinfo: Bookinfo) -> None:
    """They can't be seen there: an ALLOW admits nobody, a DENY refuses everybody; L4 attributes work."""
    world, get = bookinfo.world, rule(None, Operation(methods=("GET",)))
    assert world.call(bookinfo.curl, bookinfo.to_tcp).pod == "details-v1"
    for each in (policy(get), policy(get, action="DENY")):
        with world.having(service_policies={"bookinfo/tcp": (each,)}):
            reply = world.call(bookinfo.curl, bookinfo.to_tcp)
            assert reply.connected
            assert reply.exit in (52, 56)
    with world.having(service_policies={"bookinfo/tcp": (policy(rule(Source(principals=(CURL,)))),)}):
        assert world.call(bookinfo.curl, bookinfo.to_tcp).status == 200
        assert world.call(bookinfo.details, bookinfo.to_tcp).status == 0


def test_open_connection_keeps_the_old_verdict_for_some_seconds(bookinfo: Bookinfo) -> None:
    """A client that keeps its connection is answered under the old policy, then cut off."""
    world = bookinfo.world

    async def talk() -> tuple[list[bytes], float]:
        clock = asyncio.get_running_loop().time
        local = (bookinfo.curl.address, 0)
        reader, writer = await asyncio.open_connection(bookinfo.to_reviews.vip, 9080, local_addr=local)
        answers, denied_at = [], 0.0
        began = clock()
        while clock() - began < 9:
            writer.write(b"GET /open HTTP/1.1\r\nHost: reviews\r\n\r\n")
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                size = re.search(rb"content-length: (\d+)", head)
                await reader.readexactly(int(size[1]) if size else 0)
            except (OSError, asyncio.IncompleteReadError):
                break
            answers.append(head.split(b"\r\n")[0])
            if len(answers) == 1:
                no = policy(rule(), action="DENY")
                await world.plane.push(replace(world.mesh, service_policies={"bookinfo/reviews": (no,)}))
                denied_at = clock()
            await asyncio.sleep(0.1)
        writer.close()
        return answers, clock() - denied_at

    try:
        answers, lasted = world.run(talk())
        assert denied(world.call(bookinfo.curl, bookinfo.to_reviews))
    finally:
        world.push()
    assert set(answers) == {b"HTTP/1.1 200 OK"}
    assert 2 < lasted < 8


@pytest.mark.parametrize(
    ("one", "action", "curl", "others"),
    [
        pytest.param(rule(None, Operation(methods=("GET",))), "ALLOW", False, False, id="allow-by-method"),
        pytest.param(rule(None, Operation(methods=("POST",))), "DENY", False, False, id="deny-by-method"),
        pytest.param(
            rule(Source(principals=(CURL,)), Operation(paths=("/no",))),
            "DENY",
            False,
            True,
            id="deny-by-account-and-path",
        ),
        pytest.param(
            rule(Source(principals=(CURL,), request_principals=("*",))), "DENY", False, True, id="deny-by-token"
        ),
        pytest.param(rule(Source(not_request_principals=("*",))), "ALLOW", False, False, id="allow-by-token"),
        pytest.param(
            rule(None, Operation(methods=("POST",), ports=("9001",))), "DENY", True, True, id="deny-by-method-elsewhere"
        ),
        pytest.param(
            rule(None, None, Condition("request.headers[x]", ("y",))), "DENY", False, False, id="deny-by-header"
        ),
    ],
)
def test_what_plain_tcp_cannot_show(bookinfo: Bookinfo, one: L7Rule, action: Any, curl: bool, others: bool) -> None:
    """An ALLOW rule that asks for HTTP admits nobody, a DENY rule denies whom all else in it is about."""
    world = bookinfo.world
    with world.having(service_policies={"bookinfo/tcp": (policy(one, action=action, name="no"),)}):
        assert (world.call(bookinfo.curl, bookinfo.to_tcp).status == 200) is curl
        assert (world.call(bookinfo.details, bookinfo.to_tcp).status == 200) is others
    if action == "DENY" and not curl:
        assert world.logged(WAYPOINT, '"- - -" 0', "rbac_access_denied_matched_policy[ns[bookinfo]-policy[no]-rule[0]]")
