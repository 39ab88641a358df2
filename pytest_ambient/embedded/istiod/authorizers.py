"""External authorizers: the extension providers of the mesh's configuration to which CUSTOM policies may leave it."""

from collections.abc import Mapping
from typing import Any

from ..objects import Object
from .model import Authorizer
from .view import View

HTTP = "envoyExtAuthzHttp"


def authorizers(view: View) -> Mapping[str, Authorizer]:
    """By name those that speak HTTP; a policy that names another refuses whatever it is about, as with Istio."""
    listed = view.mesh_config.get("extensionProviders") or []
    found = {str(each.get("name", "")): each[HTTP] for each in listed if isinstance(each, dict) and each.get(HTTP)}
    return {name: made for name, each in found.items() if (made := _authorizer(view, each)) is not None}


def _authorizer(view: View, provider: Object) -> Authorizer | None:
    key = service_of(view, provider)
    if key is None:
        return None
    return Authorizer(
        service=key,
        port=int(provider.get("port", 0)),
        path_prefix=str(provider.get("pathPrefix") or ""),
        told=_texts(provider, "includeRequestHeadersInCheck"),
        upstream=_texts(provider, "headersToUpstreamOnAllow"),
        downstream=_texts(provider, "headersToDownstreamOnDeny"),
        fail_open=bool(provider.get("failOpen")),
    )


def service_of(view: View, provider: Object) -> str | None:
    """The key of the Service that a provider leads to; None when it is not there."""
    hostname = str(provider.get("service", "")).rpartition("/")[2]
    name, _, rest = hostname.partition(".")
    key = f"{rest.partition('.')[0]}/{name}"
    return key if key in view.service_by_key else None


def _texts(provider: Mapping[str, Any], field: str) -> tuple[str, ...]:
    return tuple(str(each) for each in provider.get(field) or ())
