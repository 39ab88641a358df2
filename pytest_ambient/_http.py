"""Requests to servers elsewhere: small texts, files piece by piece, and whether anybody answers at all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_ambient import _halt
from pytest_ambient.errors import FetchFailed

if TYPE_CHECKING:
    import requests

CONNECT, SILENCE = 10.0, 15.0
"""Seconds until a server must take a connection, and until its next byte must come."""

PIECE = 1 << 16

LONGEST_TEXT = 1 << 20
"""Bytes beyond which a text is none: a checksum file has a few dozen."""


class BrokeOff(FetchFailed):
    """The download ended early; what came is in the part."""


def text(url: str, *, within: float = 30.0) -> str:
    """What a small file at `url` says; FetchFailed in one line when it cannot be read."""
    deadline, body = time.monotonic() + within, bytearray()
    with answered(url, 0, f"{url}: cannot be read") as answer:
        for piece in pieces(answer, url, deadline):
            body += piece
            if len(body) > LONGEST_TEXT:
                raise FetchFailed(f"{url}: more than {LONGEST_TEXT} bytes, this is not the text that was looked for")
    return body.decode(errors="replace")


@contextmanager
def answered(url: str, start: int, what: str, instead: str = "") -> Iterator["requests.Response"]:
    """What a server sends of a file from byte `start` on; FetchFailed opens with `what`, ends with `instead`."""
    import requests

    # as it is: a server that compresses on the way would spoil both Range and checksum
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    offline = f"; without a network {instead}" if instead else ""
    try:
        answer = requests.get(url, headers=headers, stream=True, timeout=(CONNECT, SILENCE))
    except requests.RequestException as error:
        raise BrokeOff(f"{what}: {_reason(error)}{offline}") from None
    with answer:
        if answer.status_code >= 400 and not (start and answer.status_code == 416):
            kind = BrokeOff if answer.status_code >= 500 or answer.status_code == 429 else FetchFailed
            raise kind(f"{what}: HTTP {answer.status_code} {answer.reason}{offline}")
        yield answer


def pieces(answer: "requests.Response", url: str, deadline: float) -> Iterator[bytes]:
    """What comes of an answer until `deadline`; BrokeOff when it ends early."""
    import requests

    halt = _halt.current()
    try:
        for piece in answer.iter_content(PIECE):
            halt.check()
            yield piece
            if time.monotonic() >= deadline:
                raise FetchFailed(f"{url}: not here in time: try again, it is taken up where it was")
    except requests.RequestException as error:
        raise BrokeOff(f"{url}: broke off: {_reason(error)}: try again, it is taken up where it was") from None


def _reason(error: Exception) -> str:
    """The innermost words of a requests error, which wraps those of urllib3 and of the system."""
    cause: BaseException = error
    while (inner := cause.__context__ or getattr(cause, "reason", None)) is not None and isinstance(inner, Exception):
        cause = inner
    return (cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)) or type(cause).__name__


def unreachable(url: str, *, within: float = 5.0) -> str:
    """Why no server answers at `url`, proxies honoured; empty when one does, whatever it says."""
    import requests

    try:
        requests.head(url, timeout=(within, within), allow_redirects=False).close()
    except requests.RequestException as error:
        return _reason(error)
    return ""
