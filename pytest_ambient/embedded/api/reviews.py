"""Reviews: who am I, what may I do, whose token is this; and tokens for service accounts."""

from typing import Any

from ..objects import Object
from .auth import Caller, by_token
from .body import object_for
from .conform import take
from .errors import Cause, invalid
from .rbac import Wish, allowed, rules_for
from .reads import current
from .resources import Resource
from .route import Target
from .store import Store, timestamp
from .tokens import ISSUER, Tokens
from .write_options import Options

_TOKEN_REQUEST = Resource("authentication.k8s.io", "v1", "TokenRequest", "tokenrequests")
_BRIEFEST = 600


def review(store: Store, tokens: Tokens, who: Caller, about: Target, content: Any, how: Options) -> Object:
    """The review that a client sent, answered."""
    asked = object_for(about, content)
    take(store, about, asked, how)
    spec = asked.get("spec") or {}
    kind = about.resource.kind
    if kind == "SelfSubjectReview":
        return asked | {"metadata": {"creationTimestamp": timestamp()}, "status": {"userInfo": who.info()}}
    if kind == "SelfSubjectRulesReview":
        return asked | {"status": _rules(store, who, spec.get("namespace", ""))}
    if kind == "TokenReview":
        return asked | {"status": _token(store, tokens, spec)}
    if kind != "SelfSubjectAccessReview":
        who = Caller(spec.get("user", ""), tuple(spec.get("groups") or ()))
    why = allowed(store, who, _wish(spec))
    status: Object = {"allowed": why is not None}
    return asked | {"status": status | ({"reason": why} if why else {})}


def _wish(spec: Object) -> Wish:
    if path := spec.get("nonResourceAttributes"):
        return Wish(path.get("verb", ""), path=path.get("path", ""))
    wanted = spec.get("resourceAttributes") or {}
    names = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Wish(**{name: wanted.get(name, "") for name in names})


def _rules(store: Store, who: Caller, namespace: str) -> Object:
    rules = rules_for(store, who, namespace)
    return {
        "incomplete": False,
        "resourceRules": [each for each in rules if "nonResourceURLs" not in each],
        "nonResourceRules": [each for each in rules if "nonResourceURLs" in each],
    }


def _token(store: Store, tokens: Tokens, spec: Object) -> Object:
    audiences = tuple(spec.get("audiences") or (ISSUER,))
    who = by_token(store, tokens, spec.get("token", ""), audiences)
    if who is None:
        return {"user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": who.info(), "audiences": list(audiences)}


def token_request(store: Store, tokens: Tokens, about: Target, content: Any) -> Object:
    """A new token for a service account."""
    account = current(store, about)
    asked = object_for(Target(_TOKEN_REQUEST, "v1", about.namespace, about.name), content)
    spec = asked.get("spec") or {}
    if (lasting := spec.get("expirationSeconds") or 3600) < _BRIEFEST:
        why = f"Invalid value: {lasting}: may not specify a duration less than 10 minutes"
        raise invalid(_TOKEN_REQUEST, "", [Cause("spec.expirationSeconds", why)])
    audiences = spec.get("audiences") or [ISSUER]
    token, until = tokens.issue(account, audiences, spec.get("expirationSeconds"))
    given = {"audiences": audiences, "expirationSeconds": spec.get("expirationSeconds") or 3600}
    asked["metadata"]["creationTimestamp"] = timestamp()
    return asked | {"spec": spec | given, "status": {"token": token, "expirationTimestamp": until}}
