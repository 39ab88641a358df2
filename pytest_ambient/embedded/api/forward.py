"""Port forwarding over a WebSocket: two channels for each port, the number of the port first (v4.channel.k8s.io)."""

import asyncio
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from ..kubelet.protocol import Kubelet, PodUnreachable
from ..objects import Object, name_of
from . import tunnel
from .errors import bad_request, not_implemented

PROTOCOL = "v4.channel.k8s.io"
_PIECE = 65536


@dataclass
class _Link:
    """One forwarded port."""

    channel: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def serve(request: web.BaseRequest, kubelet: Kubelet, pod: Object) -> web.StreamResponse:
    """Carry bytes between the client and the ports of the pod that the query names, until the client goes."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise not_implemented(f"port forwarding over SPDY alone; use the WebSocket protocol {PROTOCOL}")
    if pod.get("status", {}).get("phase") != "Running":
        raise bad_request(f"unable to forward port because pod {name_of(pod)} is not running")
    if tunnel.PROTOCOL in request.headers.get("Sec-WebSocket-Protocol", ""):
        socket = web.WebSocketResponse(protocols=(tunnel.PROTOCOL,), compress=False, max_msg_size=0)
        await socket.prepare(request)
        await tunnel.Tunnel(socket, kubelet, pod).serve()
        return socket
    numbers = [int(each) for text in request.query.getall("ports", []) for each in text.split(",") if each.isdigit()]
    if not numbers:
        raise bad_request('query parameter "ports" is required')
    socket = web.WebSocketResponse(protocols=(PROTOCOL,), compress=False, max_msg_size=0)
    await socket.prepare(request)
    links: dict[int, _Link] = {}
    tasks: set[asyncio.Task[None]] = set()
    for place, number in enumerate(numbers):
        channel = 2 * place
        for each in (channel, channel + 1):
            await socket.send_bytes(bytes((each,)) + number.to_bytes(2, "little"))
        try:
            reader, writer = await kubelet.dial(pod, number)
        except PodUnreachable as fault:
            await socket.send_bytes(bytes((channel + 1,)) + str(fault).encode())
            continue
        links[channel] = _Link(channel, reader, writer)
        tasks.add(asyncio.ensure_future(_outward(socket, links[channel])))
    try:
        await _inward(socket, links)
    finally:
        for task in tasks:
            task.cancel()
        for link in links.values():
            link.writer.close()
    return socket


async def _inward(socket: web.WebSocketResponse, links: dict[int, _Link]) -> None:
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        link = links.get(message.data[0])
        if link is not None:
            link.writer.write(message.data[1:])
            await link.writer.drain()


async def _outward(socket: web.WebSocketResponse, link: _Link) -> None:
    while piece := await link.reader.read(_PIECE):
        await socket.send_bytes(bytes((link.channel,)) + piece)
    await socket.close()
