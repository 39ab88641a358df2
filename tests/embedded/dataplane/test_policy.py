"""L4 policies, worked out for a destination."""

import pytest

from pytest_ambient.embedded.dataplane.policy import NONE_ALLOWED, Arrival, decide, denied_by
from pytest_ambient.embedded.istiod.model import Action, Identity, L4Clause, L4Match, L4Policy, L4Rule, StringMatch

HBONE = Arrival("127.64.1.2", 9080, mutual_tls=True)
PLAINTEXT = Arrival("127.64.1.2", 9080, mutual_tls=False)
CURL = StringMatch("exact", "cluster.local/ns/bookinfo/sa/curl")
ANYBODY = StringMatch("presence")
NOBODY_KNOWN = L4Match(not_principals=(ANYBODY,))


def policy(action: Action, *matches: L4Match, name: str = "p") -> L4Policy:
    """A policy of one rule with one clause."""
    return L4Policy(name, "bookinfo", "Namespace", action, (L4Rule((L4Clause(matches),)),))


def named(match: dict[str, object]) -> dict[str, object]:
    """Envoy's principal for the name in a certificate."""
    return {"authenticated": {"principal_name": match}}


@pytest.mark.parametrize(
    ("match", "arrival", "claim"),
    [
        pytest.param(L4Match(principals=(CURL,)), PLAINTEXT, False, id="no-certificate-no-principal"),
        pytest.param(L4Match(not_principals=(CURL,)), PLAINTEXT, True, id="not-principals-matches-plaintext"),
        pytest.param(L4Match(not_namespaces=(ANYBODY,)), PLAINTEXT, True, id="not-namespaces-matches-plaintext"),
        pytest.param(L4Match(not_service_accounts=(Identity("a", "b"),)), PLAINTEXT, True, id="not-accounts-too"),
        pytest.param(L4Match(destination_ports=(9080,)), PLAINTEXT, True, id="port"),
        pytest.param(L4Match(destination_ports=(80,)), HBONE, False, id="other-port"),
        pytest.param(L4Match(not_destination_ports=(9080,)), HBONE, False, id="not-port"),
        pytest.param(L4Match(destination_ips=("127.64.1.0/24",)), HBONE, True, id="address"),
        pytest.param(L4Match(not_destination_ips=("127.64.1.2",)), HBONE, False, id="not-address"),
        pytest.param(L4Match(principals=(CURL,), destination_ports=(80,)), HBONE, False, id="every-field-must-hold"),
        pytest.param(
            L4Match(principals=(CURL,)),
            HBONE,
            named({"exact": "spiffe://cluster.local/ns/bookinfo/sa/curl"}),
            id="principal",
        ),
        pytest.param(
            L4Match(principals=(StringMatch("suffix", "/sa/curl"),)), HBONE, named({"suffix": "/sa/curl"}), id="suffix"
        ),
        pytest.param(
            L4Match(principals=(StringMatch("prefix", "cluster.local/"),)),
            HBONE,
            named({"prefix": "spiffe://cluster.local/"}),
            id="prefix",
        ),
        pytest.param(
            L4Match(namespaces=(StringMatch("prefix", "a.b"),)),
            HBONE,
            named({"safe_regex": {"regex": r"spiffe://[^/]+/ns/a\.b[^/]*/sa/.*"}}),
            id="namespace-prefix",
        ),
        pytest.param(
            L4Match(not_service_accounts=(Identity("bookinfo", "curl"),)),
            HBONE,
            {"not_id": named({"exact": "spiffe://cluster.local/ns/bookinfo/sa/curl"})},
            id="not-account",
        ),
        pytest.param(
            L4Match(source_ips=("10.0.0.1",)),
            HBONE,
            {"direct_remote_ip": {"address_prefix": "10.0.0.1", "prefix_len": 32}},
            id="source-of-a-tunnel",
        ),
        pytest.param(
            L4Match(source_ips=("10.0.0.0/8",)),
            PLAINTEXT,
            {"remote_ip": {"address_prefix": "10.0.0.0", "prefix_len": 8}},
            id="source-in-plaintext",
        ),
    ],
)
def test_match(match: L4Match, arrival: Arrival, claim: object) -> None:
    """What is known of the destination decides at once; the rest is a question about the caller."""
    denied = decide([policy("DENY", match)], arrival).deny
    assert denied == ({} if claim is False else {"bookinfo/p": claim})


@pytest.mark.parametrize(
    ("policies", "arrival", "refusal"),
    [
        pytest.param([], PLAINTEXT, None, id="no-policy-allows"),
        pytest.param([policy("ALLOW", L4Match(principals=(CURL,)))], PLAINTEXT, NONE_ALLOWED, id="no-allow-matches"),
        pytest.param([L4Policy("p", "b", "Namespace", "ALLOW", ())], HBONE, NONE_ALLOWED, id="allow-without-rules"),
        pytest.param([L4Policy("p", "b", "Namespace", "ALLOW", (L4Rule(()),))], HBONE, None, id="empty-rule-allows"),
        pytest.param([policy("DENY", L4Match())], HBONE, None, id="an-emptied-match-never-fires"),
        pytest.param([policy("ALLOW", L4Match())], HBONE, NONE_ALLOWED, id="nor-in-an-allow"),
        pytest.param([policy("DENY", NOBODY_KNOWN)], PLAINTEXT, denied_by("bookinfo/p"), id="strict-plaintext"),
        pytest.param(
            [policy("DENY", L4Match(destination_ports=(9080,)), name="d"), policy("ALLOW", NOBODY_KNOWN)],
            PLAINTEXT,
            denied_by("bookinfo/d"),
            id="deny-beats-allow",
        ),
    ],
)
def test_refusal(policies: list[L4Policy], arrival: Arrival, refusal: str | None) -> None:
    """Where everybody is refused, the reason is known beforehand."""
    assert decide(policies, arrival).refusal == refusal


def test_strict_asks_certificate_holders_nothing_but_their_certificate() -> None:
    """STRICT denies whoever has no certificate, and behind a tunnel everybody has one."""
    assert decide([policy("DENY", NOBODY_KNOWN)], HBONE).deny == {"bookinfo/p": {"not_id": {"authenticated": {}}}}


def test_clauses_must_all_hold() -> None:
    """A port-level PERMISSIVE exempts its port from STRICT."""
    rule = L4Rule((L4Clause((NOBODY_KNOWN,)), L4Clause((L4Match(not_destination_ports=(9080,)),))))
    ported = L4Policy("p", "bookinfo", "WorkloadSelector", "DENY", (rule,))
    assert decide([ported], PLAINTEXT).refusal is None
    assert decide([ported], Arrival("127.64.1.2", 80, mutual_tls=False)).refusal == denied_by("bookinfo/p")


def test_rules_are_left_out_where_they_refuse_nobody() -> None:
    """An ALLOW that admits everybody needs no filter, and one that admits nobody is a filter without policies."""
    assert decide([policy("ALLOW", L4Match(destination_ports=(9080,)))], HBONE).rules == {}
    assert decide([L4Policy("p", "b", "Namespace", "ALLOW", ())], HBONE).rules == {
        "allow": {"action": "ALLOW", "policies": {}}
    }
