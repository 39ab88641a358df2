"""The proxies' counters: read before a round and after it, summed over the pods that count, subtracted."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from pytest_ambient._kube import Kube
from pytest_ambient.errors import KubeError
from pytest_ambient.probe.gateways import GATEWAY_NAME
from pytest_ambient.probe.logs import Logs, Proxy
from pytest_ambient.verdict.evidence import Counted
from pytest_ambient.verdict.outcome import Growth, Sample

STATS = 15020
ZTUNNEL = "ztunnel"
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? ([0-9.eE+-]+)(?: [0-9.]+)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")

Key: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
Page: TypeAlias = Mapping[str, Counter[Key]]
"""What each pod of one place has counted."""
Place: TypeAlias = tuple[str, str]
"""A namespace and whose counters, as a Counted says it."""


class Counters:
    """The counters of ztunnels and waypoints."""

    def __init__(self, kube: Kube, logs: Logs) -> None:
        self.kube, self.logs = kube, logs

    def read(self, wanted: Iterable[Counted]) -> dict[Place, Page | None]:
        """The present counters of all places that are wanted; None for one that can't be read whole."""
        names: dict[Place, set[str]] = {}
        for one in wanted:
            names.setdefault(place_of(one), set()).add(one.metric)
        return {place: self._read(place, metrics) for place, metrics in names.items()}

    def _read(self, place: Place, metrics: set[str]) -> Page | None:
        try:
            return {proxy.key: parsed(self._text(proxy), metrics.__contains__) for proxy in self._proxies(place)}
        except KubeError:
            return None

    def _proxies(self, place: Place) -> list[Proxy]:
        namespace, name = place
        if name == ZTUNNEL:
            return self.logs.ztunnels()
        pods = self.kube.list("v1/Pod", namespace, labels=f"{GATEWAY_NAME}={name}", fields="status.phase=Running")
        return [Proxy(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods]

    def _text(self, proxy: Proxy) -> str:
        return self.kube.pod_http(proxy.namespace, proxy.name, STATS, "/stats/prometheus")


def place_of(wanted: Counted) -> Place:
    """Whose counters are asked for; those of ztunnel are of no namespace of ours."""
    return ("", ZTUNNEL) if wanted.at == ZTUNNEL else (wanted.namespace, wanted.at)


def grown(before: Page | None, after: Page | None, requests: int) -> Growth | None:
    """What was counted between two looks, the pods together; None when one look failed or found nobody.

    A pod that is new since the first look, or has begun anew, counts with all that it has.
    """
    if before is None or not after:
        return None
    total: Counter[Key] = Counter()
    for pod, counts in after.items():
        earlier = before.get(pod, Counter())
        again = any(counts[key] < value for key, value in earlier.items())
        total.update(counts if again else {key: value - earlier[key] for key, value in counts.items()})
    found = tuple(Sample(name, dict(labels), float(value)) for (name, labels), value in total.items() if value > 0)
    return Growth(found, requests, frozenset(name for counts in after.values() for name, _ in counts))


def parsed(text: str, wanted: Callable[[str], bool]) -> Counter[Key]:
    """The samples of the wanted names in Prometheus's text format, or in OpenMetrics'."""
    return Counter(dict(_samples(text, wanted)))


def _samples(text: str, wanted: Callable[[str], bool]) -> Iterator[tuple[Key, float]]:
    for line in text.splitlines():
        found = _SAMPLE.fullmatch(line) if wanted(re.split(r"[{ ]", line, maxsplit=1)[0]) else None
        if found:
            labels = ((name, _ESCAPE.sub(r"\1", value)) for name, value in _LABEL.findall(found[2] or ""))
            yield (found[1], tuple(labels)), float(found[3])
