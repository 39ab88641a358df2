"""Connections of this machine, carried to a pod's port and back."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import cast

import pytest
import websocket

from pytest_ambient._kube_forward import Carrier, Tunnel, Wire, listening, serve
from pytest_ambient.errors import BrokenEnvironment, KubeError, NotFound
from tests.probe import wire as wires

HEAD = b"GET /config_dump HTTP/1.0\r\n\r\n"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wires.Wire]:
    """An API server with a namespace and a pod that runs; its ports are this machine's."""
    with wires.shop(tmp_path_factory.mktemp("wire")) as made:
        yield made


@pytest.fixture
def served() -> Iterator[Callable[[Callable[[], Carrier], list[str]], int]]:
    """Starts a listener that carries by a function and keeps what is said; gives its port."""
    with listening(0) as listener:

        def start(connect: Callable[[], Carrier], said: list[str]) -> int:
            def work() -> None:
                with suppress(OSError):  # the listener is closed at the end
                    serve(listener, connect, said.append)

            threading.Thread(target=work, daemon=True).start()
            return int(listener.getsockname()[1])

        yield start
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


Start = Callable[[Callable[[], Carrier], list[str]], int]


def asked(port: int, request: bytes = HEAD) -> bytes:
    """All that comes for a request."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as client:
        client.sendall(request)
        found = b""
        while piece := client.recv(65536):
            found += piece
        return found


def test_bytes_travel_both_ways_whole(wire: wires.Wire, served: Start) -> None:
    """Large answers too, over TLS."""
    with wires.page({"x": "y" * 1_000_000}) as target:
        port = served(lambda: wire.kube.forward("shop", "a", target), [])
        answer = asked(port)
    assert answer.startswith(b"HTTP/1.0 200")
    assert answer.endswith(b'y"}')
    assert len(answer) > 1_000_000


def test_large_requests_are_carried_too(wire: wires.Wire, served: Start) -> None:
    """In as many frames as they need."""
    with closing(socket.create_server(("127.0.0.1", 0))) as echo:

        def work() -> None:
            client, _ = echo.accept()
            with client:
                got = 0
                while got < 2_000_000:
                    got += len(client.recv(65536))
                client.sendall(str(got).encode())

        threading.Thread(target=work, daemon=True).start()
        target = int(echo.getsockname()[1])
        port = served(lambda: wire.kube.forward("shop", "a", target), [])
        assert asked(port, b"x" * 2_000_000) == b"2000000"


def test_connections_do_not_wait_for_each_other(wire: wires.Wire, served: Start) -> None:
    """One that says nothing keeps no other from its answer."""
    with wires.page("hello") as target:
        port = served(lambda: wire.kube.forward("shop", "a", target), [])
        with closing(socket.create_connection(("127.0.0.1", port), timeout=10)):
            assert asked(port).endswith(b'"hello"')


def test_a_port_that_nobody_serves_is_said_once_in_a_row(wire: wires.Wire, served: Start) -> None:
    """With the pod's own words; the connection ends, and the next one is tried all the same."""
    said: list[str] = []
    port = served(lambda: wire.kube.forward("shop", "a", 1), said)
    assert asked(port, b"") == b""
    assert asked(port, b"") == b""
    assert len(said) == 1
    assert said[0].startswith("shop/a:1: ")
    assert "Connect call failed" in said[0]


def test_a_pod_that_is_gone_is_told(wire: wires.Wire) -> None:
    """Before anything is carried."""
    with pytest.raises(NotFound, match='portforward refused: pods "b" not found'):
        wire.kube.forward("shop", "b", 80)


def test_a_failure_is_said_again_after_a_success(served: Start) -> None:
    """For it is another one."""
    said: list[str] = []
    turns = iter([BrokenEnvironment("no pod"), None, BrokenEnvironment("no pod"), BrokenEnvironment("no API")])

    class Nothing:
        def carry(self, local: socket.socket) -> None:
            local.sendall(b"fine")

    def connect() -> Carrier:
        turn = next(turns)
        if turn is not None:
            raise turn
        return Nothing()

    port = served(connect, said)
    assert [asked(port, b"") for _ in range(4)] == [b"", b"fine", b"", b""]
    assert said == ["no pod", "no pod", "no API"]


def test_a_listener_is_this_machines_alone() -> None:
    """Nobody else in the network sees what is carried."""
    with listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        with pytest.raises(OSError, match="Address already in use"), listening(listener.getsockname()[1]):
            pass


class Frames:
    """A WebSocket that gives prepared frames or errors."""

    subprotocol = "v4.channel.k8s.io"

    def __init__(self, *frames: bytes | Exception) -> None:
        self.sock, self._far = socket.socketpair()
        self._far.sendall(b"x")  # there is always something to read
        self.frames, self.down = list(frames), False

    def settimeout(self, timeout: float) -> None:
        """Take it as given."""

    def recv_data(self) -> tuple[int, bytes]:
        """The next frame, or the end."""
        if not self.frames:
            return websocket.ABNF.OPCODE_CLOSE, b""
        frame = self.frames.pop(0)
        if isinstance(frame, Exception):
            raise frame
        return websocket.ABNF.OPCODE_BINARY, frame

    def send_binary(self, payload: bytes) -> int:
        """Take it."""
        return len(payload)

    def shutdown(self) -> None:
        """Let go."""
        self.down = True
        self.sock.close()
        self._far.close()


def carried(*frames: bytes | Exception) -> tuple[bytes, Frames]:
    """What comes out on our side of those frames."""
    near, far = socket.socketpair()
    made = Frames(*frames)
    with near, far:
        try:
            Tunnel(cast(Wire, made), "shop/a:80").carry(far)
        finally:
            far.shutdown(socket.SHUT_WR)
            assert made.down
        return near.recv(100), made


def test_the_first_frame_of_each_channel_is_none_of_the_answer() -> None:
    """It repeats the port; an empty frame and half a frame are nothing."""
    late = websocket.WebSocketTimeoutException("half")
    assert carried(b"\x00P\x00", b"\x01P\x00", b"", late, b"\x00he", b"\x00llo")[0] == b"hello"


def test_what_the_pod_refuses_is_the_error() -> None:
    """The words of the error channel."""
    with pytest.raises(KubeError, match="shop/a:80: connection refused"):
        carried(b"\x00P\x00", b"\x01P\x00", b"\x01connection refused\n")


def test_a_connection_that_breaks_is_told() -> None:
    """By which way it went."""
    with pytest.raises(KubeError, match="shop/a:80: the connection broke: gone"):
        carried(websocket.WebSocketConnectionClosedException("gone"))
