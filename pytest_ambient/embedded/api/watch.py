"""Watches: changes as they happen, one JSON object a line."""

import asyncio
import json
import random
from collections.abc import Iterator, Mapping

from aiohttp import web

from ..objects import Object, namespace_of
from .errors import expired
from .journal import REMEMBERED
from .negotiate import Form, one
from .reads import selected
from .route import Target, flag, whole
from .selectors import by_fields, by_labels
from .store import Change, Store

_BOOKMARK_EVERY = 60.0
_SHORTEST = 1800


class Watch:
    """One client's watch of one kind."""

    def __init__(self, store: Store, about: Target, query: Mapping[str, str], wanted: Form) -> None:
        self._store, self._about, self._query, self._wanted = store, about, query, wanted
        self._labels = by_labels(query.get("labelSelector", ""))
        self._fields = by_fields(about.resource, query.get("fieldSelector", ""))
        self._bookmarks = flag(query, "allowWatchBookmarks")
        self._changes: asyncio.Queue[Change] = asyncio.Queue()
        self._transport: asyncio.Transport | None = None
        self._since = whole(query, "resourceVersion")
        asked = whole(query, "timeoutSeconds")
        self._seconds = float(asked if asked else _SHORTEST + random.randrange(_SHORTEST))  # noqa: S311 - spreads load

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send events until the time is up or the client goes."""
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
        )
        response.enable_chunked_encoding()
        await response.prepare(request)
        self._transport = request.transport
        end = self._store.subscribe(self._seen)
        try:
            await response.write(b"".join(self._first()))
            async with asyncio.timeout(self._seconds):
                await self._stream(response)
        except (TimeoutError, ConnectionResetError):
            pass
        finally:
            end()
        return response

    def _seen(self, change: Change) -> None:
        if change.resource.key != self._about.resource.key:
            return
        self._changes.put_nowait(change)
        if self._changes.qsize() > REMEMBERED and self._transport is not None:
            self._transport.abort()  # a client that does not read must list again

    def _first(self) -> Iterator[bytes]:
        """What is already known: all objects, or the changes since the version that the client names."""
        if flag(self._query, "sendInitialEvents") or not self._since:
            for each in selected(self._store, self._about, self._query):
                yield self._line("ADDED", each)
            if flag(self._query, "sendInitialEvents"):
                yield self._bookmark({"k8s.io/initial-events-end": "true"})
            return
        missed = self._store.since(self._since)
        if missed is None:
            fault = expired(f"too old resource version: {self._since} ({self._store.version})")
            yield _encoded({"type": "ERROR", "object": fault.body()})
            self._seconds = 0
            return
        for change in missed:
            if change.resource.key == self._about.resource.key:
                yield from self._event(change)

    async def _stream(self, response: web.StreamResponse) -> None:
        while True:
            try:
                async with asyncio.timeout(_BOOKMARK_EVERY if self._bookmarks else None):
                    change = await self._changes.get()
            except TimeoutError:
                await response.write(self._bookmark())
                continue
            lines = list(self._event(change))
            while not self._changes.empty():
                lines += self._event(self._changes.get_nowait())
            if lines:
                await response.write(b"".join(lines))

    def _event(self, change: Change) -> Iterator[bytes]:
        """The change as this client sees it: an object that no longer matches is gone for it."""
        before = change.old is not None and self._shows(change.old)
        now = change.type != "DELETED" and self._shows(change.object)
        if now:
            yield self._line("MODIFIED" if before else "ADDED", change.object)
        elif before:
            yield self._line("DELETED", change.object)

    def _shows(self, obj: Object) -> bool:
        inside = not self._about.namespace or namespace_of(obj) == self._about.namespace
        named = not self._about.name or obj["metadata"]["name"] == self._about.name
        return inside and named and self._labels(obj) and self._fields(obj)

    def _line(self, word: str, obj: Object) -> bytes:
        shown = one(self._store.registry, self._about, obj, self._wanted)
        return _encoded({"type": word, "object": shown})

    def _bookmark(self, annotations: Mapping[str, str] | None = None) -> bytes:
        meta: Object = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = dict(annotations)
        resource = self._about.resource
        obj: Object = {"kind": resource.kind, "apiVersion": self._about.api_version, "metadata": meta}
        if self._wanted.word == "Table":
            partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
            row = {"cells": [], "object": partial}
            obj = {
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
                "columnDefinitions": [],
                "rows": [row],
            }
        return _encoded({"type": "BOOKMARK", "object": obj})


def _encoded(event: Object) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
