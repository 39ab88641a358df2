"""What containers wrote, as `kubectl logs` asks for it."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import time

from aiohttp import web

from ..kubelet.protocol import Kubelet, LogLine
from ..objects import Object, name_of
from .ages import parsed
from .containers import chosen
from .errors import bad_request
from .route import flag, whole

_HEADERS = {"Content-Type": "text/plain", "Cache-Control": "no-cache, private"}


async def serve(request: web.BaseRequest, kubelet: Kubelet, pod: Object) -> web.StreamResponse:
    """The log of a container: its last lines, those since a moment, and, followed, those to come."""
    query = request.query
    container = chosen(pod, query.get("container", ""))
    _check_started(pod, container)
    try:
        log = kubelet.log(pod, container, previous=flag(query, "previous"))
    except LookupError as fault:
        raise bad_request(str(fault.args[0]) if fault.args else str(fault)) from fault
    known = list(log.lines)
    output = _Output(whole(query, "limitBytes"), flag(query, "timestamps"))
    text = output.taken(_tail(_recent(known, query), query))
    if not flag(query, "follow"):
        return web.Response(body=text, headers=_HEADERS)
    response = web.StreamResponse(headers=_HEADERS)
    response.enable_chunked_encoding()
    await response.prepare(request)
    if text:
        await response.write(text)
    seen = 0
    async for line in log.follow():
        seen += 1
        if seen <= len(known):
            continue
        await response.write(output.taken([line]))
        if output.full:
            break
    return response


class _Output:
    def __init__(self, limit: int | None, stamped: bool) -> None:
        self._left = limit
        self._stamped = stamped

    @property
    def full(self) -> bool:
        """Whether the client wants no more."""
        return self._left == 0

    def taken(self, lines: Sequence[LogLine]) -> bytes:
        """The lines as they are sent, cut off at the limit."""
        text = "".join(
            f"{_stamp(each.timestamp)} {each.text}\n" if self._stamped else f"{each.text}\n" for each in lines
        )
        data = text.encode()
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return data


def _recent(lines: Sequence[LogLine], query: Mapping[str, str]) -> Sequence[LogLine]:
    seconds = whole(query, "sinceSeconds")
    if seconds is not None:
        return lines[_first(lines, time() - seconds) :]
    if since := query.get("sinceTime"):
        try:
            moment = parsed(since).timestamp()
        except ValueError as fault:
            raise bad_request(f"sinceTime: Invalid value: {since!r}") from fault
        return lines[_first(lines, moment) :]
    return lines


def _first(lines: Sequence[LogLine], moment: float) -> int:
    """The number of the first line since a moment: there may be thousands before it, all older."""
    return bisect_left(lines, moment, key=lambda each: each.timestamp)


def _tail(lines: Sequence[LogLine], query: Mapping[str, str]) -> Sequence[LogLine]:
    count = whole(query, "tailLines")
    if count is None or count < 0:
        return lines
    return lines[-count:] if count else ()


def _stamp(moment: float) -> str:
    whole_seconds, rest = divmod(moment, 1)
    stamp = datetime.fromtimestamp(whole_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{int(rest * 1e9):09d}Z"


def _check_started(pod: Object, container: str) -> None:
    """400 with the kubelet's words while the container has not started yet."""
    state = pod.get("status", {})
    known = [
        each
        for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for each in state.get(kind) or ()
        if each.get("name") == container
    ]
    if not known:
        if not pod.get("spec", {}).get("nodeName"):
            raise bad_request(f"pod {name_of(pod)} does not have a host assigned")
        return
    waiting = known[0].get("state", {}).get("waiting")
    if waiting and not known[0].get("lastState") and not known[0].get("restartCount"):
        reason = waiting.get("reason", "")
        if reason in ("ImagePullBackOff", "ErrImagePull"):
            raise bad_request(
                f'container "{container}" in pod "{name_of(pod)}" is waiting to start: trying and failing to pull image'
            )
        raise bad_request(f'container "{container}" in pod "{name_of(pod)}" is waiting to start: {reason}')
