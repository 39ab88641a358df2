"""Connections to this machine carried to a pod's port, over one WebSocket each."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, cast

from pytest_ambient._kube_stream import V4, Dialer, Socket
from pytest_ambient.errors import AmbientError, KubeError

PIECE = 1 << 16
LOOK, SEND = 0.2, 60.0
"""Seconds for one look at what came (it may be half a frame), and for a piece to be taken."""
HOME = "127.0.0.1"


class Wire(Socket, Protocol):
    """A WebSocket whose connection can be waited for beside others."""

    @property
    def sock(self) -> socket.socket:
        """The connection beneath."""


class Carrier(Protocol):
    """What carries one connection."""

    def carry(self, local: socket.socket) -> None:
        """Carry bytes both ways until one end closes; raises KubeError when the other end cannot be reached."""


@dataclass(frozen=True)
class Tunnel:
    """An open way to one port of one pod."""

    wire: Wire
    what: str
    """`NAMESPACE/POD:PORT`."""

    def carry(self, local: socket.socket) -> None:
        """Carry bytes both ways until one end closes; raises KubeError with the reason when the pod's port fails.

        The protocol cannot close one direction alone: when our side stops sending, all ends.
        """
        import websocket

        local.settimeout(SEND)
        opened: set[int] = set()  # the first frame of each channel only repeats the port's number
        try:
            while True:
                for end in self._ready(local):
                    going = self._outward(local) if end is local else self._inward(local, opened)
                    if not going:
                        return
        except (OSError, websocket.WebSocketException) as error:
            raise KubeError(f"{self.what}: the connection broke: {error}") from error
        finally:
            self.wire.shutdown()

    def _ready(self, local: socket.socket) -> list[socket.socket]:
        """What can be read from; TLS may hold bytes that the system no longer tells of."""
        pending = getattr(self.wire.sock, "pending", None)
        if pending is not None and pending():
            return [self.wire.sock]
        return select.select([local, self.wire.sock], [], [])[0]

    def _outward(self, local: socket.socket) -> bool:
        data = local.recv(PIECE)
        if data:
            self.wire.settimeout(SEND)
            self.wire.send_binary(b"\x00" + data)
        return bool(data)

    def _inward(self, local: socket.socket, opened: set[int]) -> bool:
        import websocket

        self.wire.settimeout(LOOK)
        try:
            opcode, data = self.wire.recv_data()
        except websocket.WebSocketTimeoutException:
            return True  # half a frame: the rest comes
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return False
        channel, rest = (data[0], data[1:]) if data else (None, b"")
        if channel in opened and channel == 0:
            local.sendall(rest)
        elif channel in opened and channel == 1:
            raise KubeError(f"{self.what}: {rest.decode(errors='replace').strip()}")
        elif channel is not None:
            opened.add(channel)
        return True


def tunnel(dialer: Dialer, namespace: str, pod: str, port: int, timeout: float) -> Tunnel:
    """A way to a pod's port; raises KubeError when the API server does not open it."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    wire = dialer.dial(path, [("ports", str(port))], (V4,), time.monotonic() + timeout)
    return Tunnel(cast(Wire, wire), f"{namespace}/{pod}:{port}")


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """A listener on this machine alone, on any free port for 0; raises OSError when the port is taken."""
    with socket.create_server((HOME, port)) as listener:
        yield listener


def serve(listener: socket.socket, connect: Callable[[], Carrier], say: Callable[[str], None]) -> None:
    """Carry every connection by what `connect` gives for it, until interrupted; a failure is said, once in a row."""
    last = [""]

    def carried(local: socket.socket) -> None:
        with local:
            try:
                connect().carry(local)
                last[0] = ""
            except AmbientError as error:
                if str(error) != last[0]:
                    say(str(error))
                last[0] = str(error)

    while True:
        with suppress(ConnectionAbortedError):  # gone before it was taken
            local, _ = listener.accept()
            threading.Thread(target=carried, args=(local,), daemon=True).start()
