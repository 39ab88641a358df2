"""Productpage's signed session cookie: whoever holds it is signed in, at any replica."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

COOKIE = "session"
_KEY = hmac.new(b"embedded bookinfo", b"cookie-session", hashlib.sha1).digest()


def sign(user: str) -> str:
    """The cookie's value for a user."""
    payload = _encode(json.dumps({"user": user}, separators=(",", ":")).encode())
    stamped = f"{payload}.{_encode(int(time.time()).to_bytes(4, 'big'))}"
    return f"{stamped}.{_signature(stamped)}"


def user_of(headers: Mapping[str, str]) -> str | None:
    """Who is signed in by a request's cookie; None when nobody is or the signature is not ours."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    stamped, _, signature = morsel.value.rpartition(".") if morsel else ("", "", "")
    if not stamped or not hmac.compare_digest(signature, _signature(stamped)):
        return None
    payload = stamped.split(".")[0]
    user = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("user")
    return str(user) if user is not None else None


def _signature(text: str) -> str:
    return _encode(hmac.new(_KEY, text.encode(), hashlib.sha1).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
