"""Refuses, as the API and Istio's webhook do, what is wrong, and beyond that what this mesh does not carry out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from ..api.errors import ApiError, Cause, misshapen
from ..api.store import Resource, Store, find
from ..objects import Object, name_of, namespace_of
from .authorization import is_dry_run, target_refs
from .definition_rules import definition_causes
from .destination_checks import destination_causes, destination_mistakes, destination_warnings
from .entry_rules import entry_causes, entry_mistakes, entry_warnings
from .envoy_filters import filter_patch_causes
from .grpc_route import grpc_causes
from .mesh_config import config_warnings
from .model import ROOT_NAMESPACE
from .policy_rules import (
    authorization_mistakes,
    authorization_warnings,
    selector_warnings,
)
from .route_rules import gateway_causes, route_causes
from .tcp_route import tcp_causes
from .telemetry import telemetry_causes, telemetry_mistakes
from .tokens import token_mistakes
from .tracers import tracing_causes
from .unimplemented import not_implemented, unimplemented
from .view import GATEWAY_API, NETWORKING, SECURITY, TELEMETRY, View, spec_of
from .virtual_rules import virtual_causes, virtual_mistakes, virtual_warnings

Causes = Callable[[Object], Iterable[Cause]]
Mistakes = Callable[[Object], Iterable[str]]


def guard(store: Store, asked: Callable[[], None] = lambda: None) -> None:
    """Have the store check every object that the mesh is made of, before it is stored.

    For those of Istio's own kinds `asked` is called first: it raises when its webhook cannot be.
    """
    for kind, group, causes, mistakes in _CHECKED:
        _admit(store, find(kind, group), causes, mistakes, _free if group == GATEWAY_API else asked)
    _admit(store, find("Telemetry", TELEMETRY), partial(_tracing_causes, store), _none, _free)


def warnings(item: Object) -> list[str]:
    """What the answer to a write should warn of; for objects of any kind."""
    match item.get("kind"):
        case "AuthorizationPolicy":
            return authorization_warnings(item)
        case "PeerAuthentication" | "RequestAuthentication" | "Telemetry":
            return selector_warnings(item)
        case "VirtualService":
            return virtual_warnings(item)
        case "DestinationRule":
            return destination_warnings(item)
        case "ServiceEntry":
            return entry_warnings(item)
        case "ConfigMap":
            return config_warnings(item)
    return []


def policy_causes(policy: Object) -> Iterator[Cause]:
    """Parts of an AuthorizationPolicy with a target that waypoints here can't enforce."""
    if not target_refs(policy):
        return
    if is_dry_run(policy) and spec_of(policy).get("action") == "CUSTOM":
        yield not_implemented("metadata.annotations[istio.io/dry-run]", "dry-run policies that ask an authorizer")
    for position, rule in enumerate(spec_of(policy).get("rules") or ()):
        for number, when in enumerate((rule or {}).get("when") or ()):
            if str(when.get("key", "")).startswith("experimental."):
                yield not_implemented(f"spec.rules[{position}].when[{number}].key", "experimental attributes")


def _tracing_causes(store: Store, item: Object) -> Iterable[Cause]:
    return tracing_causes(item, View(configs=store.list(find("ConfigMap"), ROOT_NAMESPACE)))


def _none(item: Object) -> tuple[()]:
    return ()


def _free() -> None:
    """Nobody has to be asked."""


def _admit(store: Store, resource: Resource, causes: Causes, mistakes: Mistakes, asked: Callable[[], None]) -> None:
    def hook(new: Object, old: Object | None) -> None:
        if old is None or spec_of(old) != spec_of(new):
            asked()
        found = [*unimplemented(new), *definition_causes(new), *causes(new)]
        if found:
            raise misshapen(resource, {}, name_of(new), found)
        wrong = list(mistakes(new))
        if wrong:
            raise _denied(new, wrong)

    store.admit(resource, hook)


def _denied(item: Object, mistakes: list[str]) -> ApiError:
    where = f"invalid policy {name_of(item)}.{namespace_of(item)}: " if item["kind"] == "AuthorizationPolicy" else ""
    told = where + mistakes[0]
    inexact = item["kind"] == "RequestAuthentication" and mistakes[0].startswith("only durations")
    if len(mistakes) > 1 or inexact or mistakes[0].startswith(_LISTED):
        count = "1 error" if len(mistakes) == 1 else f"{len(mistakes)} errors"
        told = f"{count} occurred:" + "".join(f"\n\t* {where}{each}" for each in mistakes) + "\n\n"
    webhook = 'admission webhook "validation.istio.io" denied the request'
    return ApiError(400, "", f"{webhook}: configuration is invalid: {told}")


_LISTED = (
    "bad IP address", "bad CIDR range", "bad port", "issuer or jwksUri", "jwks parse error", "max_age duration",
    "HTTP fault injection must", "exponentialDelay", "attempts cannot be negative", "invalid tag key",
)  # fmt: skip
"""How those mistakes begin that Istio puts into a list even when they are alone."""

_CHECKED: Sequence[tuple[str, str, Causes, Mistakes]] = (
    ("AuthorizationPolicy", SECURITY, policy_causes, authorization_mistakes),
    ("PeerAuthentication", SECURITY, _none, _none),
    ("RequestAuthentication", SECURITY, _none, token_mistakes),
    ("Telemetry", TELEMETRY, telemetry_causes, telemetry_mistakes),
    ("Gateway", GATEWAY_API, gateway_causes, _none),
    ("HTTPRoute", GATEWAY_API, route_causes, _none),
    ("GRPCRoute", GATEWAY_API, grpc_causes, _none),
    ("TCPRoute", GATEWAY_API, tcp_causes, _none),
    ("VirtualService", NETWORKING, virtual_causes, virtual_mistakes),
    ("ServiceEntry", NETWORKING, entry_causes, entry_mistakes),
    ("EnvoyFilter", NETWORKING, filter_patch_causes, _none),
    ("DestinationRule", NETWORKING, destination_causes, destination_mistakes),
)
