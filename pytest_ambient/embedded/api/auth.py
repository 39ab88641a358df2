"""Who is asking: told by a client certificate or a service account token."""

from dataclasses import dataclass
from typing import Any

from ..objects import Object
from .errors import unauthorized
from .resources import find
from .store import Store
from .tokens import ISSUER, Tokens

AUTHENTICATED = "system:authenticated"
_ACCOUNTS = find("ServiceAccount")


@dataclass(frozen=True)
class Caller:
    """A user and the groups that it is in."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What else is said of it, by key."""

    def info(self) -> Object:
        """As reviews tell it."""
        answer: Object = {"username": self.name, "groups": list(self.groups)}
        answer |= {"uid": self.uid} if self.uid else {}
        return answer | ({"extra": {key: list(values) for key, values in self.extra}} if self.extra else {})


def caller(store: Store, tokens: Tokens, certificate: Any, header: str) -> Caller:
    """The caller of a request; 401 when neither its certificate nor its Authorization header says who it is."""
    if header.startswith("Bearer "):
        found = by_token(store, tokens, header.removeprefix("Bearer ").strip())
        if found is None:
            raise unauthorized()
        return found
    if not certificate:
        raise unauthorized()
    subject = [pair for part in certificate["subject"] for pair in part]
    name = next((value for key, value in subject if key == "commonName"), "")
    groups = [value for key, value in subject if key == "organizationName"]
    return Caller(name, (*groups, AUTHENTICATED))


def by_token(store: Store, tokens: Tokens, token: str, audiences: tuple[str, ...] = (ISSUER,)) -> Caller | None:
    """The service account that a token speaks for, None when it does not hold."""
    claims = tokens.claims(token)
    if claims is None or not set(audiences) & set(claims["aud"]):
        return None
    about = claims["kubernetes.io"]
    namespace, named = about["namespace"], about["serviceaccount"]
    account = store.get(_ACCOUNTS, named["name"], namespace)
    if account is None or account["metadata"]["uid"] != named["uid"]:
        return None
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return Caller(claims["sub"], groups, named["uid"])
