"""Turns calls into one run of curl (7.83 or newer), and what it prints back into one outcome per request.

Every request of every row prints its body, a line that opens with the caller's random token, curl's `%{header_json}`
and its `%{json}`. The token is never sent, so no body can imitate that line. Transfers run one after another:
`--parallel` was hardly faster over new connections (2,728 requests: 1.2-1.3 s against 1.3-1.5 s) and mixes the bodies.
"""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.outcome import Lost, Outcome
from pytest_ambient.verdict.printed import Transfer, observation, read
from pytest_ambient.verdict.seen import seen

ARGUMENT_BYTES = 8 * 1024
"""Rows that need more travel on standard input."""

Option: TypeAlias = tuple[str, str | None]


@dataclass(frozen=True)
class Row:
    """A call with its limits in seconds: for the whole of one request, and for its connection."""

    call: Call
    timeout: float = 10.0
    connect_timeout: float = 5.0
    rate: int | None = None
    """Requests a second, curl 7.84 or newer; None for as many as can be."""


def command(rows: Sequence[Row], token: str) -> tuple[list[str], bytes | None]:
    """The command for all rows, and its standard input: None while the rows fit the arguments, else their config."""
    words = arguments(rows, token)
    if sum(len(word.encode()) + 1 for word in words) <= ARGUMENT_BYTES:
        return ["curl", *words], None
    return ["curl", "-q", "-K", "-"], config(rows, token).encode()


def arguments(rows: Sequence[Row], token: str) -> list[str]:
    """The rows as arguments of one curl."""
    words = ["-q"]
    for name, value in _options(rows, token):
        words += [f"--{name}"] if value is None else [f"--{name}", value]
    return words


def config(rows: Sequence[Row], token: str) -> str:
    """The rows as text for `curl -q -K -`."""
    lines = (name if value is None else f"{name} = {_quoted(value)}" for name, value in _options(rows, token))
    return "\n".join(lines) + "\n"


def parse(rows: Sequence[Row], token: str, stdout: bytes) -> list[list[Outcome | Lost]]:
    """What each row saw, as many observations as its count; Lost where the output proves nothing."""
    printed = read(token, stdout)
    left: defaultdict[str, set[str]] = defaultdict(set)
    found = []
    for index, row in enumerate(rows):
        outcomes = [observation(transfer) for transfer in printed.get(f"{index} call", [])]
        outcomes += [Lost("curl ended before this request")] * (row.call.count - len(outcomes))
        if row.call.signed_in is not None:
            cookies = left[_login_url(row.call.url)]
            doubt = _doubt(row, printed.get(f"{index} login", []), _cookies(outcomes), cookies)
            outcomes = [Lost(doubt) if doubt and isinstance(one, Outcome) and one.status else one for one in outcomes]
        found.append(outcomes)
    return found


def pasteable(
    call: Call, target: str, namespace: str, *, context: str = "", kubeconfig: str = "", container: str = ""
) -> str:
    """The line that repeats a call by hand; `target` is `deploy/NAME` or `pod/NAME`."""
    words = ["kubectl"]
    words += ["--kubeconfig", kubeconfig] if kubeconfig else []
    words += ["--context", context] if context else []
    words += ["-n", namespace, "exec", target]
    words += ["-c", container] if container else []
    words += ["--", "curl"]
    if call.signed_in is not None:
        words += ["-sS", "-b", "", "-o", "/dev/null", "-e", call.url, "-d", f"username={call.signed_in}"]
        words += [_login_url(call.url), "--next"]
    words += ["-sS", *(["-b", ""] if call.signed_in is not None else [])]
    words += {"GET": [], "HEAD": ["-I"]}.get(call.method, ["-X", call.method])
    for header in call.headers:
        words += ["-H", _header(*header)]
    words += ["--data-raw", call.body] if call.body is not None else []
    words += ["-H", "Connection: close"] if call.count > 1 else []
    return shlex.join([*words, _url(call)])


def _doubt(row: Row, logins: list[Transfer], own: set[str], left: set[str]) -> str | None:
    """Why the row may have called as somebody else: curl has one set of cookies, `left` are those of this host."""
    signed = observation(logins[0]) if logins else Lost("curl ended before it")
    if isinstance(signed, Lost):
        return f"signing in as {row.call.signed_in} proved nothing: {signed.reason}"
    names = _cookies([signed])
    if signed.status >= 400 or not names:
        return f"signing in as {row.call.signed_in} gave no cookie: {seen(signed)}"
    foreign = sorted(left - names)
    left |= names | own
    return f"a cookie of an earlier row was sent too: {', '.join(foreign)}" if foreign else None


def _cookies(outcomes: Iterable[Outcome | Lost]) -> set[str]:
    """The names of the cookies that the answers set."""
    headers = (one.headers.get("set-cookie", ()) for one in outcomes if isinstance(one, Outcome))
    return {cookie.partition("=")[0].strip() for cookies in headers for cookie in cookies}


def _options(rows: Sequence[Row], token: str) -> list[Option]:
    operations = []
    for index, row in enumerate(rows):
        if row.call.signed_in is not None:
            operations.append(_login(row, f"{token} {index} login"))
        operations.append(_request(row, f"{token} {index} call"))
    options = operations[0] if operations else []
    for operation in operations[1:]:
        options = [*options, ("next", None), *operation]
    return options


def _request(row: Row, marker: str) -> list[Option]:
    call = row.call
    options = _limits(row)
    options += [("head", None), ("output", "/dev/null")] if call.method == "HEAD" else []
    options += [("request", call.method)] if call.method not in ("GET", "HEAD") else []
    options += [("header", _header(*header)) for header in call.headers]
    options += [("data-raw", call.body)] if call.body is not None else []
    options += [("cookie", "")] if call.signed_in is not None else []
    return [*options, *_report(marker), ("url", _url(call))]


def _login(row: Row, marker: str) -> list[Option]:
    """Signing in as Bookinfo's form does; `cookie` with nothing in it only switches curl's cookies on."""
    form = [("data-raw", f"username={row.call.signed_in}"), ("referer", row.call.url), ("cookie", "")]
    return [*_limits(row), *form, ("output", "/dev/null"), *_report(marker), ("url", _login_url(row.call.url))]


def _limits(row: Row) -> list[Option]:
    """`Connection: close` because curl would hand a row's connection on to the next; only the first hop sees it."""
    return [
        ("silent", None),
        ("show-error", None),
        ("noproxy", "*"),
        ("max-time", f"{row.timeout:g}"),
        ("connect-timeout", f"{row.connect_timeout:g}"),
        ("header", "Connection: close"),
        *([("rate", f"{row.rate}/s")] if row.rate else []),
    ]


def _report(marker: str) -> list[Option]:
    return [("write-out", rf"\n{marker}\n%{{header_json}}\n%{{json}}\n")]


def _header(name: str, value: str) -> str:
    return f"{name}: {value}" if value else f"{name};"


def _url(call: Call) -> str:
    """A count becomes a range in the fragment, which is never sent; brackets and braces of the URL stay as they are."""
    escaped = "".join(f"\\{letter}" if letter in "[]{}" else letter for letter in call.url)
    return f"{escaped}#[1-{call.count}]" if call.count > 1 else escaped


def _login_url(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/login"


def _quoted(value: str) -> str:
    escapes = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
    return '"' + "".join(escapes.get(letter, letter) for letter in value) + '"'
