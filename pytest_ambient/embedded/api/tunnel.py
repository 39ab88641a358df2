"""kubectl's port-forward: SPDY streams inside a WebSocket, a pair of them for each connection."""

import asyncio

from aiohttp import WSMsgType, web

from ..kubelet.protocol import Kubelet, PodUnreachable
from ..objects import Object
from . import spdy

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
_PIECE = 65536


class Tunnel:
    """One client's port-forward to one pod."""

    def __init__(self, socket: web.WebSocketResponse, kubelet: Kubelet, pod: Object) -> None:
        self._socket, self._kubelet, self._pod = socket, kubelet, pod
        self._codec = spdy.Codec()
        self._errors: dict[str, int] = {}
        """Error streams by the id of their connection."""
        self._inputs: dict[int, asyncio.Queue[bytes]] = {}
        """What the client sent on each data stream; an empty piece is its end."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Carry connections until the client goes."""
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    for frame in self._codec.frames(message.data):
                        await self._take(frame)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _take(self, frame: spdy.Frame) -> None:
        if frame.type == spdy.SYN_STREAM:
            await self._open(frame)
        elif frame.type == spdy.PING:
            await self._socket.send_bytes(self._codec.ping(frame.data))
        elif frame.stream in self._inputs and frame.type in (0, spdy.RST_STREAM):
            if frame.type == 0 and frame.data:
                self._inputs[frame.stream].put_nowait(frame.data)
            if frame.last or frame.type == spdy.RST_STREAM:
                self._inputs[frame.stream].put_nowait(b"")

    async def _open(self, frame: spdy.Frame) -> None:
        await self._socket.send_bytes(self._codec.reply(frame.stream))
        connection, port = frame.headers.get("requestid", ""), frame.headers.get("port", "0")
        if frame.headers.get("streamtype") == "error":
            self._errors[connection] = frame.stream
            return
        self._inputs[frame.stream] = asyncio.Queue()
        task = asyncio.ensure_future(self._connect(frame.stream, connection, int(port)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, stream: int, connection: str, port: int) -> None:
        error = self._errors.pop(connection, 0)
        text = b""
        try:
            reader, writer = await self._kubelet.dial(self._pod, port)
        except PodUnreachable as fault:
            text = f"error forwarding port {port} to pod: {fault}".encode()
        else:
            sending = asyncio.ensure_future(self._send(stream, writer))
            try:
                await self._receive(stream, reader)
            finally:
                sending.cancel()
                writer.close()
        self._inputs.pop(stream, None)
        end = spdy.data(stream, b"", last=True)
        await self._socket.send_bytes((spdy.data(error, text, last=True) if error else b"") + end)

    async def _send(self, stream: int, writer: asyncio.StreamWriter) -> None:
        while piece := await self._inputs[stream].get():
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    async def _receive(self, stream: int, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(_PIECE):
            await self._socket.send_bytes(spdy.data(stream, piece))
