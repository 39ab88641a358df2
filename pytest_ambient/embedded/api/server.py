"""The API on the wire: HTTPS, one handler for all paths."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from ..faults import Fault
from ..kubelet.protocol import Kubelet
from ..objects import Object
from . import crds, forward, impersonation, logs, proxy, roles
from .auth import Caller, caller
from .crd_rules import unchecked
from .errors import ApiError, no_such_path
from .exec import Exec
from .general import General
from .object_requests import Objects, Warn
from .pki import Credentials
from .rbac import Wish, allowed, refusal
from .route import Target, flag, target, verb
from .store import Store
from .tokens import Tokens
from .writes import APPLY_PATCH

VERSION = "v1.34.4"
_LOG = logging.getLogger(__name__)
_Stream = Callable[[web.BaseRequest, Object], Awaitable[web.StreamResponse]]


class ApiServer:
    """Serves a store, and the pods of a kubelet, as Kubernetes does.

    Callers show a client certificate or a service account token; all others get 401. `warn` says what the answer to a
    write should warn of.
    """

    def __init__(
        self, store: Store, kubelet: Kubelet, credentials: Credentials, *,
        version: str = VERSION, faults: frozenset[Fault] = frozenset(), warn: Warn = lambda _: (),
    ) -> None:  # fmt: skip
        self.tokens = Tokens(credentials.signing_key)
        self._store, self._kubelet, self._credentials = store, kubelet, credentials
        self._general = General(store, version)
        self._objects = Objects(store, self.tokens, lambda item: [*unchecked(item), *warn(item)])
        self._exec = Exec(kubelet, faults)
        self._runner: web.ServerRunner | None = None
        self._open: set[asyncio.Task[object]] = set()
        self._streams: dict[str, _Stream] = {
            "attach": self._exec.attach,
            "exec": self._exec.serve,
            "log": lambda request, pod: logs.serve(request, kubelet, pod),
            "portforward": lambda request, pod: forward.serve(request, kubelet, pod),
        }
        roles.seed(store)
        crds.seed(store)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen there (any free port for 0) and return the URL; OSError when the address can't be had."""
        server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._credentials.server_context(), backlog=512)
        await site.start()
        address = self._runner.addresses[0]
        self._general.address = f"{address[0]}:{address[1]}"
        return f"https://{self._general.address}"

    async def stop(self) -> None:
        """Answer nobody any more; open watches and execs end."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        if self._runner is None:
            return
        connections = self._runner.server.connections if self._runner.server is not None else []
        transports = [each.transport for each in connections if each.transport is not None]
        await self._runner.cleanup()
        for transport in transports:
            transport.abort()
        self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        try:
            return await self._answer(request)
        except ApiError as fault:
            return answer(fault.body(), status=fault.status)
        except (asyncio.CancelledError, ConnectionResetError):
            raise
        except Exception as fault:
            _LOG.exception("%s %s failed", request.method, request.path)
            error = ApiError(500, "InternalError", f"Internal error occurred: {fault!r}")
            return answer(error.body(), status=500)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        who = caller(self._store, self.tokens, certificate, request.headers.get("Authorization", ""))
        if impersonation.asked(request.headers):
            who = impersonation.impersonated(self._store, who, request.headers)
        path = request.path
        if not self._objects.owns(path):
            return self._plain(request, who, path)
        about = target(self._store.registry, path)
        self._authorize(who, about, verb(request.method, request.query, about), creating=self._creates(request, about))
        if about.subresource == "proxy":
            return await proxy.serve(request, self._store, self._kubelet, about)
        stream = self._streams.get(about.subresource) if about.resource.plural == "pods" else None
        if stream is not None:
            return await stream(request, self._objects.current(about))
        if request.method == "GET" and flag(request.query, "watch"):
            return await self._objects.watch(request, about)
        data = await request.content.read()
        status, content, warnings = self._objects.answer(request, about, who, data)
        return answer(content, status=status, warnings=warnings)

    def _creates(self, request: web.BaseRequest, about: Target) -> bool:
        """Whether an apply would bring the object into being: whoever may only patch may not do that."""
        applying = request.method == "PATCH" and request.content_type == APPLY_PATCH
        return (
            applying and not about.subresource and self._store.get(about.resource, about.name, about.namespace) is None
        )

    def _plain(self, request: web.BaseRequest, who: Caller, path: str) -> web.StreamResponse:
        wish = Wish(request.method.lower(), path=path.rstrip("/") or "/")
        if allowed(self._store, who, wish) is None:
            raise refusal(who, wish)
        found = self._general.answer(request.method, path, request.headers.get("Accept", ""))
        if found is None:
            raise no_such_path()
        content_type, body = found
        headers = {"Content-Type": content_type}
        if "hash" in request.query:
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return web.Response(body=body, headers=headers)

    def _authorize(self, who: Caller, about: Target, word: str, *, creating: bool) -> None:
        resource = about.resource
        namespace = about.name if resource.plural == "namespaces" and about.name else about.namespace
        name = about.name
        wish = Wish(word, resource.group, resource.plural, about.subresource, namespace, name)
        wishes = (wish, replace(wish, verb="create")) if creating else (wish,)
        for each in wishes:
            if allowed(self._store, who, each) is None:
                raise refusal(who, each)


def answer(content: Any, *, status: int = 200, warnings: tuple[str, ...] = ()) -> web.Response:
    """A JSON answer with its warnings."""
    body = json.dumps(content, separators=(",", ":")).encode()
    response = web.Response(body=body, status=status, content_type="application/json")
    for each in warnings:
        quoted = each.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response
