"""A pod's `nc` and `wget`, as busybox has them: led where the pod's curl is led, and calling from the pod's address.

Run by itself, `callers.py nc|wget ARGUMENT...`, in a container's environment; the standard library is all it needs.
`callers.py curl CURL ARGUMENT...` becomes that curl once the places that its arguments name are those of the cluster.
"""

import contextlib
import getopt
import http.client
import os
import selectors
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urljoin, urlsplit

_CHUNK = 1 << 16
_LATER = 0.3
"""Seconds of quiet after which the other side hears that its caller has no more to say; some hang up on that."""
_REDIRECTS = (301, 302, 303, 307, 308)


class Failed(Exception):
    """What to say before the end with exit code 1."""


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _options(file: Path) -> Iterator[tuple[str, str]]:
    for line in file.read_text().splitlines():
        name, _, value = line.partition(" = ")
        if name == "config":
            yield from _options(Path(value.strip('"')))
        else:
            yield name, value.strip('"')


def _known() -> list[tuple[str, str]]:
    return list(_options(Path(os.environ["AMBIENT_CURLRC"])))


def _leads() -> list[list[str]]:
    return [value.split(":") for name, value in _known() if name == "connect-to"]


def led(host: str, port: int) -> tuple[str, int]:
    """Where the pod's curl is led for a host and a port; to just these where it knows no other."""
    fit = (each for each in _leads() if each[0] in ("", host.lower()) and each[1] in ("", str(port)))
    lead = next(fit, ["", "", "", ""])
    return lead[2] or host, int(lead[3] or port)


def connect(host: str, port: int, timeout: float | None) -> socket.socket:
    """A connection from the pod; Failed in busybox's words when there is none."""
    address, at = led(host, port)
    try:
        socket.inet_aton(address)
    except OSError:
        raise Failed(f"bad address '{host}'") from None
    own = next(value.removeprefix("host!") for name, value in _known() if name == "interface")
    try:
        return socket.create_connection((address, at), timeout, (own, 0))
    except TimeoutError:
        raise Failed(f"can't connect to remote host ({address}): Operation timed out") from None
    except OSError as error:
        raise Failed(f"can't connect to remote host ({address}): {error.strerror}") from None


def nc(argv: Sequence[str]) -> int:
    """Copies standard input to a connection and what comes of it to standard output; `-z` only connects."""
    options, words = getopt.gnu_getopt(argv, "nvzNw:q:i:46")
    given = dict(options)
    if len(words) != 2 or not words[1].isdigit():
        raise Failed("of nc the embedded cluster has HOST PORT with -n -v -z -w, one port, no listening")
    patience = float(given["-w"]) if "-w" in given else None
    with connect(words[0], int(words[1]), patience) as talk:
        if "-v" in given:
            _tell(f"{words[0]} ({talk.getpeername()[0]}:{words[1]}) open")
        if "-z" not in given:
            with contextlib.suppress(ConnectionError):
                _copied(talk, patience)
    return 0


def _copied(talk: socket.socket, patience: float | None) -> None:
    with selectors.DefaultSelector() as chosen:
        chosen.register(talk, selectors.EVENT_READ)
        asking = _registered(chosen, talk)
        said = False  # whether it was told that this was all
        while True:
            ready = chosen.select(None if asking else patience if said else _LATER)
            if not ready and said:
                return
            if not ready:
                talk.shutdown(socket.SHUT_WR)
                said = True
            for key, _ in ready:
                data = os.read(key.fd, _CHUNK)
                if key.fileobj is talk and not data:
                    return
                if key.fileobj is talk:
                    os.write(1, data)
                elif data:
                    talk.sendall(data)
                else:
                    chosen.unregister(0)
                    asking = False


def _registered(chosen: selectors.BaseSelector, talk: socket.socket) -> bool:
    """Whether standard input is still to be read; what is in a file is all there and sent at once."""
    try:
        chosen.register(0, selectors.EVENT_READ)
    except PermissionError:
        talk.sendall(sys.stdin.buffer.read())
        return False
    return True


_LONG = "header= post-data= spider user-agent= timeout= quiet output-document= server-response no-check-certificate"


def wget(argv: Sequence[str]) -> int:
    """Fetches what is at the URLs into files, or with `-O -` to standard output."""
    options, words = getopt.gnu_getopt(argv, "qSO:T:U:Y:t:c", _LONG.split())
    given = {name: value for name, value in options if name != "--header"}
    headers = [each.partition(":") for name, each in options if name == "--header"]
    sent = {"User-Agent": given.get("-U", given.get("--user-agent", "Wget")), "Connection": "close"}
    sent |= {name.strip(): value.strip() for name, _, value in headers}
    body = given.get("--post-data")
    if body is not None:
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    for url in words:
        _fetched(url if "://" in url else f"http://{url}", given, sent, body)
    return 0


