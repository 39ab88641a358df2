"""Who called whom, as a proxy's request metrics say it (labels as in Istio 1.30)."""

import re
from typing import NamedTuple

from ..istiod.model import Service, Workload
from .connections import Directory
from .metrics import canonical

_PLACE = re.compile(r"(\d+\.\d+\.\d+\.\d+:\d+)")
_UNKNOWN, _CLUSTER = "unknown", "Kubernetes"
_DESTINATION = (
    "workload", "workload_namespace", "principal", "app", "version", "service", "canonical_service",
    "canonical_revision", "service_name", "service_namespace", "cluster",
)  # fmt: skip
"""In Istio's order."""

Labels = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """What the labels are made of, in the words of the access log."""

    code: str
    flags: str
    upstream: str
    cluster: str
    caller: str
    """An address without port."""


def at_waypoint(asked: Request, directory: Directory) -> Labels:
    """What a waypoint says: it knows both sides by their addresses."""
    there = _party(_reached(asked, directory)) | _service(asked, directory)
    caller = _party(directory.workloads.get(asked.caller))
    return _labels("waypoint", caller, there, asked, "mutual_tls")


def at_gateway(address: str, asked: Request, directory: Directory) -> Labels:
    """What the gateway at that address says: it is itself the source, whoever called it.

    Of whom it calls it knows no more than what stands in its list of endpoints, and nothing of tunnels.
    """
    own, known = directory.workloads.get(address), _reached(asked, directory)
    labels = own.labels if own else {}
    itself = _party(own) | {"principal": _UNKNOWN, "app": labels.get("app", ""), "version": labels.get("version", "")}
    there = _party(known) | dict.fromkeys(("principal", "app", "version"), _UNKNOWN) | _service(asked, directory)
    if known is None:
        there["canonical_revision"] = "latest"
    return _labels("source", itself, there, asked, _UNKNOWN)


def _labels(
    reporter: str, source: dict[str, str], destination: dict[str, str], asked: Request, security: str
) -> Labels:
    return (
        ("reporter", reporter),
        *((f"source_{key}", value) for key, value in source.items()),
        *((f"destination_{key}", destination[key]) for key in _DESTINATION),
        ("request_protocol", "http"),
        ("response_code", asked.code),
        ("grpc_response_status", ""),
        ("response_flags", asked.flags),
        ("connection_security_policy", security),
    )


def _reached(asked: Request, directory: Directory) -> Workload | None:
    place = _PLACE.search(asked.upstream)
    return directory.at(place[1]) if place else None


def _service(asked: Request, directory: Directory) -> dict[str, str]:
    found: Service | None = directory.hostnames.get(asked.cluster.rpartition("|")[2])
    return {
        "service": found.hostname if found else _UNKNOWN,
        "service_name": found.name if found else _UNKNOWN,
        "service_namespace": found.namespace if found else _UNKNOWN,
    }


def _party(workload: Workload | None) -> dict[str, str]:
    name, revision = canonical(workload) if workload else (_UNKNOWN, _UNKNOWN)
    return {
        "workload": workload.controller if workload else _UNKNOWN,
        "canonical_service": name,
        "canonical_revision": revision,
        "workload_namespace": workload.namespace if workload else _UNKNOWN,
        "principal": workload.identity.uri if workload else _UNKNOWN,
        "app": name,
        "version": revision,
        "cluster": _CLUSTER if workload else _UNKNOWN,
    }
