"""Asking in somebody else's name: `kubectl --as`, `--as-group` and `--as-uid`."""

from collections.abc import Iterator
from urllib.parse import unquote

from multidict import CIMultiDictProxy

from .auth import AUTHENTICATED, Caller
from .errors import bad_request
from .rbac import Wish, allowed, refusal
from .store import Store

_ACCOUNT = "system:serviceaccount:"
_ANONYMOUS = "system:anonymous"
_USER, _GROUP, _UID, _EXTRA = "Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "impersonate-extra-"
_REVIEWS = "authentication.k8s.io"


def asked(headers: CIMultiDictProxy[str]) -> bool:
    """Whether a request speaks in somebody's name."""
    return any(name.lower().startswith("impersonate-") for name in headers)


def impersonated(store: Store, who: Caller, headers: CIMultiDictProxy[str]) -> Caller:
    """The caller in whose name a request is to be judged; 403 when `who` may not speak for that one."""
    name, uid = headers.get(_USER, ""), headers.get(_UID, "")
    groups, extra = tuple(headers.getall(_GROUP, [])), dict(_extra(headers))
    if not name:
        raise bad_request(f"requested {[*groups, *extra]} without impersonating a user")
    wishes = [_user(name), *(Wish("impersonate", resource="groups", name=each) for each in groups)]
    wishes += [Wish("impersonate", _REVIEWS, "uids", name=uid)] if uid else []
    wishes += [
        Wish("impersonate", _REVIEWS, "userextras", key, name=value)
        for key, values in extra.items()
        for value in values
    ]
    for wish in wishes:
        if allowed(store, who, wish) is None:
            raise refusal(who, wish)
    if name.startswith(_ACCOUNT) and not groups:
        namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    everybody = () if name == _ANONYMOUS or AUTHENTICATED in groups else (AUTHENTICATED,)
    return Caller(name, (*groups, *everybody), uid, tuple(extra.items()))


def _extra(headers: CIMultiDictProxy[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in dict.fromkeys(each.lower() for each in headers):
        if name.startswith(_EXTRA):
            yield unquote(name.removeprefix(_EXTRA)), tuple(headers.getall(name))


def _user(name: str) -> Wish:
    if not name.startswith(_ACCOUNT):
        return Wish("impersonate", resource="users", name=name)
    namespace, _, account = name.removeprefix(_ACCOUNT).partition(":")
    return Wish("impersonate", resource="serviceaccounts", namespace=namespace, name=account)
