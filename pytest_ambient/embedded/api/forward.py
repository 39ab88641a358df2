"""Port forwarding over a WebSocket, as the Python client speaks it: two channels for each port, its number first."""

import asyncio
from collections.abc import Sequence
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
    """Carry bytes between the client and ports of the pod until the client goes."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise not_implemented(f"port forwarding over SPDY alone; use the WebSocket protocol {PROTOCOL}")
    if pod.get("status", {}).get("phase") != "Running":
        raise bad_request(f"unable to forward port because pod {name_of(pod)} is not running")
    tunneled = tunnel.PROTOCOL in request.headers.get("Sec-WebSocket-Protocol", "")
    asked = [each for text in request.query.getall("ports", []) for each in text.split(",")]
    numbers = [int(each) for each in asked if each.isdigit()]
    if not numbers and not tunneled:
        raise bad_request('query parameter "ports" is required')
    protocols = (tunnel.PROTOCOL if tunneled else PROTOCOL,)
    socket = web.WebSocketResponse(protocols=protocols, compress=False, max_msg_size=0)
    await socket.prepare(request)
    if tunneled:
        await tunnel.Tunnel(socket, kubelet, pod).serve()
    else:
        await _channels(socket, kubelet, pod, numbers)
    return socket


async def _channels(socket: web.WebSocketResponse, kubelet: Kubelet, pod: Object, numbers: Sequence[int]) -> None:
    links: dict[int, _Link] = {}
    tasks = []
    for place, number in enumerate(numbers):
        channel = 2 * place
        for each in (channel, channel + 1):
            await socket.send_bytes(bytes((each,)) + number.to_bytes(2, "little"))
        try:
            links[channel] = _Link(channel, *await kubelet.dial(pod, number))
        except PodUnreachable as fault:
            await socket.send_bytes(bytes((channel + 1,)) + str(fault).encode())
            continue
        tasks.append(asyncio.ensure_future(_outward(socket, links[channel])))
    try:
        await _inward(socket, links)
    finally:
        for task in tasks:
            task.cancel()
        for link in links.values():
            link.writer.close()


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
