"""What the values in a VirtualService's rule must look like, in the words of Istio's webhook."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from ..objects import Object
from .words import seconds

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""What a subset may be called."""

CLAIM = re.compile(r"@request\.auth\.claims(?:\..+|\[.+\])", re.IGNORECASE)
"""How a match names a claim of a token, at Gateways."""
_HEADER = re.compile(r":?[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_METHODS = ("*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE")
_TRIED = (
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream",
    "retriable-status-codes", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure", "cancelled",
    "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
)  # fmt: skip
_RE2 = "Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)"
_CODES = frozenset(map(int, HTTPStatus))


def rule_mistakes(rule: Object) -> Iterator[str]:
    """What is wrong with the values of one rule."""
    for each in rule.get("match") or ():
        yield from _match_mistakes(each)
    for each in rule.get("route") or ():
        if each.get("weight", 0) < 0:
            yield f"weight {each['weight']} < 0"
        yield from _destination_mistakes(each.get("destination") or {})
    yield from _answer_mistakes(rule)
    yield from _sharing_mistakes(rule.get("corsPolicy") or {})
    for part in ("request", "response"):
        changes: Object = (rule.get("headers") or {}).get(part) or {}
        if "" in (changes.get("set") or {}) or "" in (changes.get("add") or {}):
            yield "header name cannot be empty"
    words = [each.strip() for each in str((rule.get("retries") or {}).get("retryOn", "")).split(",")]
    for each in filter(None, words):
        if each not in _TRIED and not (each.isdecimal() and int(each) in _CODES):
            yield f'"{each}" is not a valid retryOn policy'


def _sharing_mistakes(policy: Object) -> Iterator[str]:
    for origin in policy.get("allowOrigins") or ():
        if not any(kind in origin for kind in ("exact", "prefix", "regex")):
            yield "'' is not a valid match type for CORS allow origins"
    for method in policy.get("allowMethods") or ():
        if method not in _METHODS:
            yield f'"{method}" is not a supported HTTP method'
    if seconds(policy.get("maxAge")) % 1:
        yield "max_age duration is accurate only to seconds precision"


def percent_mistakes(part: Object) -> Iterator[str]:
    """What is wrong with the share of requests that get a fault."""
    value = (part.get("percentage") or {}).get("value", 0)
    if value and not 0.0001 <= value <= 100:
        yield f"percentage {value:g} is neither 0.0, nor in range [0.0001, 100.0]"


def _match_mistakes(match: Object) -> Iterator[str]:
    for name in (*(match.get("headers") or {}), *(match.get("withoutHeaders") or {})):
        if not name:
            yield "header name cannot be empty"
        elif not _HEADER.fullmatch(name) and not CLAIM.fullmatch(name):
            yield f"header name {name} is not a valid header name"
    for field in ("uri", "scheme", "method", "authority"):
        yield from _expression_mistakes(field, match.get(field) or {})
    for field in ("headers", "withoutHeaders", "queryParams"):
        for each in (match.get(field) or {}).values():
            yield from _expression_mistakes(field, each or {})


def _expression_mistakes(field: str, asked: Object) -> Iterator[str]:
    if "regex" in asked and asked["regex"] != "*":
        try:
            re.compile(str(asked["regex"]))
        except re.error as error:
            yield f'"{field}": error parsing regexp: {error}; {_RE2}'


def _destination_mistakes(asked: Object) -> Iterator[str]:
    subset, number = str(asked.get("subset", "")), (asked.get("port") or {}).get("number", 1)
    if not asked.get("host"):
        yield "empty domain name not allowed"
    if subset and not LABEL.fullmatch(subset):
        yield f"subset name is invalid: {subset}"
    if not 0 < number < 65536:
        yield f"port number {number} must be in the range 1..65535"


def _answer_mistakes(rule: Object) -> Iterator[str]:
    status = (rule.get("directResponse") or {}).get("status", 200)
    if not 200 <= status <= 599:
        yield f"HTTP status {status} is not in range 200-599"
    rewrite: Object = rule.get("rewrite") or {}
    if "rewrite" in rule and not any(rewrite.get(each) for each in ("uri", "uriRegexRewrite", "authority")):
        yield (
            "rewrite must specify at least one of URI, UriRegexRewrite, or authority. "
            "Only one of URI or UriRegexRewrite may be specified"
        )
    if rewrite.get("uri") and rewrite.get("uriRegexRewrite"):
        yield "rewrite may only contain one of URI or UriRegexRewrite"
    share = (rule.get("mirrorPercentage") or {}).get("value", 0)
    if share > 100:
        yield f"mirror_percentage must have a max value of 100 (it has {share:f})"
