"""Tokens at a waypoint, by a real Envoy; and what is counted and logged, or not."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from pytest_ambient.embedded.dataplane.tokens import request_principal, token_filters
from pytest_ambient.embedded.istiod.model import Condition, L7Policy, L7Rule, Source, TokenRule
from pytest_ambient.embedded.objects import Object

from .conftest import Bookinfo
from .test_waypoint_policy import WAYPOINT, denied

_KEY = ec.generate_private_key(ec.SECP256R1())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signed(**claims: Any) -> str:
    head, body = ({"alg": "ES256"}, {"iss": "i", "sub": "s", "exp": 4102444800, **claims})
    message = ".".join(_text(json.dumps(part).encode()) for part in (head, body))
    pair = decode_dss_signature(_KEY.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{message}.{_text(b''.join(each.to_bytes(32, 'big') for each in pair))}"


def _keys() -> str:
    numbers = _KEY.public_key().public_numbers()
    point = {name: _text(value.to_bytes(32, "big")) for name, value in (("x", numbers.x), ("y", numbers.y))}
    return json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", **point}]})


def _asking(bookinfo: Bookinfo, token: str = "") -> tuple[int, str]:
    header = ("-H", f"Authorization: Bearer {token}") if token else ()
    reply = bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews, "/", *header)
    return reply.status, "" if reply.status == 200 else reply.body


def test_tokens_and_their_claims(bookinfo: Bookinfo) -> None:
    """Wrong ones are refused in Envoy's words (recorded), none passes, and policies see what a good one says."""
    rule = L7Rule(
        (Source(request_principals=("i/s", "other/*")),), (), (Condition("request.auth.claims[groups]", ("a",)),)
    )
    policy = L7Policy("p", "bookinfo", "ALLOW", (rule,))
    checks: Any = {"service_tokens": {"bookinfo/reviews": (TokenRule("i", keys=_keys()),)}}
    with bookinfo.world.having(**checks):
        assert _asking(bookinfo)[0] == _asking(bookinfo, _signed())[0] == 200
        assert _asking(bookinfo, _signed()[:-4] + "AAAA") == (401, "Jwt verification fails")
        assert _asking(bookinfo, _signed(exp=1)) == (401, "Jwt is expired")
        assert _asking(bookinfo, _signed(iss="you")) == (401, "Jwt issuer is not configured")
        words = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
        assert _asking(bookinfo, "garbage") == (401, words)
    assert bookinfo.world.logged(WAYPOINT, "401 - jwt_authn_access_denied{Jwt_is_expired}")
    with bookinfo.world.having(**checks, service_policies={"bookinfo/reviews": (policy,)}):
        assert denied(bookinfo.world.call(bookinfo.curl, bookinfo.to_reviews))
        assert _asking(bookinfo, _signed(groups=["a", "b"]))[0] == _asking(bookinfo, _signed(groups="a"))[0] == 200
        assert _asking(bookinfo, _signed(groups=["b"]))[0] == _asking(bookinfo, _signed(groups="a", sub="t"))[0] == 403
        assert _asking(bookinfo, "garbage")[0] == 401


@pytest.mark.parametrize(
    ("claim", "spaced", "status"),
    [
        pytest.param("roles", (), 403, id="one-text"),
        pytest.param("roles", ("roles",), 200, id="words"),
        pytest.param("scope", (), 200, id="words-by-custom"),
        pytest.param("permission", ("roles",), 200, id="words-by-custom-beside-others"),
    ],
)
def test_claims_of_several_words(bookinfo: Bookinfo, claim: str, spaced: tuple[str, ...], status: int) -> None:
    """A policy sees each word of such a claim, of others the whole text."""
    rule = L7Rule((), (), (Condition(f"request.auth.claims[{claim}]", ("a",)),))
    checks: Any = {
        "service_tokens": {"bookinfo/reviews": (TokenRule("i", keys=_keys(), spaced=spaced),)},
        "service_policies": {"bookinfo/reviews": (L7Policy("p", "bookinfo", "ALLOW", (rule,)),)},
    }
    with bookinfo.world.having(**checks):
        assert _asking(bookinfo, _signed(**{claim: "b a"}))[0] == status


@pytest.mark.parametrize(
    ("value", "issuer", "subject"),
    [
        ("i/s", {"exact": "i"}, {"exact": "s"}),
        ("http://i/x/s", {"exact": "http://i/x"}, {"exact": "s"}),
        ("*", {"safe_regex": {"regex": ".+"}}, {"safe_regex": {"regex": ".+"}}),
        ("i/*", {"exact": "i"}, {"safe_regex": {"regex": ".+"}}),
        ("*/s", {"safe_regex": {"regex": ".+"}}, {"exact": "s"}),
        ("*@i/s", {"suffix": "@i"}, {"exact": "s"}),
        ("i/s*", {"exact": "i"}, {"prefix": "s"}),
        ("i*", {"prefix": "i"}, {"safe_regex": {"regex": ".+"}}),
        ("*s", {"safe_regex": {"regex": ".+"}}, {"suffix": "s"}),
        ("i", {"exact": "i"}, {"exact": ""}),
    ],
)
def test_forms_of_a_principal(value: str, issuer: Object, subject: Object) -> None:
    """Split at the last slash, as an issuer may be an address; a text alone is an issuer."""
    found = request_principal(value)["and_ids"]["ids"]
    told = [each["sourced_metadata"]["metadata_matcher"]["value"]["string_match"] for each in found]
    assert told == [issuer, subject]


def test_several_rules() -> None:
    """One good token is enough where several look in one place; elsewhere each must be right or missing."""
    filters = token_filters((TokenRule("a", keys="{}"), TokenRule("b", keys="{}")))
    wanted = filters[0]["typed_config"]["rules"][0]["requires"]["requires_any"]["requirements"]
    assert [next(iter(each)) for each in wanted] == ["provider_name", "provider_name", "requires_all"]
    assert token_filters(()) == []
