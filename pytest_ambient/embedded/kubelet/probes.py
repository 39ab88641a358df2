"""A container's probes: asks its ports or runs its commands, and says when the answer counts."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol

from ..objects import Object
from .protocol import PodUnreachable

_QUICK = 0.02
"""A container that has just started is asked again at once, then ever more slowly up to its period."""


class Subject(Protocol):
    """The container that is probed."""

    spec: Object

    async def fetch(self, port: int, path: str, headers: dict[str, str]) -> int:
        """The status of a GET; PodUnreachable when nothing listens."""

    def listens(self, port: int) -> bool:
        """Whether the port is served."""

    async def succeeds(self, argv: list[str], seconds: float) -> bool:
        """Whether a command in the container ends with 0 in time."""


async def failure(subject: Subject, probe: Object) -> str | None:
    """Ask once: None when the probe passes, else why not; what a probe asks for that is not known here fails."""
    seconds = float(probe.get("timeoutSeconds") or 1)
    try:
        async with asyncio.timeout(seconds):
            if "httpGet" in probe:
                return await _of_http(subject, probe["httpGet"])
            if "tcpSocket" in probe:
                port = _port(subject, probe["tcpSocket"]["port"])
                return None if subject.listens(port) else f"dial tcp: connect to port {port}: connection refused"
            if "exec" in probe:
                good = await subject.succeeds(list(probe["exec"].get("command") or ()), seconds)
                return None if good else "the command did not end with 0 in time"
            return "the embedded cluster does not know this kind of probe"
    except TimeoutError:
        return "context deadline exceeded"
    except PodUnreachable as error:
        return str(error)


async def _of_http(subject: Subject, get: Object) -> str | None:
    headers = {each["name"]: each["value"] for each in get.get("httpHeaders") or ()}
    status = await subject.fetch(_port(subject, get["port"]), get.get("path") or "/", headers)
    return None if HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST else f"HTTP probe failed with statuscode: {status}"


async def watch(subject: Subject, probe: Object, told: Callable[[str | None], Awaitable[None]], *, quick: bool) -> None:
    """Probe for ever and tell what counts: a pass by None, a failure by its reason; `quick` hurries at first."""
    period = float(probe.get("periodSeconds") or 10)
    needed, allowed = int(probe.get("successThreshold") or 1), int(probe.get("failureThreshold") or 3)
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
    pause = min(_QUICK, period) if quick else period
    good = bad = 0
    while True:
        why = await failure(subject, probe)
        if why is None:
            good, bad, pause = good + 1, 0, period
            if good == needed:
                await told(None)
        else:
            good, bad = 0, bad + 1
            if bad == allowed:
                await told(why)
                bad = 0
            pause = min(pause * 2, period)
        await asyncio.sleep(pause)


def _port(subject: Subject, port: int | str) -> int:
    if isinstance(port, int):
        return port
    for each in subject.spec.get("ports") or ():
        if each.get("name") == port:
            return int(each["containerPort"])
    if port.isdigit():
        return int(port)
    raise PodUnreachable(f'no port is named "{port}"')
