"""Requests to one API server over a given connection pool, and what its refusals mean."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import quote, urlencode, urlsplit

from pytest_ambient.errors import Conflict, Forbidden, Invalid, KubeError, NotFound, ServerGone

if TYPE_CHECKING:
    import urllib3

Object: TypeAlias = dict[str, Any]
"""One Kubernetes object, or a part of one, as decoded JSON."""

ERRORS: Mapping[int, type[KubeError]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    415: Invalid,
    422: Invalid,
}
CONNECT, ANSWER = 5.0, 30.0
"""Seconds to wait for a connection and for an answer."""


@dataclass(frozen=True)
class Kind:
    """Where objects of one kind live."""

    root: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """The URL path of a collection, an object or a subresource."""
        parts = [self.root]
        parts += ["namespaces", quote(namespace)] if self.namespaced and namespace else []
        return "/".join([*parts, self.plural, *filter(None, (quote(name), subresource))])


@dataclass(frozen=True)
class Rest:
    """One API server, asked with one user's credentials; usable from many threads."""

    host: str
    pool: "urllib3.PoolManager"
    headers: Callable[[], Mapping[str, str]]

    def json(
        self,
        method: str,
        path: str,
        body: Object | Sequence[Object] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content: str = "application/json",
    ) -> Object:
        """The decoded answer; raises a KubeError that names the request."""
        answer = self.answer(method, path, None if body is None else json.dumps(body).encode(), query, content).data
        try:
            return cast(Object, json.loads(answer))
        except ValueError as error:
            raise KubeError(f"{method} {path}: the API server's answer is no JSON: {answer[:100]!r}") from error

    def answer(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        content: str = "application/json",
    ) -> "urllib3.BaseHTTPResponse":
        """The answer; a connection that broke and a server that is overloaded (429) are tried again."""
        import urllib3

        url = self.host + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": "application/json, */*", "User-Agent": "pytest-ambient", **self.headers()}
        headers |= {"Content-Type": content} if body is not None else {}
        try:
            answer = self._asked(method, url, body, headers)
        except urllib3.exceptions.HTTPError as error:
            raise ServerGone(f"no answer from the API server at {self.host}: {cause(error)}") from error
        if answer.status >= 400:
            raise refusal(answer.status, answer.data, f"{method} {path}")
        return answer

    def ahead(self) -> float:
        """Seconds by which the server's clock is ahead of ours, to about one; 0 when it does not tell the time."""
        start = time.time()
        told = self.answer("GET", "/version").headers.get("Date", "")
        try:
            return parsedate_to_datetime(told).timestamp() + 0.5 - (start + time.time()) / 2
        except ValueError:
            return 0.0

    def _asked(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> "urllib3.BaseHTTPResponse":
        import urllib3

        again = urllib3.Retry(
            total=3, connect=0, read=0, redirect=0, other=0, status=3, status_forcelist=(429,),
            allowed_methods=None, backoff_factor=0.1, raise_on_status=False,
        )  # fmt: skip
        wait = urllib3.Timeout(connect=CONNECT, read=ANSWER)
        ask = partial(self.pool.request, method, url, body=body, headers=headers, timeout=wait, retries=again)
        try:
            return ask()
        except urllib3.exceptions.HTTPError:
            return ask()  # not by Retry, which tells of it in the log of whatever test this is

    def kinds(self, version: str) -> dict[str, Kind]:
        """The kinds of `GROUP/VERSION`, empty when the cluster doesn't have it."""
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            resources = self.json("GET", root)["resources"]
        except NotFound:
            return {}
        return {r["kind"]: Kind(root, r["name"], bool(r["namespaced"])) for r in resources if "/" not in r["name"]}


def cause(error: Exception) -> str:
    """The reason at the bottom of a connection error, without the pool's own words."""
    reason = getattr(error, "reason", None) or error
    return re.sub(r"^(<[^>]*>|\w+\([^)]*\)): ", "", str(reason))


def refusal(status: int, body: bytes, request: str) -> KubeError:
    """The error for an answer of 400 and above, with the server's own message."""
    try:
        message = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode(errors="replace").strip() or f"HTTP {status}"
    # A server-side apply of a field that the schema doesn't have is answered with 500 (seen up to Kubernetes 1.34).
    kind = (
        Invalid if status == 500 and "failed to create typed patch object" in message else ERRORS.get(status, KubeError)
    )
    return kind(f"{message} ({request}: {status})")


def direct(url: str, exceptions: str) -> bool:
    """Whether no proxy may stand before an address: kubectl never uses one for this machine, the Python client does."""
    host = urlsplit(url).hostname or ""
    own = host == "localhost" or host.startswith("127.") or host == "::1"
    names = [name.strip().lstrip(".") for name in exceptions.split(",") if name.strip()]
    return own or any(name == "*" or host == name or host.endswith(f".{name}") for name in names)
