"""The small samples: helloworld over HTTP, tcp-echo over plain TCP."""

import asyncio

from aiohttp import web

from .program import CannotStart, Surroundings
from .web import Web, reply

_SERVER = {"Server": "Werkzeug/2.3.4 Python/3.11.4", "Content-Type": "text/html; charset=utf-8"}


class Helloworld(Web):
    """Says which version and which pod it is, on 5000."""

    def __init__(self, around: Surroundings, version: str) -> None:
        super().__init__(around, {5000: self._answer})
        self._version = around.env.get("SERVICE_VERSION", version)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path not in ("/hello", "/health"):
            return reply("Not Found", 404, _SERVER)
        if request.method not in ("GET", "HEAD"):
            return reply("Method Not Allowed", 405, {**_SERVER, "Allow": "OPTIONS, GET, HEAD"})
        if request.path == "/health":
            return reply("Helloworld is healthy", 200, _SERVER)
        return reply(f"Hello version: {self._version}, instance: {self.around.env.get('HOSTNAME', '')}\n", 200, _SERVER)


class TcpEcho:
    """Sends each whole line back behind a word of greeting, and logs both.

    Arguments: ports with commas between, and the word; 9000 and `hello` where an image's user gives none.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._greeting = around.args[1] if len(around.args) > 1 else "hello"
        self._stopped = asyncio.Event()
        self._lines: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen on every port."""
        ports = (self._around.args[0] if self._around.args else "9000").split(",")
        if not all(each.isdigit() for each in ports):
            raise CannotStart(f"tcp-echo's first argument is a list of ports, not {self._around.args[0]!r}")
        for each in ports:
            await self._around.listen(int(each), self._connection)
            self._around.log(f"listening on [::]:{each}, prefix: {self._greeting}")

    async def wait(self) -> int:
        """Wait until it is stopped."""
        await self._stopped.wait()
        return 0

    async def stop(self) -> None:
        """Close every connection."""
        self._stopped.set()
        for each in self._writers:
            each.close()

    def _connection(self) -> asyncio.StreamReaderProtocol:
        reader = asyncio.StreamReader(limit=1 << 20)
        return asyncio.StreamReaderProtocol(reader, self._echo)

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (line := await reader.readline()).endswith(b"\n"):  # what has no end is never answered
                answer = self._greeting.encode() + b" " + line
                self._say("request", line)
                self._say("response", answer)
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, ValueError):  # the caller left, or sent a line without end
            self._around.log("connection closed by its caller")
        finally:
            self._writers.discard(writer)
            writer.close()

    def _say(self, what: str, line: bytes) -> None:
        self._around.log(f"{what}: {line.rstrip().decode(errors='replace')}")
