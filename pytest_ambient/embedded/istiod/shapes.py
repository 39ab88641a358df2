"""Which fields of the mesh's objects exist, and which of those the embedded mesh carries out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..objects import Object


@dataclass(frozen=True)
class Missing:
    """A field that Istio has and the embedded mesh does not carry out."""

    what: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field; `reason` is the API's word for the kind of mistake."""

    path: str
    message: str
    reason: str = "FieldValueInvalid"


class Anything:
    """A field whose content is not looked at here."""


ANYTHING: Final = Anything()
Shape = Mapping[str, "Shape | Missing | Anything"]
"""The fields of an object; a list's elements have the list's shape, and `*` stands for any name."""


def _fields(*names: str) -> dict[str, Shape | Missing | Anything]:
    return dict.fromkeys(names, ANYTHING)


def _absent(*names: str) -> dict[str, Shape | Missing | Anything]:
    return {name: Missing(name) for name in names}


_TARGET = _fields("group", "kind", "name", "namespace")
_SELECTOR: Shape = {"matchLabels": ANYTHING}
_SOURCE = _absent("trustDomains", "notTrustDomains") | _fields(
    "principals", "notPrincipals", "requestPrincipals", "notRequestPrincipals", "namespaces", "notNamespaces",
    "serviceAccounts", "notServiceAccounts", "ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks",
)  # fmt: skip
_OPERATION = _fields(
    "hosts", "notHosts", "ports", "notPorts", "methods", "notMethods", "paths", "notPaths"
)  # fmt: skip

AUTHORIZATION_POLICY: Shape = {
    "selector": _SELECTOR,
    "targetRef": _TARGET,
    "targetRefs": _TARGET,
    "action": ANYTHING,
    "provider": _fields("name"),
    "rules": {
        "from": {"source": _SOURCE},
        "to": {"operation": _OPERATION},
        "when": _fields("key", "values", "notValues"),
    },
}

PEER_AUTHENTICATION: Shape = {
    "selector": _SELECTOR,
    "mtls": _fields("mode"),
    "portLevelMtls": {"*": _fields("mode")},
}

_HEADERS: Shape = {"set": _fields("name", "value"), "add": _fields("name", "value"), "remove": ANYTHING}
_FILTER: Shape = {
    "type": ANYTHING,
    "requestHeaderModifier": _HEADERS,
    "responseHeaderModifier": _HEADERS,
    **_absent("requestMirror", "requestRedirect", "urlRewrite", "cors", "externalAuth", "extensionRef"),
}
_PAIR = _fields("name", "type", "value")

HTTP_ROUTE: Shape = {
    "parentRefs": _fields("group", "kind", "namespace", "name", "port") | {"sectionName": Missing("sectionName")},
    "hostnames": ANYTHING,
    "useDefaultGateways": Missing("useDefaultGateways"),
    "rules": {
        "name": ANYTHING,
        "matches": {"path": _fields("type", "value"), "headers": _PAIR, "queryParams": _PAIR, "method": ANYTHING},
        "filters": _FILTER,
        "backendRefs": _fields("group", "kind", "name", "namespace", "port", "weight") | {"filters": _FILTER},
        "timeouts": _fields("request", "backendRequest"),
        "retry": Missing("retries"),
        "sessionPersistence": Missing("session persistence"),
    },
}

GATEWAY: Shape = {
    "gatewayClassName": ANYTHING,
    "listeners": {
        "name": ANYTHING,
        "port": ANYTHING,
        "protocol": ANYTHING,
        "hostname": Missing("hostnames of listeners"),
        "tls": Missing("TLS of listeners"),
        "allowedRoutes": {
            "namespaces": {"from": ANYTHING, "selector": {"matchLabels": ANYTHING, "matchExpressions": ANYTHING}},
            "kinds": Missing("allowedRoutes.kinds"),
        },
    },
    "infrastructure": _fields("labels", "annotations") | {"parametersRef": Missing("infrastructure.parametersRef")},
    **_absent("addresses", "allowedListeners", "backendTLS", "tls", "defaultScope"),
}


def check(shape: Shape, spec: Object) -> tuple[list[str], list[Problem]]:
    """Paths of fields that don't exist, and a problem for each field that is not carried out."""
    unknown: list[str] = []
    problems: list[Problem] = []
    for path, expected in _walk(shape, spec, "spec"):
        if expected is None:
            unknown.append(path)
        elif isinstance(expected, Missing):
            problems.append(not_implemented(path, expected.what))
    return unknown, problems


def not_implemented(path: str, what: str) -> Problem:
    """The problem of a field that is right in Istio and not carried out here."""
    message = f"Forbidden: the embedded mesh does not implement {what}; see the README's list of what it implements"
    return Problem(path, message, "FieldValueForbidden")


def one_of(path: str, value: object, known: Sequence[str]) -> Iterable[Problem]:
    """The problem of a value that is not among the known ones."""
    if value not in known:
        listed = ", ".join(f'"{each}"' for each in known)
        yield Problem(path, f'Unsupported value: "{value}": supported values: {listed}', "FieldValueNotSupported")


def _walk(shape: Shape, part: Any, path: str) -> Iterable[tuple[str, "Shape | Missing | Anything | None"]]:
    if isinstance(part, list):
        for position, each in enumerate(part):
            yield from _walk(shape, each, f"{path}[{position}]")
    elif isinstance(part, dict):
        for field, value in part.items():
            expected = shape.get(field, shape.get("*"))
            inner = f"{path}.{field}"
            yield inner, expected
            if isinstance(expected, Mapping):
                yield from _walk(expected, value, inner)
