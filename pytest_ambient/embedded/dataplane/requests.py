"""A proxy's requests and how long they took, kept from what its Envoy wrote of each."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from .connections import Directory
from .request_labels import Labels, Request

_NAME, _DURATIONS = "istio_requests_total", "istio_request_duration_milliseconds"
_BOUNDS = (
    0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
)  # fmt: skip
"""Envoy's own."""
_WORD = re.compile(r'\[[^\]]*\]|"[^"]*"|\S+')
_WORDS = 22
_REQUEST, _CODE, _FLAGS, _DURATION, _UPSTREAM, _CLUSTER, _CALLER = 1, 2, 3, 9, 15, 16, 19


@dataclass
class _Sum:
    """What was counted of requests that share all labels."""

    requests: int = 0
    milliseconds: int = 0
    at: Counter[int] = field(default_factory=Counter)
    """How many took no longer than the bound with that number, and longer than the one before."""

    def add(self, milliseconds: int) -> None:
        """One more request."""
        self.requests += 1
        self.milliseconds += milliseconds
        self.at[bisect_left(_BOUNDS, milliseconds)] += 1

    def histogram(self, joined: str) -> Iterator[str]:
        """The samples with these labels."""
        passed = accumulate(self.at[number] for number in range(len(_BOUNDS)))
        for bound, value in zip((*map(str, _BOUNDS), "+Inf"), (*passed, self.requests), strict=True):
            yield f'{_DURATIONS}_bucket{{{joined},le="{bound}"}} {value}'
        yield f"{_DURATIONS}_sum{{{joined}}} {self.milliseconds}"
        yield f"{_DURATIONS}_count{{{joined}}} {self.requests}"


class Requests:
    """What one waypoint pod or gateway pod counts."""

    def __init__(self, labels: Callable[[Request, Directory], Labels], *, miscounts: bool = False) -> None:
        """`labels` tells those of a request; under the fault `telemetry-miscounts` only every second one counts."""
        self._made = labels
        self._miscounts, self._passed = miscounts, Counter[str]()
        self._sums: dict[Labels, _Sum] = {}
        self._known: dict[Request, Labels] = {}
        """The labels of requests that have so much in common, as long as one directory stands."""
        self._directory: Directory | None = None

    def count(self, line: str, directory: Directory) -> None:
        """Count the request that a line of the access log tells of; other lines are passed over."""
        words = _WORD.findall(line)
        if len(words) == _WORDS and words[_REQUEST] != '"- - -"':
            self._passed[words[_CODE]] += self._miscounts
            found = self._sums.setdefault(self._labels(words, directory), _Sum())
            if self._passed[words[_CODE]] % 2 == 0:
                found.add(int(words[_DURATION]))

    def _labels(self, words: list[str], directory: Directory) -> Labels:
        if directory is not self._directory:
            self._directory, self._known = directory, {}
        caller = words[_CALLER].rpartition(":")[0]
        key = Request(words[_CODE], words[_FLAGS], words[_UPSTREAM], words[_CLUSTER], caller)
        return self._known.get(key) or self._known.setdefault(key, self._made(key, directory))

    def text(self) -> str:
        """Counter and histogram in Prometheus's text format; nothing before the first request."""
        if not self._sums:
            return ""
        sums = {",".join(f'{key}="{each}"' for key, each in labels): found for labels, found in self._sums.items()}
        lines = [f"# TYPE {_NAME} counter", *(f"{_NAME}{{{joined}}} {each.requests}" for joined, each in sums.items())]
        lines.append(f"# TYPE {_DURATIONS} histogram")
        lines += (line for joined, each in sums.items() for line in each.histogram(joined))
        return "".join(f"{line}\n" for line in lines)
