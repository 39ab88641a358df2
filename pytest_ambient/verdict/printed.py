"""What one run of curl printed, taken apart into transfers without trusting a byte of their bodies."""

import json
from collections import defaultdict
from dataclasses import dataclass, field

from pytest_ambient.verdict.outcome import Lost, Outcome

NOT_TRIED = frozenset({2, 3, 4, 23, 26, 27, 43, 45, 48})
"""curl's exits where it could not make or report a request: usage, memory, no local address, no place to write."""

_JSON = json.JSONDecoder()


@dataclass(frozen=True)
class Transfer:
    """One request as curl reported it, `about` being its `%{json}`; None when the report is cut off."""

    body: str
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    about: dict[str, object] | None = None


def read(token: str, stdout: bytes) -> dict[str, list[Transfer]]:
    """The transfers under the name that their marker line gives them, in the order in which they ended."""
    transfers: defaultdict[str, list[Transfer]] = defaultdict(list)
    body, *reports = stdout.split(b"\n" + token.encode() + b" ")
    for report in reports:
        name, _, rest = report.partition(b"\n")
        headers, about, length = _values(rest)
        transfers[name.decode()].append(Transfer(body.decode(errors="replace"), headers, about))
        body = rest[length:]
    return dict(transfers)


def observation(transfer: Transfer) -> Outcome | Lost:
    """The transfer as an outcome; Lost when curl did not get to try, or took a connection that was open already."""
    about = transfer.about
    if about is None:
        return Lost("curl's report is cut off")
    exit_code, status = _number(about, "exitcode"), _number(about, "http_code")
    if exit_code in NOT_TRIED:
        return Lost(f"curl could not try: {about.get('errormsg')} (curl exit {exit_code})")
    if exit_code == 0 and status == 0:
        return Lost("curl reports success without an HTTP answer")
    if status and not _number(about, "num_connects"):
        return Lost("curl used a connection that was open already")
    return Outcome(
        exit_code=exit_code,
        status=status,
        headers=transfer.headers,
        body=transfer.body,
        error=str(about.get("errormsg") or ""),
        local_ip=str(about.get("local_ip") or ""),
        local_port=_number(about, "local_port"),
        remote_ip=str(about.get("remote_ip") or ""),
        remote_port=_number(about, "remote_port"),
        connect_ms=_milliseconds(about, "time_connect"),
        total_ms=_milliseconds(about, "time_total"),
    )


def _values(rest: bytes) -> tuple[dict[str, tuple[str, ...]], dict[str, object] | None, int]:
    """Headers, facts and how many bytes they take up, the newline after them included."""
    text = rest.decode("latin-1")  # one letter a byte, so that positions in text are positions in bytes
    try:
        headers, end = _JSON.raw_decode(text)
        about, end = _JSON.raw_decode(text, end + 1)
    except json.JSONDecodeError:
        return {}, None, len(rest)
    return {_utf8(name).lower(): tuple(map(_utf8, values)) for name, values in headers.items()}, about, end + 1


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("latin-1", errors="replace").decode(errors="replace")


def _number(about: dict[str, object], name: str) -> int:
    value = about.get(name)
    return value if isinstance(value, int) else 0


def _milliseconds(about: dict[str, object], name: str) -> float:
    value = about.get(name)
    return round(value * 1000, 3) if isinstance(value, int | float) else 0.0
