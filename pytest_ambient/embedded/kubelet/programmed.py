"""What a pod is to the data plane, and whether that has taken it in: seen from who holds its address."""

import asyncio
import errno
import socket
from collections.abc import Callable

from ..istiod.view import MANAGED
from ..objects import Object, annotations_of, labels_of
from ..ports import bound

REDIRECTION = "ambient.istio.io/redirection"
HBONE = 15008
_FIRST, _LONGEST = 0.002, 0.05


def captured(pod: Object) -> bool:
    """Whether the pod's traffic goes through ztunnel."""
    return annotations_of(pod).get(REDIRECTION) == "enabled"


def runs_proxy(pod: Object) -> bool:
    """Whether the data plane itself listens in the pod, on ports that no program of it has."""
    return MANAGED in labels_of(pod)


def listening(address: str, port: int) -> bool:
    """Whether somebody on this machine listens at exactly that address and port.

    With SO_REUSEADDR a bind fails only where somebody listens, and does not stand in the way of who is about to.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


async def programmed(
    pod: Callable[[], Object], address: str, ports: frozenset[int], *, serves: Callable[[str], bool]
) -> None:
    """Return once the data plane serves the pod: both its ways when it is captured, else its first port."""
    pause = _FIRST
    while port := HBONE if captured(pod()) else bound(min(ports)) if ports else 0:
        if listening(address, port) and (port != HBONE or serves(address)):
            return
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
