"""Parts of the mesh's objects that Istio carries out and the embedded mesh does not; they are refused by name."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..api.errors import Cause
from ..objects import Object, annotations_of

FILTERS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestRedirect": "requestRedirect",
    "RequestMirror": "requestMirror",
    "URLRewrite": "urlRewrite",
    "CORS": "cors",
    "ExtensionRef": "extensionRef",
}
"""The filters of the Gateway API, with the field of each."""

_FIELDS: Mapping[str, Mapping[str, str]] = {
    "HTTPRoute": {
        "rules.filters.extensionRef": "the filter ExtensionRef",
        **{
            f"rules.backendRefs.filters.{name}": f"the filter {kind} of a backend"
            for kind, name in FILTERS.items()
            if name not in ("requestHeaderModifier", "responseHeaderModifier")
        },
    },
    "GRPCRoute": {
        "rules.filters.extensionRef": "the filter ExtensionRef",
        "rules.backendRefs.filters.extensionRef": "the filter ExtensionRef of a backend",
        "rules.backendRefs.filters.requestMirror": "the filter RequestMirror of a backend",
    },
    "TCPRoute": {"useDefaultGateways": "default Gateways"},
    "RequestAuthentication": {
        "jwtRules.jwks_uri": "jwks_uri, the old name of jwksUri",
    },
    "Telemetry": {
        "metrics": "changes of metrics",
        "tracing.customTags": "tags of one's own in traces",
        "tracing.useRequestIdForTraceSampling": "sampling by anything but the request's id",
    },
    "Gateway": {
        "addresses": "requested addresses of a Gateway",
        "allowedListeners": "ListenerSets",
        "tls": "TLS of a Gateway",
        "infrastructure.parametersRef": "parametersRef of a Gateway",
        "listeners.tls.options": "options of a listener's TLS",
    },
    "VirtualService": {
        "tcp.match.destinationSubnets": "matches of a connection's destination",
        "tcp.match.sourceSubnet": "matches of a caller's address",
        "tls": "TLS routes",
        "http.delegate": "delegation to another VirtualService",
        "http.match.statPrefix": "statPrefix",
        "http.directResponse.body.bytes": "bodies given as bytes",
        "http.retries.retryRemoteLocalities": "retryRemoteLocalities",
    },
    "DestinationRule": {
        "workloadSelector": "DestinationRules of some callers",
        **{
            f"{where}trafficPolicy.{level}{field}": f"{field} of a trafficPolicy"
            for where in ("", "subsets.")
            for level in ("", "portLevelSettings.")
            for field in (
                "tunnel",
                "proxyProtocol",
                "loadBalancer.localityLbSetting",
                "loadBalancer.warmup",
                "loadBalancer.warmupDurationSecs",
            )
        },
    },
}
_ANNOTATIONS: Mapping[str, tuple[str, ...]] = {
    "Gateway": (
        "ambient.istio.io/waypoint-inbound-binding",
        "ambient.istio.io/xfcc-include-client-identity",
        "gateway.istio.io/name-override",
        "gateway.istio.io/service-account",
    ),
}


def unimplemented(item: Object) -> Iterator[Cause]:
    """One cause for each field and annotation of the object that is not carried out."""
    kind = str(item.get("kind", ""))
    fields = _FIELDS.get(kind, {})
    for path, bare in _paths(item.get("spec") or {}, "spec", ""):
        if bare in fields:
            yield not_implemented(path, fields[bare])
    for each in _ANNOTATIONS.get(kind, ()):
        if each in annotations_of(item):
            yield not_implemented(f"metadata.annotations[{each}]", f"the annotation {each}")


def not_implemented(path: str, what: str) -> Cause:
    """The cause that names what is missing."""
    message = f"Forbidden: the embedded mesh does not implement {what}; see the README's list of what it implements"
    return Cause(path, message, "FieldValueForbidden")


def _paths(part: Any, path: str, bare: str) -> Iterator[tuple[str, str]]:
    """Every field's path with the positions in lists, and without."""
    if isinstance(part, list):
        for position, each in enumerate(part):
            yield from _paths(each, f"{path}[{position}]", bare)
    elif isinstance(part, dict):
        for field, value in part.items():
            inner = f"{path}.{field}", f"{bare}.{field}" if bare else field
            yield inner
            yield from _paths(value, *inner)
