"""EnvoyFilters: only the one shape that limits a waypoint's requests is carried out, all others are refused by name."""

from collections.abc import Iterator

from ..api.errors import Cause
from ..objects import Object, namespace_of
from .model import RateLimit
from .unimplemented import not_implemented
from .view import GATEWAY_API, View, age_of, spec_of
from .words import seconds

_LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
_STRUCTS = ("udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct")
_MATCH = {
    "context": "SIDECAR_INBOUND",
    "listener": {
        "name": "main_internal",
        "filterChain": {
            "filter": {
                "name": "envoy.filters.network.http_connection_manager",
                "subFilter": {"name": "envoy.filters.http.router"},
            }
        },
    },
}
_EVERY = {"numerator": 100, "denominator": "HUNDRED"}
_KNOWN = {"stat_prefix", "token_bucket", "filter_enabled", "filter_enforced", "response_headers_to_add"}
_ONLY = "only a local rate limit before the router of a waypoint's listener main_internal"


def rate_limits(view: View, waypoint: str) -> tuple[RateLimit, ...]:
    """The limits of a waypoint, which is known by `NAMESPACE/NAME`, the oldest first."""
    found = []
    for item in sorted(view.envoy_filters, key=age_of):
        named = {f"{namespace_of(item)}/{each['name']}" for each in spec_of(item).get("targetRefs") or ()}
        if waypoint in named:
            found += [_limit(_value(each)) for each in spec_of(item).get("configPatches") or ()]
    return tuple(found)


def filter_patch_causes(item: Object) -> Iterator[Cause]:
    """What an EnvoyFilter asks for that is not carried out."""
    refs: list[Object] = spec_of(item).get("targetRefs") or []
    if not refs or "workloadSelector" in spec_of(item):
        yield not_implemented("spec.targetRefs", "EnvoyFilters without a waypoint as target")
    for position, ref in enumerate(refs):
        if (ref.get("kind"), ref.get("group")) != ("Gateway", GATEWAY_API):
            yield not_implemented(f"spec.targetRefs[{position}].kind", f"EnvoyFilters of a {ref.get('kind')}")
    for position, patch in enumerate(spec_of(item).get("configPatches") or ()):
        where = f"spec.configPatches[{position}]"
        if patch.get("applyTo") != "HTTP_FILTER":
            yield not_implemented(f"{where}.applyTo", f"patches of {patch.get('applyTo')}, {_ONLY}")
        elif patch.get("match") != _MATCH:
            yield not_implemented(f"{where}.match", f"this match, {_ONLY}")
        elif (patch.get("patch") or {}).get("operation") != "INSERT_BEFORE" or not _understood(_value(patch)):
            yield not_implemented(f"{where}.patch", f"this patch, {_ONLY}")


def _value(patch: Object) -> Object:
    """The rate limit's own configuration, empty when it is another filter's."""
    config: Object = ((patch.get("patch") or {}).get("value") or {}).get("typed_config") or {}
    kind = str(config.get("@type", "")).removeprefix("type.googleapis.com/")
    if kind in _STRUCTS and config.get("type_url") == f"type.googleapis.com/{_LIMIT}":
        value: Object = config.get("value") or {}
        return value
    return {key: value for key, value in config.items() if key != "@type"} if kind == _LIMIT else {}


def _understood(value: Object) -> bool:
    """Whether it is a bucket that holds for every request."""
    bucket: Object = value.get("token_bucket") or {}
    shares = [(value.get(field) or {}).get("default_value") for field in ("filter_enabled", "filter_enforced")]
    counts = (bucket.get("max_tokens"), bucket.get("tokens_per_fill", 1))
    whole = all(isinstance(each, int) and 0 <= each < 2**32 for each in counts)
    return (
        whole and seconds(bucket.get("fill_interval")) >= 0.05 and shares == [_EVERY, _EVERY] and set(value) <= _KNOWN
    )


def _limit(value: Object) -> RateLimit:
    bucket: Object = value["token_bucket"]
    added = [each.get("header") or {} for each in value.get("response_headers_to_add") or ()]
    headers = tuple((str(each.get("key", "")), str(each.get("value", ""))) for each in added)
    refill = int(bucket.get("tokens_per_fill", 1))
    return RateLimit(int(bucket["max_tokens"]), refill, seconds(bucket["fill_interval"]), headers)
