"""WebSocket framing: what an exec gave, and above all when its ending proves nothing."""

import json
from collections.abc import Sequence

import pytest
import websocket

from pytest_ambient import _kube_stream
from pytest_ambient._kube_exec import execute
from pytest_ambient._kube_stream import V4, V5, Dialer, Socket, exchange
from pytest_ambient.errors import ExecFailed, KubeError

SUCCESS = json.dumps({"status": "Success"}).encode()
EXIT_7 = json.dumps(
    {"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}, "message": "ended with 7"}
).encode()
NO_CURL = json.dumps({"status": "Failure", "message": 'exec: "curl": executable file not found in $PATH'}).encode()


class Wire:
    """A WebSocket that gives prepared messages, then closes, breaks or goes silent."""

    def __init__(self, *messages: bytes, end: str = "close", protocol: str = V5) -> None:
        self.messages, self.end, self.subprotocol = list(messages), end, protocol
        self.sent: list[bytes] = []
        self.down = False

    def settimeout(self, timeout: float) -> None:
        """Take it as given."""

    def recv_data(self) -> tuple[int, bytes]:
        """The next message."""
        if self.messages:
            return websocket.ABNF.OPCODE_BINARY, self.messages.pop(0)
        if self.end == "break":
            raise websocket.WebSocketConnectionClosedException("gone")
        if self.end == "silence":
            raise websocket.WebSocketTimeoutException("timed out")
        return websocket.ABNF.OPCODE_CLOSE, b""

    def send_binary(self, payload: bytes) -> int:
        """Keep what is sent."""
        self.sent.append(payload)
        return len(payload)

    def shutdown(self) -> None:
        """Note it."""
        self.down = True


def dialer(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Dialer:
    """A dialer that always gives this wire."""

    def dial(
        self: Dialer, path: str, query: Sequence[tuple[str, str]], protocols: Sequence[str], deadline: float
    ) -> Socket:
        return wire

    monkeypatch.setattr(_kube_stream.Dialer, "dial", dial)
    return Dialer("https://127.0.0.1", None, None, dict)


@pytest.mark.parametrize(
    ("frames", "end", "status", "error"),
    [
        ([b"\x01out", b"\x03" + SUCCESS], "close", 0, ""),
        ([b"\x01out", b"\x03" + EXIT_7], "close", 7, ""),
        ([b"\x01out", b"\x03" + NO_CURL], "close", None, "executable file not found"),
        ([b"\x01out"], "close", None, "without an exit status"),
        ([b"\x01out"], "break", None, "the connection broke"),
        ([b"\x01out"], "silence", None, "no end within 5 s"),
        ([b"\x01out", b"\x03{"], "close", None, "unreadable ending"),
        ([b"\x01out", b"\x03[]"], "close", None, "unreadable ending"),
        ([b"\x03" + SUCCESS, b"\x01out"], "close", 0, ""),
        ([b"\x01o", b"\x03" + SUCCESS, b"\xff\x01", b"\x01ut"], "break", 0, ""),
    ],
)
def test_only_a_readable_ending_is_a_status(
    frames: list[bytes], end: str, status: int | None, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost, cut or strange ending gives None and says why; output that trails it still counts."""
    wire = Wire(*frames, end=end)
    done = execute(dialer(wire, monkeypatch), "/exec", [], None, 5)
    assert (done.stdout, done.status) == (b"out", status)
    assert error in done.error
    assert wire.down


def test_standard_input_is_sent_whole_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """In frames that API servers take, then the v5 close of channel 0."""
    wire = Wire(b"\x03" + SUCCESS)
    execute(dialer(wire, monkeypatch), "/exec", [], b"x" * 40_000, 5)
    assert b"".join(frame[1:] for frame in wire.sent[:-1]) == b"x" * 40_000
    assert {frame[0] for frame in wire.sent[:-1]} == {0}
    assert wire.sent[-1] == bytes([255, 0])


def test_standard_input_needs_the_protocol_that_can_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over v4 a command that reads to the end would never see it."""
    wire = Wire(b"\x03" + SUCCESS, protocol=V4)
    with pytest.raises(ExecFailed, match="cannot end standard input"):
        execute(dialer(wire, monkeypatch), "/exec", [], b"x", 5)


def test_a_port_forward_gives_what_the_port_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first frame of each channel only repeats the port; an answer that says its length needs no farewell."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    wire = Wire(b"\x00\x98\x3a", b"\x01\x98\x3a", b"\x00" + head, b"\x00hello", end="silence")
    assert exchange(dialer(wire, monkeypatch), "/portforward", 15000, b"GET", 5) == head + b"hello"


def test_a_refused_port_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the error channel says becomes the error."""
    wire = Wire(b"\x00\x98\x3a", b"\x01\x98\x3a", b"\x01connection refused")
    with pytest.raises(KubeError, match="port-forward to port 15000 failed: connection refused"):
        exchange(dialer(wire, monkeypatch), "/portforward", 15000, b"GET", 5)


def test_a_refusal_to_exec_names_its_reason() -> None:
    """The Status that came in place of a WebSocket is the message; 404 and 403 keep their meaning."""
    body = json.dumps({"message": 'pods "x" not found'})
    error = _kube_stream.refused(404, body.encode(), "/api/v1/namespaces/a/pods/x/exec")
    assert (type(error).__name__, str(error)) == ("NotFound", 'exec refused: pods "x" not found')
    assert type(_kube_stream.refused(403, None, "/x/exec")).__name__ == "Forbidden"
    assert type(_kube_stream.refused(500, "oops", "/x/exec")).__name__ == "ExecFailed"
