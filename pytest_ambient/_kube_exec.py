"""Execs over v5 and v4 of the channel protocol; a lost ending is never read as an exit status of 0."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ambient._kube_stream import V4, V5, Dialer, Socket, left
from pytest_ambient.errors import ExecFailed

STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
FRAME = 32 * 1024
"""Bytes of standard input per frame: API servers close the connection on frames that are much larger."""

FAREWELL = 1.0
"""Seconds for which output may trail the exit status."""


@dataclass(frozen=True)
class Executed:
    """What a command in a container gave."""

    stdout: bytes
    stderr: bytes
    status: int | None
    """The exit status; None when the ending was lost or the command could not be started: it proves nothing."""
    error: str = ""
    """Why `status` is None."""


def execute(
    dialer: Dialer, path: str, query: Sequence[tuple[str, str]], stdin: bytes | None, timeout: float
) -> Executed:
    """Runs a command; raises ExecFailed when `stdin` is given and the server can't close it (no v5)."""
    deadline = time.monotonic() + timeout
    wire = dialer.dial(path, query, (V5, V4), deadline)
    try:
        if stdin is not None:
            if wire.subprotocol != V5:
                raise ExecFailed(f"the API server speaks {wire.subprotocol}, which cannot end standard input")
            send(wire, stdin)
        return collected(wire, deadline, timeout)
    finally:
        wire.shutdown()


def send(wire: Socket, stdin: bytes) -> None:
    """Sends standard input whole and ends it; a command that ended before is no error, its output says more."""
    import websocket

    try:
        for start in range(0, len(stdin), FRAME):
            wire.send_binary(bytes([STDIN]) + stdin[start : start + FRAME])
        wire.send_binary(bytes([CLOSE, STDIN]))
    except (OSError, websocket.WebSocketException):
        return


def collected(wire: Socket, deadline: float, timeout: float) -> Executed:
    """Reads all channels to the end; a missing or unreadable ending makes the status None."""
    import websocket

    channels: dict[int, list[bytes]] = {STDOUT: [], STDERR: [], ERROR: []}
    reason = "the connection ended without an exit status"
    try:
        while True:
            wire.settimeout(left(deadline) if not channels[ERROR] else min(left(deadline), FAREWELL))
            opcode, data = wire.recv_data()
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
