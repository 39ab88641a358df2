"""The check of tokens (JWT) at a waypoint, by Envoy's own filter and under the names that Istio gives its parts."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from ..istiod.model import TokenRule
from ..objects import Object
from .xds import part

FILTER = "envoy.filters.http.jwt_authn"
PAYLOAD = "payload"
"""Where among the filter's metadata the claims of a verified token are."""

_SPACED = ("permission", "scope")
"""Claims of which each word is a value by custom."""


def token_filters(rules: Sequence[TokenRule], *, unchecked: bool = False) -> list[Object]:
    """The filter that refuses wrong tokens and lets requests without one pass; with `unchecked` it refuses nobody."""
    if not rules:
        return []
    providers = {f"origins-{number}": _provider(rule) for number, rule in enumerate(rules)}
    lenient: Object = {"allow_missing_or_failed": {}} if unchecked else {"allow_missing": {}}
    each = [_any({"provider_name": name}, lenient) for name in providers]
    # a token that several look for in one place is another's for all but one of them
    wanted = each[0] if len(each) == 1 else _any(*({"provider_name": name} for name in providers), _all(*each))
    kind = "extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    rule = {"match": {"prefix": "/"}, "requires": wanted}
    return [part(FILTER, kind, providers=providers, rules=[rule], bypass_cors_preflight=True)]


def _any(*requirements: Object) -> Object:
    return {"requires_any": {"requirements": list(requirements)}}


def _all(*requirements: Object) -> Object:
    return {"requires_all": {"requirements": list(requirements)}}


def _provider(rule: TokenRule) -> Object:
    found: Object = {
        "issuer": rule.issuer,
        "local_jwks": {"inline_string": rule.keys or _nobodys_keys()},
        "payload_in_metadata": PAYLOAD,
        "normalize_payload_in_metadata": {"space_delimited_claims": sorted({*_SPACED, *rule.spaced})},
        "forward": rule.forwarded,
        "audiences": list(rule.audiences),
        "from_headers": [{"name": name, "value_prefix": prefix} for name, prefix in rule.from_headers],
        "from_params": list(rule.from_params),
        "from_cookies": list(rule.from_cookies),
        "forward_payload_header": rule.payload_header,
        "claim_to_headers": [{"header_name": header, "claim_name": claim} for header, claim in rule.claim_headers],
    }
    return {name: value for name, value in found.items() if value not in ("", [])}


@cache
def _nobodys_keys() -> str:
    """What stands for keys that could not be fetched, as in Istio: a key that nobody has (Envoy wants at least one)."""
    modulus = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
    text = urlsafe_b64encode(modulus.to_bytes(256, "big")).decode().rstrip("=")
    return json.dumps({"keys": [{"kty": "RSA", "kid": "nobodys", "e": "AQAB", "n": text}]})


def request_principal(value: str) -> Object:
    """The match of `ISSUER/SUBJECT`, `*` forms included: a principal of Envoy's RBAC."""
    if "/" in value:
        issuer, _, subject = value.rpartition("/")
        pair = _form(issuer), _form(subject)
    elif value.startswith("*"):
        pair = _ANY, _form(value)
    else:
        pair = _form(value), _ANY if value.endswith("*") else {"exact": ""}
    return {"and_ids": {"ids": [_claim(["iss"], pair[0]), _claim(["sub"], pair[1])]}}


def claim(names: Sequence[str], match: Object) -> Object:
    """The match of a claim, or of one value of a claim that is a list."""
    either = {
        "or_match": {"value_matchers": [{"string_match": match}, {"list_match": {"one_of": {"string_match": match}}}]}
    }
    return _metadata(names, either)


_ANY: Object = {"safe_regex": {"regex": ".+"}}


def _form(value: str) -> Object:
    if value == "*":
        return _ANY
    if value.startswith("*"):
        return {"suffix": value[1:]}
    return {"prefix": value[:-1]} if value.endswith("*") else {"exact": value}


def _claim(names: Sequence[str], match: Object) -> Object:
    return _metadata(names, {"string_match": match})


def _metadata(names: Sequence[str], value: Object) -> Object:
    path = [{"key": name} for name in (PAYLOAD, *names)]
    return {"sourced_metadata": {"metadata_matcher": {"filter": FILTER, "path": path, "value": value}}}
