"""Asking in somebody else's name: `kubectl --as` and `--as-group`."""

from multidict import CIMultiDictProxy

from .auth import AUTHENTICATED, Caller
from .errors import bad_request
from .rbac import Wish, allowed, refusal
from .store import Store

_ACCOUNT = "system:serviceaccount:"


def impersonated(store: Store, who: Caller, headers: CIMultiDictProxy[str]) -> Caller:
    """The caller in whose name a request is to be judged; 403 when `who` may not speak for that one."""
    name = headers.get("Impersonate-User", "")
    groups = tuple(headers.getall("Impersonate-Group", []))
    if not name:
        if groups:
            raise bad_request("requested [] without impersonating a user name")
        return who
    for wish in (_user(name), *(Wish("impersonate", resource="groups", name=each) for each in groups)):
        if allowed(store, who, wish) is None:
            raise refusal(who, wish)
    if name.startswith(_ACCOUNT) and not groups:
        namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return Caller(name, (*groups, AUTHENTICATED) if AUTHENTICATED not in groups else groups)


def _user(name: str) -> Wish:
    if not name.startswith(_ACCOUNT):
        return Wish("impersonate", resource="users", name=name)
    namespace, _, account = name.removeprefix(_ACCOUNT).partition(":")
    return Wish("impersonate", resource="serviceaccounts", namespace=namespace, name=account)
