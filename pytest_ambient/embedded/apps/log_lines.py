"""How web programs tell of a request in their logs."""

import json
import re
from datetime import UTC, datetime

from aiohttp import web

_PLAIN = re.compile(r"[!#-<>-~]+")
"""What Go's text logger writes without quotes: no space, no quote, no equals sign."""


def structured(request: web.BaseRequest, answer: web.Response, seconds: float, client: str) -> str:
    """A line of go-httpbin: key=value, by Go's text logger."""
    status, uri, took = answer.status, request.path_qs, round(seconds * 1000, 6)
    values = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": "ERROR" if status >= 500 else "WARN" if status >= 400 else "INFO",
        "msg": f"{status} {request.method} {uri} {took:.1f}ms",
        "status": status,
        "method": request.method,
        "uri": uri,
        "size_bytes": len(answer.body) if isinstance(answer.body, bytes) else 0,
        "duration_ms": took,
        "user_agent": request.headers.get("User-Agent", ""),
        "client_ip": client,
    }
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in values.items())


def common(request: web.BaseRequest, answer: web.Response) -> str:
    """A line of gunicorn's access log, in the combined format."""
    at = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    size = len(answer.body) if isinstance(answer.body, bytes) else 0
    refers, agent = (request.headers.get(each, "-") for each in ("Referer", "User-Agent"))
    asked = f"{request.method} {request.path_qs} HTTP/{request.version.major}.{request.version.minor}"
    return f'{request.remote or "127.0.0.1"} - - [{at}] "{asked}" {answer.status} {size} "{refers}" "{agent}"'


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
