"""What is asked: one HTTP request from a source pod, the same one many times, or a look that no pod takes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

_METHOD = re.compile(r"[A-Z]+")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#\\]")


@dataclass(frozen=True)
class Call:
    """One HTTP request; `count` sends it that many times, each over a new connection.

    `signed_in` names a person: the row signs in at `/login` of the same host first and keeps the cookie for itself.
    Raises ValueError, one line, for a call that curl could not send.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    count: int = 1
    signed_in: str | None = None

    def __post_init__(self) -> None:
        if not _METHOD.fullmatch(self.method):
            raise ValueError(f"method must be upper-case letters, not {self.method!r}")
        if (
            not isinstance(self.url, str)
            or urlsplit(self.url).scheme not in ("http", "https")
            or not urlsplit(self.url).netloc
        ):
            raise ValueError(f"url must be http://HOST/… or https://HOST/…, not {self.url!r}")
        if _FORBIDDEN.search(self.url):
            raise ValueError(f"url must hold no blank, backslash, control character or fragment: {self.url!r}")
        for name, value in self.headers:
            if not _HEADER.fullmatch(name) or re.search(r"[\r\n\x00]", value):
                raise ValueError(f"not an HTTP header: {name!r}: {value!r}")
            if name.lower() == "connection":
                raise ValueError("leave out the header Connection: every call uses a connection of its own")
        if not isinstance(self.count, int) or self.count < 1:
            raise ValueError(f"count must be at least 1, not {self.count!r}")
        if self.body is not None and (self.method in ("GET", "HEAD") or "\0" in self.body):
            raise ValueError(f"{self.method} carries no body" if "\0" not in self.body else "body must hold no NUL")
        if self.signed_in is not None and not re.fullmatch(r"[A-Za-z0-9._-]+", self.signed_in):
            raise ValueError(f"signed_in must be a user name, not {self.signed_in!r}")

    def __str__(self) -> str:
        person = f" signed in as {self.signed_in}" if self.signed_in else ""
        many = f" {self.count:,} times" if self.count > 1 else ""
        return f"{self.method} {self.url}{person}{many}"


@dataclass(frozen=True)
class Status:
    """A look at an object's status conditions; no pod sends it. `kind` is `v1/Service`, `apps/v1/Deployment` …"""

    kind: str
    name: str
    namespace: str = "${NAMESPACE}"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([a-z0-9.-]+/)?v[0-9][a-z0-9]*/[A-Z][A-Za-z0-9]*", self.kind):
            raise ValueError(f"kind must be GROUP/VERSION/Kind or v1/Kind, not {self.kind!r}")
        if not self.name:
            raise ValueError("a status needs the object's name")

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"status of {self.kind.rsplit('/', 1)[-1]} {place}{self.name}"


@dataclass(frozen=True)
class Certificates:
    """A look at the certificates that ztunnels hold for an identity; no pod sends it."""

    identity: str
    """`spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"spiffe://[^/]+/ns/[^/]+/sa/[^/]+", self.identity):
            raise ValueError(f"identity must be spiffe://…/ns/NAMESPACE/sa/ACCOUNT, not {self.identity!r}")

    def __str__(self) -> str:
        return f"ztunnel's certificates for {self.identity}"


Question: TypeAlias = Status | Certificates
"""What no pod asks."""


def CERTIFICATES(identity: str) -> Certificates:
    """The certificates that ztunnels hold for an identity, `spiffe://…`."""
    return Certificates(identity)


def STATUS(kind: str, name: str, namespace: str = "${NAMESPACE}") -> Status:
    """The status conditions of an object; `namespace` is empty for a cluster-scoped one."""
    return Status(kind, name, namespace)


def _call(
    method: str, url: str, headers: Mapping[str, str] | None, body: str | None, count: int, signed_in: str | None
) -> Call:
    return Call(method, url, tuple((headers or {}).items()), body, count, signed_in)


def GET(url: str, *, headers: Mapping[str, str] | None = None, count: int = 1, signed_in: str | None = None) -> Call:
    """A GET of `url`."""
    return _call("GET", url, headers, None, count, signed_in)


def HEAD(url: str, *, headers: Mapping[str, str] | None = None, count: int = 1, signed_in: str | None = None) -> Call:
    """A HEAD of `url`; its answer has no body."""
    return _call("HEAD", url, headers, None, count, signed_in)


def POST(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    count: int = 1,
    signed_in: str | None = None,
) -> Call:
    """A POST to `url`; an empty body unless one is given."""
    return _call("POST", url, headers, body, count, signed_in)


def PUT(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    count: int = 1,
    signed_in: str | None = None,
) -> Call:
    """A PUT to `url`; an empty body unless one is given."""
    return _call("PUT", url, headers, body, count, signed_in)


def PATCH(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    count: int = 1,
    signed_in: str | None = None,
) -> Call:
    """A PATCH of `url`; an empty body unless one is given."""
    return _call("PATCH", url, headers, body, count, signed_in)


def DELETE(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    count: int = 1,
    signed_in: str | None = None,
) -> Call:
    """A DELETE of `url`."""
    return _call("DELETE", url, headers, body, count, signed_in)


def OPTIONS(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    count: int = 1,
    signed_in: str | None = None,
) -> Call:
    """An OPTIONS of `url`."""
    return _call("OPTIONS", url, headers, body, count, signed_in)
