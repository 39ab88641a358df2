"""What is taken out of texts and objects before they are written, and what must stay readable."""

import base64
import json
from typing import Any

import pytest

from pytest_ambient.redact import GONE, cleaned, credentials, redacted, shown

JWT = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.eyJhdWQiOlsiaHR0cHM6Ly9rdWJlcm5ldGVzIl19.c2lnbmF0dXJl-_x"
KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\nabc\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"token {JWT} of x", f"token {GONE} of x"),
        (f"Authorization: Bearer {JWT}", f"Authorization: {GONE}"),
        ("curl -H 'authorization: Basic dTpw' http://a", f"curl -H 'authorization: {GONE}' http://a"),
        ("curl -H 'Cookie: session=abc; x=y' -X POST", f"curl -H 'Cookie: {GONE}' -X POST"),
        ("Cookie: a=\"b\"; c=d\nHost: x", f"Cookie: {GONE}\nHost: x"),
        ("< set-cookie: session=abc; Path=/", f"< set-cookie: {GONE}"),
        ('{"set-cookie": ["session=abc", "b=c"], "a": "b"}', f'{{"set-cookie": [{GONE}], "a": "b"}}'),
        ('{"Authorization": "Secret abc", "a": "b"}', f'{{"Authorization": "{GONE}", "a": "b"}}'),
        (r"{\"authorization\": \"abc\", \"a\": 1}", rf"{{\"authorization\": \"{GONE}\", \"a\": 1}}"),
        ("headers=(('cookie', 'session=abc'),)", f"headers=(('cookie', '{GONE}'),)"),
        ("{'x-api-key': ('abc', 'def')}", f"{{'x-api-key': [{GONE}]}}"),
        ("key\n" + KEY + "\nend", f"key\n-----BEGIN EC PRIVATE KEY-----{GONE}-----END EC PRIVATE KEY-----\nend"),
        ("-----BEGIN PRIVATE KEY-----\nMHcC", f"-----BEGIN PRIVATE KEY-----{GONE}"),
        ("    token: abcdef12", f"    token: {GONE}"),
        ("client-key-data: LS0tLS1C\nname: x", f"client-key-data: {GONE}\nname: x"),
        ('{"password": "pa ss", "user": "x"}', f'{{"password": "{GONE}", "user": "x"}}'),
        ("https://user:secret@registry.example/x", f"https://{GONE}@registry.example/x"),
        ("GET http://a/b?token=abc&x=1", f"GET http://a/b?token={GONE}&x=1"),
        ("pull with ghp_abcdefghijklmnopqrstuv", f"pull with {GONE}"),
        ("oc login sha256~abcdefghijklmnopqrstuvwx", f"oc login {GONE}"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_goes(text: str, left: str) -> None:
    """And what is around it stays; a second time nothing more goes."""
    assert redacted(text) == left
    assert redacted(left) == left
    assert redacted(f"\N{SNOWMAN}\n{text}") == f"\N{SNOWMAN}\n{left}"


@pytest.mark.parametrize(
    "text",
    [
        "AuthorizationPolicy istio-system/deny-all, security.istio.io/v1",
        "authorization.k8s.io is forbidden",
        "wanted   denied at L7: HTTP 403 from the waypoint",
        "the cookie is kept for that row only",
        'source.workload="curl" src.identity="spiffe://cluster.local/ns/bookinfo/sa/curl"',
        "repeat kubectl --context kind-ambient -n default exec deploy/curl -- curl -sS -X DELETE http://productpage:9080/",
        "serviceaccounts/token, secrets, passwords",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "http://productpage.bookinfo:9080/productpage?u=normal",
        "10.0.0.1:15008 connection closed due to policy rejection: explicitly denied by: bookinfo/no-token",
        "token: ",
        "basic authentication, bearer of news",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    """Evidence must remain readable."""
    assert redacted(text) == text


def test_known_values_go_wherever_they_are() -> None:
    """The longest first; what is too short would be found in innocent words."""
    known = ["opaque-token-1", "opaque-token-1234", "abc"]
    assert redacted("a opaque-token-1234 b opaque-token-1 abc", known) == f"a {GONE} b {GONE} abc"


def test_plain_values_are_cleaned_all_through() -> None:
    """Numbers and names of fields are left as they are."""
    value = cleaned({"token": [f"Bearer {JWT}", 3, None], "x": {"y": "z"}})
    assert value == {"token": [f"Bearer {GONE}", 3, None], "x": {"y": "z"}}


def test_objects_lose_what_their_place_makes_secret() -> None:
    """Whatever it looks like; names of keys and variables stay, so that one sees what there was."""
    last = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"}
    secret = {"kind": "Secret", "metadata": {"name": "s", "annotations": last}, "data": {"k": "djE="}}
    assert shown(secret) == {
        "kind": "Secret",
        "metadata": {"name": "s", "annotations": {"a": "b"}},
        "data": {"k": GONE},
        "stringData": {},
    }
    env: list[dict[str, Any]] = [
        {"name": "A", "value": "plain words"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"key": "k"}}},
    ]
    pod: dict[str, Any] = {
        "kind": "Pod",
        "spec": {"containers": [{"name": "c", "env": env}], "initContainers": [{"env": env[:1]}]},
    }
    found = shown(pod)
    assert found["spec"]["containers"][0]["env"] == [{"name": "A", "value": GONE}, env[1]]
    assert found["spec"]["initContainers"][0]["env"] == [{"name": "A", "value": GONE}]
    assert env[0]["value"] == "plain words"


def test_a_kubeconfig_says_what_must_not_be_read() -> None:
    """Tokens, keys as they are and decoded, passwords, what providers keep, environments of plugins."""
    key = base64.b64encode(KEY.encode()).decode()
    users = [
        {"name": "a", "user": {"token": "opaque-1", "client-key-data": key, "username": "ann"}},
        {"name": "b", "user": {"password": "hush-hush", "auth-provider": {"config": {"refresh-token": "fresh"}}}},
        {"name": "c", "user": {"exec": {"command": "login", "env": [{"name": "S", "value": "in-env"}]}}},
        {"name": "d"},
    ]
    found = credentials(json.dumps({"users": users}))
    assert found == {"opaque-1", key, KEY, "hush-hush", "fresh", "in-env"}
    assert credentials("{") == credentials("[]") == credentials("") == frozenset()
