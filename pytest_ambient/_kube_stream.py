"""WebSockets to pods: exec (v5 and v4) and port-forward, with deadlines; a lost ending is never an exit status of 0."""

import json
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import urlencode, urlsplit

from pytest_ambient.errors import ExecFailed, Forbidden, KubeError, NotFound, ServerGone

STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
FRAME = 32 * 1024
"""Bytes of standard input per frame: API servers close the connection on frames that are much larger."""

FAREWELL = 1.0
"""Seconds for which output may trail the exit status."""


class Socket(Protocol):
    """What is used of a WebSocket."""

    @property
    def subprotocol(self) -> str | None:
        """What the server chose."""

    def settimeout(self, timeout: float, /) -> None:
        """Seconds that one receive may take."""

    def recv_data(self) -> tuple[int, bytes]:
        """The next message or close frame, with its opcode."""

    def send_binary(self, payload: bytes, /) -> int:
        """Sends one message."""

    def shutdown(self) -> None:
        """Lets go at once."""


@dataclass(frozen=True)
class Executed:
    """What a command in a container gave."""

    stdout: bytes
    stderr: bytes
    status: int | None
    """The exit status; None when the ending was lost or the command could not be started: it proves nothing."""
    error: str = ""
    """Why `status` is None."""


@dataclass(frozen=True)
class Dialer:
    """How to open a WebSocket to one API server with one user's credentials."""

    host: str
    context: ssl.SSLContext | None
    server_name: str | None
    headers: Callable[[], Mapping[str, str]]
    proxy: str | None = None

    def dial(self, path: str, query: Sequence[tuple[str, str]], protocols: Sequence[str], deadline: float) -> Socket:
        """An open WebSocket; raises ServerGone, Forbidden, NotFound or ExecFailed."""
        import websocket

        url = self.host.replace("http", "ws", 1) + path + "?" + urlencode(query)
        options: dict[str, object] = {"context": self.context} if self.context else {}
        if self.server_name:
            options["server_hostname"] = self.server_name
        proxy = urlsplit(self.proxy) if self.proxy else None
        socket = cast(Any, websocket.WebSocket(sslopt=options, skip_utf8_validation=True))
        try:
            socket.connect(
                url,
                timeout=left(deadline),
                header=[f"{name}: {value}" for name, value in self.headers().items()],
                subprotocols=list(protocols),
                suppress_origin=True,
                http_no_proxy=None if proxy else ["*"],  # else it would look for one in the environment by itself
                http_proxy_host=proxy.hostname if proxy else None,
                http_proxy_port=proxy.port if proxy else None,
                proxy_type=(proxy.scheme or "http") if proxy else None,
            )
        except websocket.WebSocketBadStatusException as error:
            raise refused(error.status_code, error.resp_body, path) from error
        except (OSError, websocket.WebSocketException) as error:
            raise ServerGone(f"no answer from the API server at {self.host}: {error}") from error
        return cast(Socket, socket)


def left(deadline: float) -> float:
    """Seconds until the deadline, never quite 0 (which would mean no time-out at all)."""
    return max(deadline - time.monotonic(), 0.001)


def refused(status: int, body: bytes | str | None, path: str) -> KubeError:
    """The error for a WebSocket that the API server did not open."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        text = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        text = text.strip() or f"HTTP {status}"
    kinds: Mapping[int, type[KubeError]] = {401: Forbidden, 403: Forbidden, 404: NotFound}
    return kinds.get(status, ExecFailed)(f"{path.rpartition('/')[2]} refused: {text}")


def execute(
    dialer: Dialer, path: str, query: Sequence[tuple[str, str]], stdin: bytes | None, timeout: float
) -> Executed:
    """Runs a command; raises ExecFailed when `stdin` is given and the server can't close it (no v5)."""
    deadline = time.monotonic() + timeout
    socket = dialer.dial(path, query, (V5, V4), deadline)
    try:
        if stdin is not None:
            if socket.subprotocol != V5:
                raise ExecFailed(f"the API server speaks {socket.subprotocol}, which cannot end standard input")
            send(socket, stdin)
        return collected(socket, deadline, timeout)
    finally:
        socket.shutdown()


def send(socket: Socket, stdin: bytes) -> None:
    """Sends standard input whole and ends it; a command that ended before is no error, its output says more."""
    import websocket

    try:
        for start in range(0, len(stdin), FRAME):
            socket.send_binary(bytes([STDIN]) + stdin[start : start + FRAME])
        socket.send_binary(bytes([CLOSE, STDIN]))
    except (OSError, websocket.WebSocketException):
        return


def collected(socket: Socket, deadline: float, timeout: float) -> Executed:
    """Reads all channels to the end; a missing or unreadable ending makes the status None."""
    import websocket

    channels: dict[int, list[bytes]] = {STDOUT: [], STDERR: [], ERROR: []}
    reason = "the connection ended without an exit status"
    try:
        while True:
            socket.settimeout(left(deadline) if not channels[ERROR] else min(left(deadline), FAREWELL))
            opcode, data = socket.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            if data and data[0] in channels:
                channels[data[0]] += [data[1:]] if len(data) > 1 else []
    except websocket.WebSocketTimeoutException:
        reason = f"no end within {timeout:g} s"
    except (OSError, websocket.WebSocketException) as error:
        reason = f"the connection broke: {error}"
    status, error_text = ending(b"".join(channels[ERROR]), reason)
    return Executed(b"".join(channels[STDOUT]), b"".join(channels[STDERR]), status, error_text)


def ending(frame: bytes, reason: str) -> tuple[int | None, str]:
    """The exit status in an exec's last frame, or None with the reason why there is none."""
    if not frame:
        return None, reason
    try:
        status = json.loads(frame)
        if status.get("status") == "Success":
            return 0, ""
        causes = (status.get("details") or {}).get("causes") or []
        codes = [cause["message"] for cause in causes if cause.get("reason") == "ExitCode"]
        return (int(codes[0]), "") if codes else (None, str(status.get("message", "failed without a reason")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, f"unreadable ending: {frame[:200].decode(errors='replace')}"


def exchange(dialer: Dialer, path: str, port: int, request: bytes, timeout: float) -> bytes:
    """Sends bytes to a pod's port through a port-forward and gives all that comes back; raises KubeError."""
    import websocket

    deadline = time.monotonic() + timeout
    socket = dialer.dial(path, [("ports", str(port))], (V4,), deadline)
    answer: dict[int, bytearray] = {0: bytearray(), 1: bytearray()}
    opened: set[int] = set()  # the first frame of each channel only repeats the port's number
    try:
        socket.send_binary(bytes([0]) + request)
        while True:
            socket.settimeout(left(deadline))
            opcode, data = socket.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            if not data or data[0] not in answer:
                continue
            if data[0] in opened:
                answer[data[0]] += data[1:]
                if complete(answer[0]) or (data[0] == 1 and not answer[0]):
                    break
            opened.add(data[0])
    except (OSError, websocket.WebSocketException) as error:
        if not answer[0]:
            raise KubeError(f"port-forward to port {port} broke: {error}") from error
    finally:
        socket.shutdown()
    if answer[1] and not answer[0]:
        raise KubeError(f"port-forward to port {port} failed: {answer[1].decode(errors='replace').strip()}")
    return bytes(answer[0])


def complete(answer: bytearray) -> bool:
    """Whether an HTTP answer has come whole, when it says its own length."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(answer[:end]).lower()
    if b"transfer-encoding: chunked" in head:
        return answer.endswith(b"\r\n0\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head)
    return length is not None and len(answer) - end - 4 >= int(length[1])
