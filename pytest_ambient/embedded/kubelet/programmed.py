"""Whether the data plane has taken a pod in: seen in the kernel's list of listening sockets, without touching them."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from ..objects import Object, annotations_of
from ..ports import bound

REDIRECTION = "ambient.istio.io/redirection"
HBONE = 15008
_LISTENING = "0A"
_TABLE = Path("/proc/net/tcp")
_FIRST, _LONGEST = 0.002, 0.05


def captured(pod: Object) -> bool:
    """Whether the pod's traffic goes through ztunnel."""
    return annotations_of(pod).get(REDIRECTION) == "enabled"


def listening(address: str, port: int) -> bool:
    """Whether somebody on this machine listens at exactly that address and port."""
    packed = socket.inet_aton(address)[::-1].hex().upper()
    wanted = f"{packed}:{port:04X}"
    return any(
        fields[1] == wanted and fields[3] == _LISTENING
        for fields in (line.split(None, 4) for line in _TABLE.read_text().splitlines()[1:])
    )


async def programmed(pod: Callable[[], Object], address: str, ports: frozenset[int]) -> None:
    """Return once the data plane serves the pod: its tunnel when it is captured, else its first port."""
    pause = _FIRST
    while port := HBONE if captured(pod()) else bound(min(ports)) if ports else 0:
        if listening(address, port):
            return
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
