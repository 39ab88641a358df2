"""Telemetries, as far as they say what waypoints and ingress gateways log, and switch traces on and off."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from ..api.errors import Cause
from ..objects import Object, name_of, namespace_of
from .authorization import target_refs
from .binding import Gate
from .cel import mistake
from .model import ROOT_NAMESPACE
from .policy_rules import target_mistakes
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


def telemetry_mistakes(item: Object) -> Iterator[str]:
    """What Istio's validation refuses in a Telemetry, in its words."""
    yield from target_mistakes(item)
    for entry in spec_of(item).get("accessLogging") or ():
        written: Object | None = entry.get("filter")
        if written is not None and (why := mistake(str(written.get("expression") or ""))):
            yield f"must be a valid CEL expression, {why}"


def access_logs(view: View, known: Mapping[str, Gate], services: Mapping[str, str]) -> Mapping[str, str | None]:
    """By waypoint for its own traffic and by Service (with its waypoint's key): what is `logged`."""

    def at(waypoint: str, service: str) -> str | None:
        return logged(view, entries(view, known[waypoint], service, "accessLogging"), "SERVER")

    gateways = {f"Gateway/{key}": at(key, "") for key in known}
    return gateways | {f"Service/{key}": at(waypoint, key) for key, waypoint in services.items()}


def logged(view: View, said_of_it: Iterable[Object], side: Literal["CLIENT", "SERVER"]) -> str | None:
    """Of which requests: an expression for those for which it holds, empty for all, None for none.

    What the mesh's configuration says, unless a Telemetry names a provider, then the last word on it. `side` is whose
    a proxy is: that of callers or of servers.
    """
    modes = (None, side, "CLIENT_AND_SERVER")
    said = [(entry, (entry.get("match") or {}).get("mode") in modes) for entry in said_of_it]
    named = [entry for entry, here in said if here and _providers(entry)]
    if not named:
        return "" if view.mesh_config.get("accessLogFile") else None
    on, parent = True, list[str]()
    for entry, here in said:
        parent = _providers(entry) or parent
        if here and ENVOY in parent:
            on = not entry.get("disabled")
    return str((named[-1].get("filter") or {}).get("expression") or "") if on else None


def _providers(entry: Object) -> list[str]:
    return [str(each["name"]).lower() for each in entry.get("providers") or ()]


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
