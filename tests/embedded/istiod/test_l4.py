"""Policies without a target become what ztunnel was seen to hold."""

from typing import Any

import pytest

from pytest_ambient.embedded.istiod.authorization import convert
from pytest_ambient.embedded.istiod.model import Identity, L4Match, L4Policy, L4Rule, StringMatch
from pytest_ambient.embedded.istiod.peers import STATIC_STRICT, peer_keys, peer_policies
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object, annotations_of, name_of

from .world import mesh_of, peer, pod, policy, recorded

FIELDS = {
    "principals": "principals", "not_principals": "notPrincipals", "namespaces": "namespaces",
    "not_namespaces": "notNamespaces", "destination_ports": "destinationPorts",
    "not_destination_ports": "notDestinationPorts",
}  # fmt: skip


def as_ztunnel(policy: L4Policy) -> Object:
    """The policy in the words of `istioctl ztunnel-config policies -o json`."""
    rules = [[[_match(each) for each in clause.matches] for clause in rule.clauses] for rule in policy.rules]
    words = {"name": policy.name, "namespace": policy.namespace, "scope": policy.scope}
    return words | {"action": policy.action.capitalize(), "rules": rules}


def _match(match: L4Match) -> Object:
    values = {theirs: getattr(match, ours) for ours, theirs in FIELDS.items()}
    return {field: [_value(each) for each in value] for field, value in values.items() if value}


def _value(value: Any) -> Any:
    if not isinstance(value, StringMatch):
        return value
    return {value.kind.capitalize(): [] if value.kind == "presence" else value.value}


def sorted_policies(policies: list[Object]) -> list[Object]:
    """In an order that does not depend on who made the list."""
    return sorted(policies, key=lambda each: str(each["name"]))


@pytest.mark.parametrize("entry", recorded("ztunnel"), ids=lambda each: name_of(each["object"]))
def test_ztunnel_holds_what_was_recorded(entry: Object) -> None:
    """The policy that ztunnel gets is the recorded one, empty matches and dropped rules included."""
    item = entry["object"]
    made = peer_policies([item]) if item["kind"] == "PeerAuthentication" else [convert(item).policy]
    policies = [as_ztunnel(each) for each in made if each is not None]
    assert sorted_policies(policies) == sorted_policies(entry["ztunnel"])


@pytest.mark.parametrize(
    ("written", "match"),
    [("*", StringMatch("presence")), ("a*", StringMatch("prefix", "a")), ("*a", StringMatch("suffix", "a"))],
)
def test_star_forms(written: str, match: StringMatch) -> None:
    """Strings with a star become presence, prefix and suffix."""
    made = convert(policy("p", {"rules": [{"from": [{"source": {"principals": [written]}}]}]})).policy
    assert made is not None
    assert made.rules[0].clauses[0].matches[0].principals == (match,)


def test_service_accounts_default_to_the_policys_namespace() -> None:
    """`sa` and `ns/sa` are both understood."""
    spec = {"rules": [{"from": [{"source": {"serviceAccounts": ["curl", "other/curl"]}}]}]}
    made = convert(policy("p", spec)).policy
    assert made is not None
    assert made.rules[0].clauses[0].matches[0].service_accounts == (
        Identity("bookinfo", "curl"),
        Identity("other", "curl"),
    )


def test_empty_spec_and_empty_rule_differ() -> None:
    """`spec: {}` has no rule, so it admits nobody; `rules: [{}]` has one that asks nothing."""
    nothing, everything = convert(policy("p", {})).policy, convert(policy("p", {"rules": [{}]})).policy
    assert nothing is not None
    assert everything is not None
    assert (nothing.rules, everything.rules) == ((), (L4Rule(()),))


def test_each_condition_is_a_clause_of_its_own() -> None:
    """`when` conditions must all hold, beside from and to; a value and its not-form share the clause."""
    when = [{"key": "source.ip", "notValues": ["10.0.0.0/8"]}, {"key": "destination.port", "values": ["9080"]}]
    made = convert(policy("p", {"rules": [{"when": when}]})).policy
    assert made is not None
    assert [each.matches for each in made.rules[0].clauses] == [
        (L4Match(not_source_ips=("10.0.0.0/8",)),),
        (L4Match(destination_ports=(9080,)),),
    ]


def test_dry_run_is_not_enforced_and_says_so() -> None:
    """A dry-run policy is reported as unsupported and holds nowhere."""
    item = policy("p", {"action": "DENY", "rules": [{}]})
    item["metadata"]["annotations"] = {"istio.io/dry-run": "true"}
    assert annotations_of(item)
    made = convert(item)
    assert (made.policy, made.reason) == (None, "UnsupportedValue")
    assert made.message == (
        'found policy "bookinfo/p" using dry-run annotation, '
        "but support for ambient dry-run authorizationPolicies isn't enabled"
    )
    item["metadata"]["annotations"] = {"istio.io/dry-run": "no"}
    assert convert(item).policy is not None


@pytest.mark.parametrize(("where", "scope"), [("bookinfo", "Namespace"), ("istio-system", "Global")])
def test_scope_without_selector(where: str, scope: str) -> None:
    """A policy without a selector holds for its namespace, in the root namespace for the mesh."""
    made = convert(policy("p", {}, where)).policy
    assert made is not None
    assert made.scope == scope


