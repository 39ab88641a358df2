"""Commands in containers, and clients at containers, over a WebSocket of numbered channels (v4, v5.channel.k8s.io)."""

import asyncio
import json
import secrets
from collections.abc import Coroutine, Sequence

from aiohttp import WSMessage, WSMsgType, web

from ..faults import Fault
from ..kubelet.protocol import ExecProcess, ExecRefused, Kubelet
from ..objects import Object, name_of
from .containers import chosen
from .errors import bad_request, not_implemented
from .route import flag

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_CHANNELS = {"stdout": _STDOUT, "stderr": _STDERR}
_EVERY = 7
"""Of so many execs one says nothing under that fault: more than a round has, so that no pod loses all of its own."""


class Exec:
    """Runs commands for clients; the faults of the exec channel live here."""

    def __init__(self, kubelet: Kubelet, faults: frozenset[Fault] = frozenset()) -> None:
        self._kubelet = kubelet
        self._faults = faults
        self._count = 0

    async def serve(self, request: web.BaseRequest, pod: Object) -> web.StreamResponse:
        """Run the command that the query names and carry its streams until it ends or the client goes."""
        query = request.query
        command = query.getall("command", [])
        if not command:
            raise bad_request("you must specify at least 1 container command")
        container = _container(request, pod)
        self._count += 1
        stdin, tty = flag(query, "stdin"), flag(query, "tty")
        return await self._serve(request, self._kubelet.exec(pod, container, command, stdin=stdin, tty=tty), command)

    async def attach(self, request: web.BaseRequest, pod: Object) -> web.StreamResponse:
        """Carry the streams of a container's own program until it ends or the client goes."""
        container, query = _container(request, pod), request.query
        coming = self._kubelet.attach(pod, container, stdin=flag(query, "stdin"), tty=flag(query, "tty"))
        return await self._serve(request, coming, ())

    async def _serve(
        self, request: web.BaseRequest, coming: Coroutine[None, None, ExecProcess], command: Sequence[str]
    ) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=PROTOCOLS, compress=False, max_msg_size=0)
        await socket.prepare(request)
        status = await self._run(socket, coming, command)
        if Fault.EXEC_LOSES_STATUS not in self._faults:
            await _send(socket, _ERROR, json.dumps(status).encode())
        await socket.close()
        return socket

    async def _run(
        self, socket: web.WebSocketResponse, coming: Coroutine[None, None, ExecProcess], command: Sequence[str]
    ) -> Object:
        try:
            process = await coming
        except ExecRefused as fault:
            return _refused(fault)
        silent = Fault.EXEC_RETURNS_NOTHING in self._faults and self._count % _EVERY == 0
        listening = asyncio.ensure_future(_listen(socket, process))
        try:
            while (piece := await process.read()) is not None:
                if not silent:
                    await _send(socket, _CHANNELS[piece[0]], piece[1])
            code = await process.wait()
        except ConnectionResetError:
            code = -1
        finally:
            process.kill()
            listening.cancel()
        return _ended(0 if silent else code, command)


def _container(request: web.BaseRequest, pod: Object) -> str:
    """The container that is meant; ApiError when it, or the way to it, can't be had."""
    if not pod.get("spec", {}).get("nodeName"):
        raise bad_request(f"pod {name_of(pod)} does not have a host assigned")
    container = chosen(pod, request.query.get("container", ""))
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise not_implemented("exec over SPDY; use the WebSocket protocol v5.channel.k8s.io or v4.channel.k8s.io")
    return container


async def _send(socket: web.WebSocketResponse, channel: int, data: bytes) -> None:
    await socket.send_bytes(bytes((channel,)) + data)


async def _listen(socket: web.WebSocketResponse, process: ExecProcess) -> None:
    """Hand the client's input to the process; a client that goes ends it."""
    half_close = socket.ws_protocol == PROTOCOLS[0]
    async for message in socket:
        data = _data(message)
        if not data:
            continue
        if data[0] == _STDIN and len(data) > 1:
            await process.write(data[1:])
        elif data[0] == _CLOSE and half_close and data[1:] == bytes((_STDIN,)):
            await process.close_input()
    process.kill()


def _data(message: WSMessage) -> bytes:
    if message.type is WSMsgType.BINARY:
        return bytes(message.data)
    return str(message.data).encode() if message.type is WSMsgType.TEXT else b""


def _ended(code: int, command: Sequence[str]) -> Object:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    words = " ".join(command)
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: error executing command [{words}], exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _refused(fault: ExecRefused) -> Object:
    began = f'failed to exec in container: failed to start exec "{secrets.token_hex(32)}": {fault}'
    text = f"Internal error occurred: error executing command in container: {began}"  # by the container's engine
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {text}",
        "reason": "InternalError",
        "details": {"causes": [{"message": text}]},
        "code": 500,
    }
