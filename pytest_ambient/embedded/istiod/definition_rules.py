"""What Istio's own definitions (CRDs) refuse by their rules, before any webhook is asked, in their words."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from ..api.errors import Cause
from ..objects import Object
from .filter_rules import wrong
from .view import spec_of
from .words import is_duration, seconds

_TARGETED = ("AuthorizationPolicy", "RequestAuthentication", "Telemetry")
_AIMS = ("selector", "targetRef", "targetRefs")
_ACCOUNTS = ("serviceAccounts", "notServiceAccounts")
_NAMES = ("principals", "notPrincipals", "namespaces", "notNamespaces")
_TIMED = ("VirtualService", "DestinationRule")
_DURATIONS = (
    "timeout", "perTryTimeout", "backoff", "fixedDelay", "maxAge", "connectTimeout", "interval", "baseEjectionTime",
    "maxConnectionDuration",
)  # fmt: skip
_DURATIONS_WITHIN = (".http.idleTimeout", ".tcpKeepalive.time")
"""A TCP pool's idleTimeout may be nothing, and `time` is a name that headers have, too."""
_KEYS = ("jwks", "jwksUri", "jwks_uri")


def definition_causes(item: Object) -> Iterator[Cause]:
    """What is wrong with an object of Istio's own kinds."""
    kind, spec = item.get("kind"), spec_of(item)
    yield from _selector(spec)
    if kind in _TARGETED:
        yield from _targets(spec)
    if kind == "AuthorizationPolicy":
        yield from _sources(spec)
    if kind == "PeerAuthentication":
        yield from _levels(spec)
    if kind in _TIMED:
        yield from _durations(spec, "spec")
    if kind == "RequestAuthentication":
        for position, rule in enumerate(spec.get("jwtRules") or ()):
            yield from _token_rule(rule, f"spec.jwtRules[{position}]")


def _durations(part: object, path: str) -> Iterator[Cause]:
    if isinstance(part, list):
        for position, each in enumerate(part):
            yield from _durations(each, f"{path}[{position}]")
    elif isinstance(part, dict):
        for field, value in part.items():
            inner = f"{path}.{field}"
            if isinstance(value, str) and (field in _DURATIONS or inner.endswith(_DURATIONS_WITHIN)):
                yield from _lasting(value, inner)
            yield from _durations(value, inner)


def _lasting(value: str, path: str) -> Iterator[Cause]:
    if seconds(value) < 0.001:
        unread = "type conversion error from 'string' to 'google.protobuf.Duration' evaluating rule: "
        why = "must be a valid duration greater than 1ms"
        yield wrong(path, "string", why if is_duration(value) else unread + why)


def _selector(spec: Object) -> Iterator[Cause]:
    labels: Object = (spec.get("selector") or {}).get("matchLabels") or {}
    path = "spec.selector.matchLabels"
    if any("*" in key for key in labels):
        yield wrong(path, "object", "wildcard not allowed in label key match")
    if "" in labels:
        yield wrong(path, "object", "key must not be empty")
    for key, value in labels.items():
        if "*" in str(value):
            yield wrong(f"{path}[{key}]", "string", "wildcard not allowed in label value match")


def _targets(spec: Object) -> Iterator[Cause]:
    if sum(each in spec for each in _AIMS) > 1:
        yield wrong("spec", "object", "only one of targetRefs or selector can be set")
    named = {"spec.targetRef": spec.get("targetRef") or {}}
    named |= {f"spec.targetRefs[{position}]": each for position, each in enumerate(spec.get("targetRefs") or ())}
    for path, ref in named.items():
        if ref.get("namespace"):
            yield wrong(f"{path}.namespace", "string", "cross namespace referencing is not currently supported")


def _sources(spec: Object) -> Iterator[Cause]:
    for index, rule in enumerate(spec.get("rules") or ()):
        for position, each in enumerate((rule or {}).get("from") or ()):
            source = (each or {}).get("source") or {}
            if any(field in source for field in _ACCOUNTS) and any(field in source for field in _NAMES):
                path = f"spec.rules[{index}].from[{position}].source"
                yield wrong(path, "object", "Cannot set serviceAccounts with namespaces or principals")


def _levels(spec: Object) -> Iterator[Cause]:
    levels: Object | None = spec.get("portLevelMtls")
    path = "spec.portLevelMtls"
    if levels == {}:
        yield Cause(path, f"Invalid value: 0: {path} in body should have at least 1 properties")
    if levels is not None and not (spec.get("selector") or {}).get("matchLabels"):
        yield wrong("spec", "object", "portLevelMtls requires selector")
    ports = [str(each) for each in levels or ()]
    if not all(each.isdecimal() and 0 < int(each) < 65536 for each in ports):
        unread = (
            "" if all(map(str.isdecimal, ports)) else "type conversion error from 'string' to 'int' evaluating rule: "
        )
        yield wrong(path, "object", f"{unread}port must be between 1-65535")


def _token_rule(rule: Object, path: str) -> Iterator[Cause]:
    if sum(each in rule for each in _KEYS) > 1:
        yield wrong(path, "object", "only one of jwks or jwksUri can be set")
    for field in ("jwksUri", "jwks_uri"):
        address = str(rule.get(field, ""))
        if field in rule and urlsplit(address).scheme not in ("http", "https"):
            unread = f'URL parse error during conversion from string: parse "{address}": invalid URI for request'
            read = urlsplit(address).scheme or address.startswith("/")
            why = "url must have scheme http:// or https://"
            yield wrong(f"{path}.{field}", "string", why if read else f"{unread} evaluating rule: {why}")
    if "timeout" in rule:
        yield from _lasting(str(rule["timeout"]), f"{path}.timeout")
