"""RequestAuthentications: whose tokens waypoints verify, and what is wrong with them."""

import json
from collections.abc import Iterator, Mapping

from ..objects import Object
from .binding import Gate
from .model import TokenRule
from .policy_rules import target_mistakes
from .view import View, age_of, spec_of
from .waypoint_policies import aimed_at, bindings
from .words import is_exact, seconds


def token_mistakes(item: Object) -> Iterator[str]:
    """What Istio's validation refuses in a RequestAuthentication, in its words."""
    yield from target_mistakes(item)
    for rule in spec_of(item).get("jwtRules") or ():
        if not rule.get("issuer") and not rule.get("jwksUri"):
            yield "issuer or jwksUri must be non-empty string"
        if rule.get("jwks") and not is_key_set(str(rule["jwks"])):
            yield f"jwks parse error: failed to unmarshal JWK set: {str(rule['jwks'])[:40]!r} is no key set"
        if not is_exact(seconds(rule.get("timeout"))):
            yield "only durations to ms precision are supported"


def is_key_set(text: str) -> bool:
    """Whether a text is a JSON Web Key Set."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("keys"), list)


def token_rules(
    view: View, known: Mapping[str, Gate]
) -> tuple[Mapping[str, tuple[TokenRule, ...]], Mapping[str, tuple[TokenRule, ...]]]:
    """By Service and by waypoint, the rules of those with a target, the oldest first; others reach no waypoint."""
    services: dict[str, tuple[TokenRule, ...]] = {}
    gateways: dict[str, tuple[TokenRule, ...]] = {}
    for each in sorted(view.authentications, key=age_of):
        rules = rules_of(each)
        for binding in bindings(view, known, each):
            if binding.bound:
                kept = services if binding.kind in ("Service", "ServiceEntry") else gateways
                for key in aimed_at(view, known, binding):
                    kept[key] = (*kept.get(key, ()), *rules)
    return services, gateways


def rules_of(item: Object) -> tuple[TokenRule, ...]:
    """The rules of one RequestAuthentication."""
    return tuple(_rule(rule) for rule in spec_of(item).get("jwtRules") or ())


def _rule(rule: Object) -> TokenRule:
    headers = tuple((str(each["name"]), str(each.get("prefix", ""))) for each in rule.get("fromHeaders") or ())
    copied = tuple((str(each["header"]), str(each["claim"])) for each in rule.get("outputClaimToHeaders") or ())
    return TokenRule(
        issuer=str(rule.get("issuer") or ""),
        audiences=tuple(rule.get("audiences") or ()),
        keys=str(rule.get("jwks") or ""),
        uri=str(rule.get("jwksUri") or ""),
        from_headers=headers,
        from_params=tuple(rule.get("fromParams") or ()),
        from_cookies=tuple(rule.get("fromCookies") or ()),
        payload_header=str(rule.get("outputPayloadToHeader") or ""),
        claim_headers=copied,
        forwarded=bool(rule.get("forwardOriginalToken")),
        spaced=tuple(rule.get("spaceDelimitedClaims") or ()),
        timeout=seconds(rule.get("timeout", "5s")),
    )