def test_root_selector_reaches_every_namespace() -> None:
    """A selector policy of the root namespace lists on pods of every namespace, any other one only on its own."""
    spec = {"selector": {"matchLabels": {"app": "reviews"}}}
    view = View(
        pods=[pod("a", "reviews", "127.80.1.1"), pod("b", "details", "127.80.1.2")],
        policies=[policy("own", spec), policy("root", spec, "istio-system"), policy("foreign", spec, "other")],
    )
    listed = {each.name: each.policies for each in mesh_of(view).workloads.values()}
    assert listed == {"a": ("bookinfo/own", "istio-system/root"), "b": ()}


STRICT, PERMISSIVE, DISABLE = ({"mtls": {"mode": mode}} for mode in ("STRICT", "PERMISSIVE", "DISABLE"))
REVIEWS: Object = {"selector": {"matchLabels": {"app": "reviews"}}}


@pytest.mark.parametrize(
    ("peers", "keys"),
    [
        ([peer("default", STRICT)], [STATIC_STRICT.key]),
        ([peer("default", PERMISSIVE)], []),
        ([peer("default", DISABLE)], []),
        ([peer("default", STRICT, "istio-system")], [STATIC_STRICT.key]),
        ([peer("default", STRICT, "istio-system"), peer("default", PERMISSIVE)], []),
        ([peer("default", STRICT, "istio-system"), peer("default", {"mtls": {}})], [STATIC_STRICT.key]),
        ([peer("default", STRICT), peer("own", REVIEWS | PERMISSIVE)], []),
        ([peer("default", PERMISSIVE), peer("own", REVIEWS | STRICT)], [STATIC_STRICT.key]),
        ([peer("own", REVIEWS | STRICT, "istio-system")], []),
        ([peer("young", STRICT, created="2027"), peer("old", PERMISSIVE, created="2025")], []),
    ],
)
def test_narrower_peer_authentication_wins(peers: list[Object], keys: list[str]) -> None:
    """Workload beats namespace beats mesh, the oldest its equals; DISABLE is PERMISSIVE; a root selector is nothing."""
    assert peer_keys(peers, pod("a", "reviews", "127.80.1.1")) == keys


@pytest.mark.parametrize(
    ("mode", "port", "around", "key"),
    [
        ("STRICT", "PERMISSIVE", None, "own"),
        ("STRICT", "DISABLE", None, "own"),
        ("STRICT", "STRICT", None, "static"),
        ("PERMISSIVE", "STRICT", None, "own"),
        ("PERMISSIVE", "PERMISSIVE", None, ""),
        (None, "PERMISSIVE", STRICT, "own"),
        (None, "DISABLE", STRICT, "static"),
        (None, "STRICT", STRICT, "static"),
        (None, "STRICT", None, "own"),
    ],
)
def test_port_level_modes(mode: str | None, port: str, around: Object | None, key: str) -> None:
    """A port's mode is an exception to what holds otherwise; without one the plain strict policy does."""
    spec = REVIEWS | {"portLevelMtls": {"9080": {"mode": port}}} | ({"mtls": {"mode": mode}} if mode else {})
    peers = [peer("own", spec)] + ([peer("default", around)] if around else [])
    expected = {"own": ["bookinfo/converted_peer_authentication_own"], "static": [STATIC_STRICT.key], "": []}[key]
    assert peer_keys(peers, pod("a", "reviews", "127.80.1.1")) == expected
    if key == "own":
        assert expected[0] in {each.key for each in peer_policies(peers)}


@pytest.mark.parametrize(
    ("around", "there"), [({}, False), ({"mtls": {"mode": "UNSET"}}, False), (STRICT, True), (None, True)]
)
def test_a_namespace_without_a_mode_hides_the_meshs(around: Object | None, there: bool) -> None:
    """istiod names the port-level policy to the workload, and does not make it: nobody is refused."""
    peers = [
        peer("mesh", STRICT, "istio-system"),
        peer("own", REVIEWS | {"portLevelMtls": {"80": {"mode": "PERMISSIVE"}}}),
    ]
    peers += [] if around is None else [peer("default", around)]
    assert peer_keys(peers, pod("a", "reviews", "127.80.1.1")) == ["bookinfo/converted_peer_authentication_own"]
    assert ("bookinfo/converted_peer_authentication_own" in {each.key for each in peer_policies(peers)}) == there


@pytest.mark.parametrize(
    ("mesh", "around", "there"),
    [
        (STRICT, None, False),
        (STRICT, {}, False),
        (STRICT, PERMISSIVE, True),
        (PERMISSIVE, None, True),
        (None, None, True),
    ],
)
@pytest.mark.parametrize("mode", ["PERMISSIVE", "DISABLE"])
def test_a_strict_mesh_opens_the_strict_port_of_an_open_workload(
    mesh: Object | None, around: Object | None, there: bool, mode: str
) -> None:
    """istiod takes the port for shut by the mesh, whose mode does not hold there, and makes no policy for it."""
    own = REVIEWS | {"mtls": {"mode": mode}, "portLevelMtls": {"9080": {"mode": "STRICT"}}}
    peers = [peer("own", own)]
    peers += [] if mesh is None else [peer("mesh", mesh, "istio-system")]
    peers += [] if around is None else [peer("default", around)]
    assert peer_keys(peers, pod("a", "reviews", "127.80.1.1")) == ["bookinfo/converted_peer_authentication_own"]
    assert ("bookinfo/converted_peer_authentication_own" in {each.key for each in peer_policies(peers)}) == there


def test_no_peer_authentication_no_strict_policy() -> None:
    """The strict policy exists only once there is a PeerAuthentication."""
    assert peer_policies([]) == []
