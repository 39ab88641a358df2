"""Istio's sample of an external authorizer, by HTTP: who shows the header `x-ext-authz: allow` may pass."""

from aiohttp import web

from .program import CannotStart, Surroundings
from .web import Web, reply

PORT = 8000
_HEADER, _ALLOWED, _RESULT = "x-ext-authz", "allow", "x-ext-authz-check-result"
_REFUSAL = f"denied by ext_authz for not found header `{_HEADER}: {_ALLOWED}` in the request"


class Authorizer(Web):
    """Answers every check on 8000; the gRPC side of the sample is not there."""

    def __init__(self, around: Surroundings) -> None:
        if around.args:
            raise CannotStart(f"the embedded ext-authz takes no arguments, not {' '.join(around.args)!r}")
        super().__init__(around, {PORT: self._answer})

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get(_HEADER) == _ALLOWED:
            return reply("", 200, {_RESULT: "allowed"})
        return reply(_REFUSAL, 403, {_RESULT: "denied"})
