"""SPDY/3.1 frames, as kubectl tunnels them through a WebSocket for port-forward."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 "
    "Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 "
    "Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept "
    "Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset="
    "utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = (
    b"".join(struct.pack(">I", len(word)) + word.replace("_", " ").encode() for word in _WORDS.split()) + _TEXT.encode()
)
"""What both sides' compression knows from the start; the protocol fixes it."""

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
_VERSION = 0x8003
_FIN = 1
_LARGEST = 1 << 15


@dataclass(frozen=True)
class Frame:
    """One frame; `type` is 0 for data."""

    type: int
    stream: int
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    last: bool = False
    """Whether its sender will send no more on that stream."""


class Codec:
    """Reads the client's frames and writes ours; compression carries over from frame to frame."""

    def __init__(self) -> None:
        self._read = zlib.decompressobj(zdict=DICTIONARY)
        self._write = zlib.compressobj(zdict=DICTIONARY)
        self._held = b""

    def frames(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with this piece of the stream; ValueError for what is no SPDY."""
        self._held += data
        while len(self._held) >= 8:
            first, second = struct.unpack(">II", self._held[:8])
            length = second & 0xFFFFFF
            if len(self._held) < 8 + length:
                return
            body, self._held = self._held[8 : 8 + length], self._held[8 + length :]
            last = bool((second >> 24) & _FIN)
            if first >> 31:
                yield self._control(first, body, last=last)
            else:
                yield Frame(0, first, body, last=last)

    def _control(self, first: int, body: bytes, *, last: bool) -> Frame:
        if first >> 16 != _VERSION:
            raise ValueError("not SPDY/3.1")
        kind = first & 0xFFFF
        stream = struct.unpack(">I", body[:4])[0] & 0x7FFFFFFF if len(body) >= 4 else 0
        if kind == SYN_STREAM:
            return Frame(kind, stream, headers=self._headers(body[10:]), last=last)
        if kind == SYN_REPLY:
            self._headers(body[4:])
        return Frame(kind, stream, body, last=last)

    def _headers(self, block: bytes) -> dict[str, str]:
        text = self._read.decompress(block)
        count, place = struct.unpack(">I", text[:4])[0], 4
        words = []
        for _ in range(2 * count):
            length = struct.unpack(">I", text[place : place + 4])[0]
            words.append(text[place + 4 : place + 4 + length].decode())
            place += 4 + length
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}

    def reply(self, stream: int) -> bytes:
        """The frame that accepts a stream."""
        block = self._write.compress(struct.pack(">I", 0)) + self._write.flush(zlib.Z_SYNC_FLUSH)
        return _frame(_VERSION << 16 | SYN_REPLY, struct.pack(">I", stream) + block)

    def ping(self, body: bytes) -> bytes:
        """The answer to a ping."""
        return _frame(_VERSION << 16 | PING, body)


def data(stream: int, content: bytes, *, last: bool = False) -> bytes:
    """The frames that carry these bytes."""
    pieces = [content[place : place + _LARGEST] for place in range(0, len(content), _LARGEST)] or [b""]
    ends = [False] * (len(pieces) - 1) + [last]
    return b"".join(_frame(stream, piece, last=end) for piece, end in zip(pieces, ends, strict=True))


def _frame(first: int, body: bytes, *, last: bool = False) -> bytes:
    return struct.pack(">II", first, (_FIN << 24 if last else 0) | len(body)) + body
