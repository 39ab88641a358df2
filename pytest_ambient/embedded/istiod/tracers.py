"""Whom waypoints tell of the requests that they carry: providers of the mesh's configuration, by its Telemetries."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..api.errors import Cause
from ..objects import Object
from .authorizers import service_of
from .binding import Gate
from .model import TRUST_DOMAIN, Tracer
from .telemetry import entries
from .unimplemented import not_implemented
from .view import View, spec_of

ZIPKIN = "zipkin"
"""The kind of provider that is carried out; one of another kind gets nothing."""
USUAL = 1.0
"""Per cent of requests, where nobody says how many."""


def tracing_causes(item: Object, view: View) -> Iterator[Cause]:
    """Providers that are there and speak what no waypoint here does."""
    known = _providers(view)
    for position, entry in enumerate(spec_of(item).get("tracing") or ()):
        for number, provider in enumerate(entry.get("providers") or ()):
            name = str(provider.get("name", ""))
            if name in known and not known[name].get(ZIPKIN):
                path = f"spec.tracing[{position}].providers[{number}].name"
                yield not_implemented(path, f"the tracing provider {name!r}, which is not of kind {ZIPKIN}")


def tracers(view: View, known: Mapping[str, Gate], services: Mapping[str, str]) -> Mapping[str, Tracer]:
    """By `Gateway/KEY` for a waypoint's own traffic, by `Service/KEY` for Services (with their waypoint's key)."""
    asked = {f"Gateway/{key}": (gate, "") for key, gate in known.items()}
    asked |= {f"Service/{key}": (known[waypoint], key) for key, waypoint in services.items()}
    return {name: made for name, (gate, key) in asked.items() if (made := _tracer(view, gate, key)) is not None}


def _tracer(view: View, gate: Gate, service: str) -> Tracer | None:
    """What the Telemetries come to: each field as the narrowest says it; what is for callers' sides is not for us."""
    said: dict[str, Any] = {}
    for entry in entries(view, gate, service, "tracing"):
        if (entry.get("match") or {}).get("mode") != "CLIENT":
            said |= {field: value for field, value in entry.items() if value not in (None, [])}
    usual = ((view.mesh_config.get("defaultProviders") or {}).get("tracing") or [None])[0]
    named = said["providers"][0].get("name") if said.get("providers") else usual
    if named is None or said.get("disableSpanReporting"):
        return None
    provider = _providers(view).get(named, {}).get(ZIPKIN)
    key = service_of(view, provider) if provider else None
    if provider is None or key is None:
        return None
    told = (view.mesh_config.get("defaultConfig") or {}).get("tracing") or {}
    sampling = said.get("randomSamplingPercentage", told.get("sampling") or USUAL)
    return Tracer(
        service=key,
        port=int(provider.get("port", 0)),
        path=str(provider.get("path") or Tracer.path),
        sampling=float(sampling),
        tags=_tags(gate) if said.get("enableIstioTags", True) else (),
        hands_on=not said.get("disableContextPropagation"),
    )


def _providers(view: View) -> Mapping[str, Object]:
    listed = view.mesh_config.get("extensionProviders") or ()
    return {str(each.get("name", "")): each for each in listed if isinstance(each, dict)}


def _tags(gate: Gate) -> tuple[tuple[str, str], ...]:
    found = {
        "istio.canonical_revision": "latest",
        "istio.canonical_service": gate.ref.name,
        "istio.cluster_id": "Kubernetes",
        "istio.mesh_id": TRUST_DOMAIN,
        "istio.namespace": gate.ref.namespace,
    }
    return tuple(found.items())
