"""A waypoint's counter of requests, kept from what its Envoy wrote of each (labels as Istio 1.30 names them)."""

import re
from collections import Counter

from ..istiod.model import Service, Workload
from .connections import Directory
from .metrics import canonical

_NAME = "istio_requests_total"
_WORD = re.compile(r'\[[^\]]*\]|"[^"]*"|\S+')
_WORDS = 22
_REQUEST, _CODE, _FLAGS, _UPSTREAM, _CLUSTER, _CALLER = 1, 2, 3, 15, 16, 19
_PLACE = re.compile(r"(\d+\.\d+\.\d+\.\d+:\d+)")
_UNKNOWN = "unknown"

Labels = tuple[tuple[str, str], ...]


class Requests:
    """What one waypoint pod counts."""

    def __init__(self, *, miscounts: bool = False) -> None:
        """Under the fault `telemetry-miscounts` only every second request counts."""
        self._miscounts, self._passed = miscounts, Counter[str]()
        self._counts: Counter[Labels] = Counter()
        self._known: dict[tuple[str, ...], Labels] = {}
        """The labels of requests that have so much in common, as long as one directory stands."""
        self._directory: Directory | None = None

    def count(self, line: str, directory: Directory) -> None:
        """Count the request that a line of the access log tells of; other lines are passed over."""
        words = _WORD.findall(line)
        if len(words) == _WORDS and words[_REQUEST] != '"- - -"':
            self._passed[words[_CODE]] += self._miscounts
            self._counts[self._labels(words, directory)] += self._passed[words[_CODE]] % 2 == 0

    def _labels(self, words: list[str], directory: Directory) -> Labels:
        if directory is not self._directory:
            self._directory, self._known = directory, {}
        caller = words[_CALLER].rpartition(":")[0]
        key = words[_CODE], words[_FLAGS], words[_UPSTREAM], words[_CLUSTER], caller
        return self._known.get(key) or self._known.setdefault(key, _labels(words, directory))

    def text(self) -> str:
        """The counter in Prometheus's text format; nothing before the first request."""
        lines = [f"# TYPE {_NAME} counter"] if self._counts else []
        for labels, value in self._counts.items():
            joined = ",".join(f'{key}="{each}"' for key, each in labels)
            lines.append(f"{_NAME}{{{joined}}} {value}")
        return "".join(f"{line}\n" for line in lines)


def _labels(words: list[str], directory: Directory) -> Labels:
    source = directory.at(words[_CALLER])
    place = _PLACE.search(words[_UPSTREAM])
    destination = directory.at(place[1]) if place else None
    service = directory.hostnames.get(words[_CLUSTER].rpartition("|")[2])
    there = _party("destination", destination)
    return (
        ("reporter", "waypoint"),
        *_party("source", source).items(),
        *((key, there[key]) for key in _named("destination", "workload", "workload_namespace", "principal")),
        *((key, there[key]) for key in _named("destination", "app", "version")),
        ("destination_service", service.hostname if service else _UNKNOWN),
        *((key, there[key]) for key in _named("destination", "canonical_service", "canonical_revision")),
        *_service(service),
        ("destination_cluster", there["destination_cluster"]),
        ("request_protocol", "http"),
        ("response_code", words[_CODE]),
        ("grpc_response_status", ""),
        ("response_flags", words[_FLAGS]),
        ("connection_security_policy", "mutual_tls"),
    )


def _named(side: str, *names: str) -> list[str]:
    return [f"{side}_{name}" for name in names]


def _service(service: Service | None) -> Labels:
    return (
        ("destination_service_name", service.name if service else _UNKNOWN),
        ("destination_service_namespace", service.namespace if service else _UNKNOWN),
    )


def _party(side: str, workload: Workload | None) -> dict[str, str]:
    name, revision = canonical(workload) if workload else (_UNKNOWN, _UNKNOWN)
    values = {
        "workload": workload.controller if workload else _UNKNOWN,
        "canonical_service": name,
        "canonical_revision": revision,
        "workload_namespace": workload.namespace if workload else _UNKNOWN,
        "principal": workload.identity.uri if workload else _UNKNOWN,
        "app": name,
        "version": revision,
        "cluster": "Kubernetes" if workload else _UNKNOWN,
    }
    return {f"{side}_{key}": value for key, value in values.items()}
