"""Requests about objects, once they are known to be allowed."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from ..objects import Object
from . import deletes, reads, scale, writes
from .auth import Caller
from .body import parsed
from .conform import take
from .ephemeral import put_ephemeral
from .errors import ApiError, method_not_allowed, not_implemented
from .negotiate import form, one
from .reviews import review, token_request
from .route import Target
from .store import Store
from .tokens import Tokens
from .watch import Watch
from .write_options import Options, options

Warn = Callable[[Object], Sequence[str]]
"""What the answer to a write of that object should warn of."""
Answer = tuple[int, Any, tuple[str, ...]]
"""HTTP status, content and warnings."""


class Objects:
    """Answers the requests that name a kind."""

    def __init__(self, store: Store, tokens: Tokens, warn: Warn) -> None:
        self._store = store
        self._tokens = tokens
        self._warn = warn

    def owns(self, path: str) -> bool:
        """Whether the path names a kind."""
        parts = path.rstrip("/").split("/")[1:]
        return (parts[0] == "api" and len(parts) > 2) or (parts[0] == "apis" and len(parts) > 3)

    def current(self, about: Target) -> Object:
        """The object that a request names; 404 when there is none."""
        return reads.current(self._store, about)

    async def watch(self, request: web.BaseRequest, about: Target) -> web.StreamResponse:
        """Serve a watch until it ends."""
        wanted = form(request.headers.get("Accept", ""), request.query)
        return await Watch(self._store, about, request.query, wanted).serve(request)

    def answer(self, request: web.BaseRequest, about: Target, who: Caller, data: bytes) -> Answer:
        """What a request comes to; ApiError when it is refused."""
        wanted = form(request.headers.get("Accept", ""), request.query)
        if request.method in ("GET", "HEAD"):
            return 200, self._read(request, about), ()
        how = options(request.query, request.headers.get("User-Agent", ""))
        kind = request.headers.get("Content-Type", "")
        if request.method == "PATCH":
            existed = self._store.get(about.resource, about.name, about.namespace) is not None
            found = self._patch(about, kind, data, how)
            status = 200 if existed else 201
        else:
            if request.method == "POST" and about.resource.empty:
                raise not_implemented(f"{about.resource.kind} objects ({about.api_version})")
            content = parsed(kind, data) if data else None
            status, found = self._change(request, about, who, content, how)
        if "metadata" in found and found.get("kind") == about.resource.kind and about.resource.verbs != ("create",):
            how.warnings += self._warn(found) if request.method != "DELETE" else ()
            found = one(self._store.registry, about, found, wanted)
        return status, found, tuple(how.warnings)

    def _read(self, request: web.BaseRequest, about: Target) -> Object:
        wanted = form(request.headers.get("Accept", ""), request.query)
        if not about.name:
            if "list" not in about.resource.verbs:
                raise method_not_allowed()
            return reads.list_(self._store, about, request.query, wanted)
        if about.subresource == "scale" and about.resource.scale:
            return scale.get_scale(self._store, about)
        if about.subresource in ("", "ephemeralcontainers") or (
            about.subresource == "status" and about.resource.status
        ):
            return reads.get(self._store, about, wanted)
        raise self._missing(about)

    def _change(
        self, request: web.BaseRequest, about: Target, who: Caller, content: Any, how: Options
    ) -> tuple[int, Object]:
        if request.method == "POST":
            return 201, self._create(about, who, content, how)
        if request.method == "PUT" and about.name:
            return 200, self._update(about, content, how)
        if request.method == "DELETE" and not about.subresource:
            remove = deletes.delete if about.name else deletes.delete_all
            return 200, remove(self._store, about, request.query, content, how)
        raise method_not_allowed(f"{request.method} {about.subresource}".strip())

    def _create(self, about: Target, who: Caller, content: Any, how: Options) -> Object:
        if not about.name:
            if about.resource.verbs == ("create",):
                return review(self._store, self._tokens, who, about, content, how)
            return writes.create(self._store, about, content, how)
        if about.subresource == "token" and about.resource.plural == "serviceaccounts":
            return token_request(self._store, self._tokens, about, content)
        if about.subresource == "eviction" and about.resource.plural == "pods":
            return deletes.evict(self._store, about, content)
        raise self._missing(about) if about.subresource else method_not_allowed()

    def _update(self, about: Target, content: Any, how: Options) -> Object:
        if about.subresource == "scale" and about.resource.scale:
            return scale.put_scale(self._store, about, content, how)
        if about.subresource == "ephemeralcontainers":
            take(self._store, about, content, how)
            return put_ephemeral(self._store, about, content, how)
        if about.subresource in ("", "finalize") or (about.subresource == "status" and about.resource.status):
            return writes.update(self._store, about, content, how)
        raise self._missing(about)

    def _patch(self, about: Target, kind: str, data: bytes, how: Options) -> Object:
        if not about.name:
            raise method_not_allowed()
        if about.subresource == "scale" and about.resource.scale:
            return scale.patch_scale(self._store, about, kind, data, how)
        if about.subresource == "ephemeralcontainers":
            old = reads.current(self._store, about)
            new = writes.patched(self._store, about, kind.partition(";")[0], about.shown(old), data)
            take(self._store, about, new, how)
            return put_ephemeral(self._store, about, new, how)
        if about.subresource == "" or (about.subresource == "status" and about.resource.status):
            return writes.patch(self._store, about, kind, data, how)
        raise self._missing(about)

    def _missing(self, about: Target) -> ApiError:
        """404 for what no cluster has there, 501 for what this one lacks."""
        known = about.subresource in about.resource.subresources
        if known:
            return not_implemented(f"{about.resource.plural}/{about.subresource}")
        return ApiError(404, "NotFound", f"the server could not find the requested resource ({about.subresource})")
