"""Key sets that RequestAuthentications leave at an address: fetched by istiod itself, as Istio does by default."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from .model import Mesh, TokenRule
from .tokens import is_key_set

AGAIN = 1.0
"""Seconds until what could not be fetched is asked for again."""
_log = logging.getLogger(__name__)


class Keys:
    """What was fetched, for as long as something names it; `changed` is called when there is more."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._found: dict[str, str] = {}
        self._fetching: dict[str, asyncio.Task[None]] = {}

    def filled(self, mesh: Mesh) -> Mesh:
        """The mesh with the key sets that are known; the others are fetched, until then no token is right."""
        rules = [each.tokens for each in mesh.waypoints.values()] + [each.tokens for each in mesh.ingresses.values()]
        rules += mesh.service_tokens.values()
        wanted: dict[str, float] = {}
        """How long fetching may take for the most patient rule, by address."""
        for rule in (rule for each in rules for rule in each if rule.uri):
            wanted[rule.uri] = max(rule.timeout, wanted.get(rule.uri, 0.0))
        self._found = {uri: keys for uri, keys in self._found.items() if uri in wanted}
        for uri in wanted.keys() - self._found.keys() - self._fetching.keys():
            fetched = self._fetch(uri, _socket(mesh, uri), wanted[uri])
            self._fetching[uri] = asyncio.create_task(fetched, name=f"keys of {uri}")
        waypoints = {key: replace(each, tokens=self._known(each.tokens)) for key, each in mesh.waypoints.items()}
        gateways = {key: replace(each, tokens=self._known(each.tokens)) for key, each in mesh.ingresses.items()}
        services = {key: self._known(each) for key, each in mesh.service_tokens.items()}
        return replace(mesh, waypoints=waypoints, ingresses=gateways, service_tokens=services) if wanted else mesh

    async def stop(self) -> None:
        """End what is under way."""
        tasks = list(self._fetching.values())
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _known(self, rules: Iterable[TokenRule]) -> tuple[TokenRule, ...]:
        return tuple(replace(each, keys=self._found.get(each.uri, "")) if each.uri else each for each in rules)

    async def _fetch(self, uri: str, socket: str | None, longest: float) -> None:
        try:
            self._found[uri] = await _got(uri, socket, longest)
        except (OSError, TimeoutError, aiohttp.ClientError, ValueError) as error:
            _log.warning("the key set at %s could not be fetched: %s", uri, error)
            await asyncio.sleep(AGAIN)
        finally:
            self._fetching.pop(uri, None)
        self._changed()


async def _got(uri: str, socket: str | None, longest: float) -> str:
    if socket is None:
        raise ValueError("no Service of this cluster with a ready endpoint has that name and port")
    timeout = aiohttp.ClientTimeout(longest)
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket), timeout=timeout) as session,
        session.get(uri) as answer,
    ):
        text = await answer.text()
        if answer.status != HTTPStatus.OK or not is_key_set(text):
            raise ValueError(f"HTTP {answer.status} and no key set")
        return text


def _socket(mesh: Mesh, uri: str) -> str | None:
    """Where a pod behind the Service listens that the URI names."""
    parts = urlsplit(uri)
    name, _, rest = (parts.hostname or "").partition(".")
    service = mesh.services.get(f"{rest.split('.')[0]}/{name}")
    for endpoint in service.endpoints if service else ():
        pod, port = mesh.workloads.get(endpoint.workload), endpoint.ports.get(parts.port or 80)
        sockets: Mapping[int, str] = pod.sockets if pod is not None and pod.ready else {}
        if port is not None and port in sockets:
            return sockets[port]
    return None
