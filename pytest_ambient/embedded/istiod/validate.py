"""Refuses, as the API and Istio's webhook do, what is wrong, and beyond that what this mesh does not carry out."""

from collections.abc import Callable, Iterable, Iterator

from ..api.errors import ApiError, Cause, bad_request, invalid
from ..api.store import Resource, Store, find
from ..objects import Object, annotations_of, name_of, namespace_of
from .authorization import DRY_RUN, target_refs
from .defaults import complete_class, complete_gateway, complete_route
from .policy_rules import authorization_mistakes, peer_mistakes
from .route_rules import gateway_problems, route_problems
from .shapes import (
    AUTHORIZATION_POLICY,
    GATEWAY,
    HTTP_ROUTE,
    PEER_AUTHENTICATION,
    Problem,
    Shape,
    check,
    not_implemented,
    one_of,
)
from .view import GATEWAY_API, SECURITY, spec_of

_ACTIONS = ("ALLOW", "DENY", "AUDIT", "CUSTOM")
_MODES = ("UNSET", "DISABLE", "PERMISSIVE", "STRICT")


def guard(store: Store) -> None:
    """Have the store complete and check every Gateway, HTTPRoute, AuthorizationPolicy and PeerAuthentication."""
    _admit(store, find("AuthorizationPolicy", SECURITY), AUTHORIZATION_POLICY, policy_problems, authorization_mistakes)
    _admit(store, find("PeerAuthentication", SECURITY), PEER_AUTHENTICATION, peer_problems, peer_mistakes)
    _admit(store, find("Gateway", GATEWAY_API), GATEWAY, gateway_problems, _none, complete_gateway)
    _admit(store, find("HTTPRoute", GATEWAY_API), HTTP_ROUTE, route_problems, _none, complete_route)
    store.admit(find("GatewayClass", GATEWAY_API), lambda new, old: complete_class(new))


def policy_problems(policy: Object) -> Iterator[Problem]:
    """Values of an AuthorizationPolicy that its definition refuses, and parts that waypoints here can't enforce."""
    yield from one_of("spec.action", spec_of(policy).get("action", "ALLOW"), _ACTIONS)
    if not target_refs(policy):
        return
    if spec_of(policy).get("action") == "CUSTOM":
        yield not_implemented("spec.action", "CUSTOM authorization at waypoints")
    if annotations_of(policy).get(DRY_RUN) == "true":
        yield not_implemented(f"metadata.annotations[{DRY_RUN}]", "dry-run policies at waypoints")
    for position, rule in enumerate(spec_of(policy).get("rules") or ()):
        yield from _unenforced(rule or {}, f"spec.rules[{position}]")


def _unenforced(rule: Object, path: str) -> Iterator[Problem]:
    for position, each in enumerate(rule.get("from") or ()):
        for field in ("requestPrincipals", "notRequestPrincipals"):
            if ((each or {}).get("source") or {}).get(field):
                yield not_implemented(f"{path}.from[{position}].source.{field}", "request authentication (JWT)")
    for position, when in enumerate(rule.get("when") or ()):
        key = str(when.get("key", ""))
        if key.startswith(("request.auth.", "connection.sni", "experimental.")):
            yield not_implemented(f"{path}.when[{position}].key", f"{key} at waypoints")


def peer_problems(peer: Object) -> Iterator[Problem]:
    """Values of a PeerAuthentication that its definition refuses."""
    spec = spec_of(peer)
    yield from one_of("spec.mtls.mode", (spec.get("mtls") or {}).get("mode", "UNSET"), _MODES)
    for port, level in (spec.get("portLevelMtls") or {}).items():
        yield from one_of(f"spec.portLevelMtls.{port}.mode", (level or {}).get("mode", "UNSET"), _MODES)


def _none(item: Object) -> Iterable[str]:
    return ()


def _admit(
    store: Store,
    resource: Resource,
    shape: Shape,
    problems: Callable[[Object], Iterable[Problem]],
    mistakes: Callable[[Object], Iterable[str]],
    complete: Callable[[Object], None] = lambda item: None,
) -> None:
    def hook(new: Object, old: Object | None) -> None:
        unknown, missing = check(shape, spec_of(new))
        if unknown:
            raise _unknown_fields(resource, unknown)
        complete(new)
        found = [*missing, *problems(new)]
        if found:
            raise invalid(resource, name_of(new), [Cause(each.path, each.message, each.reason) for each in found])
        wrong = list(dict.fromkeys(mistakes(new)))
        if wrong:
            raise _denied(new, wrong)

    store.admit(resource, hook)


def _unknown_fields(resource: Resource, paths: list[str]) -> ApiError:
    listed = ", ".join(f'unknown field "{path}"' for path in paths)
    where = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    return bad_request(f"{where}: strict decoding error: {listed}")


def _denied(item: Object, mistakes: list[str]) -> ApiError:
    count = "1 error" if len(mistakes) == 1 else f"{len(mistakes)} errors"
    where = f"invalid policy {name_of(item)}.{namespace_of(item)}:" if item["kind"] == "AuthorizationPolicy" else ""
    listed = "".join(f"\n\t* {where} {each}".replace("*  ", "* ") for each in mistakes)
    webhook = 'admission webhook "validation.istio.io" denied the request'
    return bad_request(f"{webhook}: configuration is invalid: {count} occurred:{listed}\n\n")
