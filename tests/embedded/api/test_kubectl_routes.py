"""kubectl on the kinds of the Gateway API that are not in each version and channel: TCPRoute, GRPCRoute, grants."""

import json

import pytest

from pytest_ambient.embedded.objects import Object

from .world import World

GROUP = "gateway.networking.k8s.io"
TCP: Object = {
    "apiVersion": f"{GROUP}/v1alpha2",
    "kind": "TCPRoute",
    "metadata": {"name": "echo"},
    "spec": {
        "parentRefs": [{"group": "", "kind": "Service", "name": "echo", "port": 9000}],
        "rules": [{"backendRefs": [{"name": "echo-v1", "port": 9000}, {"name": "echo-v2", "port": 9000, "weight": 0}]}],
    },
}


def changed(**spec: object) -> str:
    """The route with other fields, as text."""
    return json.dumps({**TCP, "spec": {**TCP["spec"], **spec}})


def test_a_tcp_route_is_an_object_like_others(world: World) -> None:
    """Discovery, apply, defaults, columns, explain and the experimental channel's definition."""
    assert f"tcproutes {GROUP}/v1alpha2 true TCPRoute" in [
        " ".join(line.split()) for line in world.kubectl("api-resources", f"--api-group={GROUP}").splitlines()
    ]
    assert world.kubectl("apply", "-f", "-", stdin=json.dumps(TCP)) == f"tcproute.{GROUP}/echo created\n"
    made = json.loads(world.kubectl("get", "tcproute", "echo", "-o", "json"))
    assert [each["weight"] for each in made["spec"]["rules"][0]["backendRefs"]] == [1, 0]
    assert made["metadata"]["generation"] == 1
    head, row = (line.split() for line in world.kubectl("get", "tcproutes").splitlines())
    assert (head, row[0]) == (["NAME", "AGE"], "echo")
    assert "backendRefs" in world.kubectl("explain", "tcproute.spec.rules")
    definition = json.loads(world.kubectl("get", "crd", f"tcproutes.{GROUP}", "-o", "json"))
    assert definition["metadata"]["annotations"] == {
        f"{GROUP}/bundle-version": "v1.5.1",
        f"{GROUP}/channel": "experimental",
    }
    assert [each["name"] for each in definition["spec"]["versions"]] == ["v1alpha2"]
    assert world.kubectl("delete", "tcproute", "echo") == f'tcproute.{GROUP} "echo" deleted\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (changed(rules=[]), "spec.rules: Invalid value: 0: spec.rules in body should have at least 1 items"),
        (changed(rules=[{"backendRefs": []}]), "spec.rules[0].backendRefs in body should have at least 1 items"),
        (changed(rules=[{"name": "one"}]), "spec.rules[0].backendRefs: Required value"),
        (changed(rules=None), "spec.rules: Required value"),
        (changed(hostnames=["a.example"]), 'strict decoding error: unknown field "spec.hostnames"'),
        (changed(rules=[{"backendRefs": [{"name": "a", "port": 70000}]}]), "less than or equal to 65535"),
    ],
)
def test_a_wrong_tcp_route_is_refused(world: World, text: str, complaint: str) -> None:
    """What the definition does not allow, in the API server's words."""
    assert complaint in world.kubectl("create", "-f", "-", stdin=text, code=1)


def test_rules_of_a_definition_that_were_not_looked_at_are_told_of(world: World) -> None:
    """Where a field is missing or no value of its kind, as the API server says it; not where a value is only too small.

    Definitions without such rules say nothing of it.
    """
    unasked = "* <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    for wrong in ({"name": "one"}, {"backendRefs": [{"name": 5}]}):
        assert unasked in world.kubectl("create", "-f", "-", stdin=changed(rules=[wrong]), code=1)
    for text in (changed(rules=[]), '{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}}'):
        assert unasked not in world.kubectl("create", "-f", "-", stdin=text, code=1)


@pytest.mark.parametrize(
    ("hosts", "complaint"),
    [
        (["*"], "should match '^(\\*\\.)?[a-z0-9]"),
        (["a b"], "should match '^(\\*\\.)?[a-z0-9]"),
        ([""], 'spec.hostnames[0]: Invalid value: "": spec.hostnames[0] in body should be at least 1 chars long\n'),
    ],
)
def test_what_is_no_hostname_is_refused(world: World, hosts: list[str], complaint: str) -> None:
    """Each item of a list is looked at; of several things that are wrong with a text the first is told."""
    http = {"apiVersion": f"{GROUP}/v1", "kind": "HTTPRoute", "metadata": {"name": "x"}, "spec": {"hostnames": hosts}}
    assert complaint in world.kubectl("create", "-f", "-", stdin=json.dumps(http), code=1)


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("TCPRoute", "v1"),
        ("TCPRoute", "v1beta1"),
        ("TLSRoute", "v1"),
        ("UDPRoute", "v1alpha2"),
        ("GRPCRoute", "v1beta1"),
    ],
)
def test_versions_and_kinds_that_are_not_there(world: World, kind: str, version: str) -> None:
    """As on a cluster with another bundle: there is no such kind, rather than one that does nothing."""
    item = {**TCP, "kind": kind, "apiVersion": f"{GROUP}/{version}"}
    complaint = world.kubectl("apply", "-f", "-", stdin=json.dumps(item), code=1)
    assert f'no matches for kind "{kind}" in version "{GROUP}/{version}"' in complaint


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_reference_grants_have_two_versions(world: World, version: str) -> None:
    """v1 came with Gateway API 1.5; an object is there in both."""
    source = {"group": GROUP, "kind": "HTTPRoute", "namespace": "a"}
    spec = {"from": [source], "to": [{"group": "", "kind": "Service"}]}
    grant = {"apiVersion": f"{GROUP}/{version}", "kind": "ReferenceGrant", "metadata": {"name": "g"}, "spec": spec}
    assert "created" in world.kubectl("apply", "-f", "-", stdin=json.dumps(grant))
    for other in ("v1", "v1beta1"):
        found = json.loads(world.kubectl("get", f"referencegrants.{other}.{GROUP}", "g", "-o", "json"))
        assert (found["apiVersion"], found["spec"]) == (f"{GROUP}/{other}", spec)
    world.kubectl("delete", "referencegrant", "g")
