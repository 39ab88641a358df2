"""What a rule tells the HTTP filters of a waypoint: faults to inject, and whom CORS lets read the answers."""

from ..istiod.model import Cors, HeaderMatch, Injection, RateLimit, RouteRule
from ..objects import Object
from .xds import part, typed

_FAULT, _CORS = "envoy.filters.http.fault", "envoy.filters.http.cors"


def filters() -> list[Object]:
    """The filters that do nothing but what a route tells them."""
    return [
        part(_FAULT, "extensions.filters.http.fault.v3.HTTPFault"),
        part(_CORS, "extensions.filters.http.cors.v3.Cors"),
    ]


def per_filter(rule: RouteRule) -> Object:
    """What the rule tells them; nothing when it has nothing to say."""
    found: Object = {}
    if rule.injection is not None:
        found[_FAULT] = typed("extensions.filters.http.fault.v3.HTTPFault", **_injected(rule.injection))
    if rule.cors is not None:
        found[_CORS] = typed("extensions.filters.http.cors.v3.CorsPolicy", **_shared(rule.cors))
    return {"typed_per_filter_config": found} if found else {}


def limited(limit: RateLimit) -> Object:
    """The filter that answers 429 where the bucket is empty."""
    every = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    bucket = {"max_tokens": limit.tokens, "tokens_per_fill": limit.refill, "fill_interval": f"{limit.interval:f}s"}
    added = [{"header": {"key": key, "value": value}} for key, value in limit.headers]
    return part(
        "envoy.filters.http.local_ratelimit",
        "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="http_local_rate_limiter",
        token_bucket=bucket,
        filter_enabled=every,
        filter_enforced=every,
        response_headers_to_add=added,
    )


def text(match: HeaderMatch) -> Object:
    """A match of a string."""
    match match.kind:
        case "RegularExpression":
            return {"safe_regex": {"regex": match.value}}
        case "Prefix":
            return {"prefix": match.value}
    return {"exact": match.value}


def fraction(percent: float) -> Object:
    """A share as Envoy reads it."""
    return {"numerator": int(percent * 10000), "denominator": "MILLION"}


def _injected(injection: Injection) -> Object:
    found: Object = {}
    if injection.delay is not None:
        delay = {"fixed_delay": f"{injection.delay:f}s", "percentage": fraction(injection.delayed)}
        found["delay"] = delay
    status = {"http_status": injection.status, "grpc_status": injection.grpc}
    if abort := {name: value for name, value in status.items() if value is not None}:
        found["abort"] = {**abort, "percentage": fraction(injection.aborted)}
    return found


def _shared(cors: Cors) -> Object:
    found: Object = {
        "allow_origin_string_match": [text(each) for each in cors.origins],
        "filter_enabled": {"default_value": {"numerator": 100}},
        "forward_not_matching_preflights": cors.forwards,
    }
    lists = {"allow_methods": cors.methods, "allow_headers": cors.headers, "expose_headers": cors.exposed}
    found |= {name: ",".join(values) for name, values in lists.items() if values}
    if cors.credentials:
        found["allow_credentials"] = True
    if cors.max_age is not None:
        found["max_age"] = str(cors.max_age)
    return found
