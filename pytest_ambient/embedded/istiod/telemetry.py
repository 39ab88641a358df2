"""Telemetries, as far as they switch access logs and traces of waypoints and ingress gateways on and off."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from ..api.errors import Cause
from ..objects import Object, name_of, namespace_of
from .authorization import target_refs
from .binding import Gate
from .model import ROOT_NAMESPACE
from .unimplemented import not_implemented
from .view import View, age_of, key_of, spec_of

ENVOY = "envoy"
"""The access log provider that is always there: the proxy's own log."""


def telemetry_causes(item: Object) -> Iterator[Cause]:
    """Providers that nobody here has."""
    for position, entry in enumerate(spec_of(item).get("accessLogging") or ()):
        for number, provider in enumerate(entry.get("providers") or ()):
            if str(provider.get("name", "")).lower() != ENVOY:
                path = f"spec.accessLogging[{position}].providers[{number}].name"
                yield not_implemented(path, f"the access log provider {provider.get('name')!r}")


def unlogged(view: View, known: Mapping[str, Gate], services: Mapping[str, str]) -> frozenset[str]:
    """Waypoints whose own traffic, and Services (with their waypoint's key) whose requests no access log tells of."""

    def quiet_for(waypoint: str, service: str) -> bool:
        return not logged(view, entries(view, known[waypoint], service, "accessLogging"), "SERVER")

    gateways = {key for key in known if quiet_for(key, "")}
    quiet = {key for key, waypoint in services.items() if quiet_for(waypoint, key)}
    return frozenset({f"Gateway/{key}" for key in gateways} | {f"Service/{key}" for key in quiet})


def logged(view: View, said_of_it: Iterable[Object], side: Literal["CLIENT", "SERVER"]) -> bool:
    """What the mesh's configuration says, unless a Telemetry names a provider, then the last word on it.

    `side` is whose a proxy is: that of callers or of servers.
    """
    said: bool | None = None
    parent: list[str] = []
    for entry in said_of_it:
        parent = [str(each["name"]).lower() for each in entry.get("providers") or ()] or parent
        if ENVOY in parent and (entry.get("match") or {}).get("mode", side) in (side, "CLIENT_AND_SERVER"):
            said = not entry.get("disabled")
    return bool(view.mesh_config.get("accessLogFile")) if said is None else said


def entries(view: View, gate: Gate, service: str, field: str) -> Iterator[Object]:
    """From the widest to the narrowest: the mesh's, the waypoint's namespace's, the Service's, those that target it.

    Of those that target something only the Service's namespace's count, the waypoint's where it is about no Service.
    """
    ordered = sorted(view.telemetries, key=age_of)
    nearest = service.partition("/")[0] or gate.ref.namespace
    mine = [each for each in ordered if namespace_of(each) == nearest]
    hosts = [each for each in view.hosts if key_of(each) == service]
    aimed = {("ServiceEntry", f"{namespace_of(each)}/{name_of(each)}") for each in hosts}
    aimed |= {("Gateway", gate.ref.key), ("Service", service)}
    for namespace in dict.fromkeys((ROOT_NAMESPACE, gate.ref.namespace, nearest)):
        widest = [each for each in ordered if namespace_of(each) == namespace and wide(each)]
        yield from (entry for each in widest[:1] for entry in spec_of(each).get(field) or ())
    for each in mine:
        aims = {(str(ref.get("kind")), f"{namespace_of(each)}/{ref.get('name', '')}") for ref in target_refs(each)}
        if aims & aimed:
            yield from spec_of(each).get(field) or ()


def wide(item: Object) -> bool:
    """Whether it is for a whole namespace."""
    return not target_refs(item) and not (spec_of(item).get("selector") or {}).get("matchLabels")