def _fetched(url: str, given: dict[str, str], sent: dict[str, str], body: str | None) -> None:
    quiet = "-q" in given or "--quiet" in given
    for _ in range(10):
        parts = urlsplit(url)
        if parts.scheme != "http":
            raise Failed(
                f"not an http or ftp url: {url}" if parts.scheme != "https" else "no TLS in this cluster's wget"
            )
        timeout = float(given.get("-T", given.get("--timeout", 900)))
        answer, talk = _asked(url, timeout, sent, body, quiet=quiet)
        if "-S" in given or "--server-response" in given:
            lines = [
                f"HTTP/1.1 {answer.status} {answer.reason}",
                *(f"{name}: {text}" for name, text in answer.getheaders()),
            ]
            _tell("\n".join(f"  {each}" for each in lines))
        with contextlib.closing(talk):
            if answer.status in _REDIRECTS and (there := answer.getheader("location")):
                url, body = urljoin(url, there), None
            elif answer.status // 100 != 2:
                raise Failed(f"server returned error: HTTP/1.1 {answer.status} {answer.reason}")
            else:
                named = (
                    given.get("-O") or given.get("--output-document") or parts.path.rpartition("/")[2] or "index.html"
                )
                _kept(answer, "" if "--spider" in given else named)
                return
    raise Failed("too many redirections")


def _asked(
    url: str, timeout: float, sent: dict[str, str], body: str | None, *, quiet: bool
) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    talk = http.client.HTTPConnection(host, port)
    try:
        talk.sock = connect(host, port, timeout)
    except Failed as error:
        raise Failed(f"bad address '{parts.netloc}'" if "bad address" in str(error) else str(error)) from None
    if not quiet:
        _tell(f"Connecting to {parts.netloc} ({talk.sock.getpeername()[0]}:{port})")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        talk.request("GET" if body is None else "POST", path, body, {"Host": parts.netloc, **sent})
        return talk.getresponse(), talk
    except TimeoutError:
        raise Failed("download timed out") from None
    except ConnectionResetError:
        raise Failed("error getting response: Connection reset by peer") from None
    except (OSError, http.client.HTTPException):
        raise Failed("error getting response") from None


def _kept(answer: http.client.HTTPResponse, file: str) -> None:
    if file == "-":
        while data := answer.read1(_CHUNK):
            os.write(1, data)
    elif file:
        Path(file).write_bytes(answer.read())


_PROXIES = ("http_proxy", "all_proxy", "ALL_PROXY")


def curl(argv: Sequence[str]) -> int:
    """Becomes curl, with the places that `--resolve`, `--connect-to` and a proxy name led where they are."""
    words, given = [argv[0]], iter(argv[1:])
    proxied = any(map(os.environ.get, _PROXIES))
    direct = any(map(os.environ.get, ("no_proxy", "NO_PROXY"))) or "--noproxy" in argv
    for word in given:
        if word in ("--resolve", "--connect-to"):
            translated = _resolved if word == "--resolve" else _connected
            words += [part for each in translated(next(given, "")) for part in ("--connect-to", each)]
        elif word in ("-x", "--proxy"):
            proxy = _proxy(next(given, ""))
            proxied = bool(proxy)
            words += [word, proxy]
        else:
            words.append(word)
    for name in _PROXIES:
        if name in os.environ:
            os.environ[name] = _proxy(os.environ[name])
    if proxied and not direct:
        os.environ["AMBIENT_CURLRC"] = str(_nameless())
    os.environ["AMBIENT_LED"] = "yes"
    os.execv(words[0], words)  # noqa: S606 - the wrapper that asked


def _resolved(asked: str) -> Iterator[str]:
    """As `--connect-to`, for the pod's own leads beat what curl has resolved."""
    host, _, rest = asked.removeprefix("+").partition(":")
    port, _, addresses = rest.partition(":")
    if port.isdigit() and addresses:
        address, at = led(addresses.split(",")[0], int(port))
        yield f"{host.removeprefix('*')}:{port}:{address}:{at}"


def _connected(asked: str) -> Iterator[str]:
    parts = asked.split(":")
    if len(parts) != 4 or not parts[2]:
        yield asked
        return
    host, port, place, at = parts
    if (wanted := at or port).isdigit():
        address, number = led(place, int(wanted))
        yield f"{host}:{port}:{address}:{number}"
        return
    for name, asked_port, address, led_to in _leads():
        if name == place.lower() and (not port or asked_port in ("", port)):
            yield f"{host}:{port or asked_port}:{address}:{led_to}"
    yield asked


def _proxy(asked: str) -> str:
    parts = urlsplit(asked if "://" in asked else f"http://{asked}")
    if not parts.hostname:
        return asked
    address, at = led(parts.hostname, parts.port or 1080)
    user, given, _ = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{user}{given}{address}:{at}"


def _nameless() -> Path:
    """The pod's options without its leads: behind a proxy curl would take each of them for a reason to tunnel."""
    own = Path(os.environ["AMBIENT_CURLRC"])
    kept = [line for line in own.read_text().splitlines(keepends=True) if not line.startswith(("connect-to", "config"))]
    file, fresh = own.with_suffix(".nameless"), own.with_suffix(f".{os.getpid()}")
    fresh.write_text("".join(kept))
    return fresh.rename(file)


def main(name: str, argv: Sequence[str]) -> int:
    """Run the program of that name and return its exit code."""
    try:
        return {"nc": nc, "wget": wget, "curl": curl}[name](argv)
    except (Failed, getopt.GetoptError) as error:
        _tell(f"{name}: {error}")
    except TimeoutError:
        _tell(f"{name}: download timed out")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
