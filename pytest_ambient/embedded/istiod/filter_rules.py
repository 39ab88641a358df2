"""What the Gateway API refuses in the filters of an HTTPRoute, and in filters beside what else a rule says."""

from collections.abc import Iterator, Sequence

from ..api.errors import Cause
from ..objects import Object
from .unimplemented import FILTERS
from .words import seconds

_ONCE = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS")
_REPLACING = {"ReplaceFullPath": "replaceFullPath", "ReplacePrefixMatch": "replacePrefixMatch"}
_REDIRECTS = (301, 302, 303, 307, 308)
_ALONE = {"allowHeaders": "methods", "allowMethods": "methods", "allowOrigins": "origins"}


def filter_causes(filters: Sequence[Object], path: str) -> Iterator[Cause]:
    """What is wrong with the filters of a rule or backend, each for itself and one beside the other."""
    types = [str(each.get("type", "")) for each in filters]
    for position, (each, kind) in enumerate(zip(filters, types, strict=True)):
        where, field = f"{path}.filters[{position}]", FILTERS.get(kind, "")
        if field and field not in each:
            yield wrong(where, "object", f"filter.{field} must be specified for {kind} filter.type")
        for name, other in FILTERS.items():
            if other in each and other != field:
                yield wrong(where, "object", f"filter.{other} must be nil if the filter.type is not {name}")
        if kind in _ONCE and kind in types[:position]:
            yield wrong(f"{path}.filters", "array", f"{kind} filter cannot be repeated")
        yield from _one(each, where)
    if {"RequestRedirect", "URLRewrite"} <= set(types):
        why = "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both"
        yield wrong(f"{path}.filters", "array", why)


def rule_causes(rule: Object, path: str) -> Iterator[Cause]:
    """What is wrong with a rule's filters and time-outs beside its matches and backends."""
    filters: Sequence[Object] = rule.get("filters") or ()
    if rule.get("backendRefs") and any("requestRedirect" in each for each in filters):
        yield wrong(path, "object", "RequestRedirect filter must not be used together with backendRefs")
    matches: Sequence[Object] = rule.get("matches") or ({},)
    prefixes = [each for each in matches if (each.get("path") or {}).get("type", "PathPrefix") == "PathPrefix"]
    for kind in ("RequestRedirect", "URLRewrite"):
        replacing = any("replacePrefixMatch" in (_part(each, kind).get("path") or {}) for each in filters)
        if replacing and not len(matches) == len(prefixes) == 1:
            why = "with path.replacePrefixMatch, exactly one PathPrefix match must be specified"
            yield wrong(path, "object", f"When using {kind} filter {why}")
    timeouts: Object = rule.get("timeouts") or {}
    if 0 < seconds(timeouts.get("request")) < seconds(timeouts.get("backendRequest")):
        why = "backendRequest timeout cannot be longer than request timeout"
        yield wrong(f"{path}.timeouts", "object", why)


def wrong(path: str, value: str, why: str) -> Cause:
    """The cause that says what is wrong with a value."""
    return Cause(path, f'Invalid value: "{value}": {why}')


def _part(filtered: Object, kind: str) -> Object:
    part: Object = filtered.get(FILTERS[kind]) or {}
    return part


def _one(each: Object, where: str) -> Iterator[Cause]:
    redirect, mirror, cors = (_part(each, kind) for kind in ("RequestRedirect", "RequestMirror", "CORS"))
    if (status := redirect.get("statusCode", 302)) not in _REDIRECTS:
        supported = ", ".join(f'"{code}"' for code in _REDIRECTS)
        message = f"Unsupported value: {status}: supported values: {supported}"
        yield Cause(f"{where}.requestRedirect.statusCode", message, "FieldValueNotSupported")
    for kind in ("RequestRedirect", "URLRewrite"):
        yield from _path(_part(each, kind).get("path") or {}, f"{where}.{FILTERS[kind]}.path")
    yield from _mirrored(mirror, f"{where}.requestMirror")
    for field, others in _ALONE.items():
        values = cors.get(field) or ()
        if "*" in values and len(values) > 1:
            why = f"{field[0].upper()}{field[1:]} cannot contain '*' alongside other {others}"
            yield wrong(f"{where}.cors.{field}", "array", why)


def _path(path: Object, where: str) -> Iterator[Cause]:
    for kind, field in _REPLACING.items():
        if path.get("type") == kind and field not in path:
            yield wrong(where, "object", f"{field} must be specified when type is set to '{kind}'")
        if path.get("type") != kind and field in path:
            yield wrong(where, "object", f"type must be '{kind}' when {field} is set")


def _mirrored(mirror: Object, where: str) -> Iterator[Cause]:
    ref, fraction = mirror.get("backendRef") or {}, mirror.get("fraction") or {}
    if ref.get("kind") == "Service" and ref.get("group") == "" and not ref.get("port"):
        yield wrong(f"{where}.backendRef", "object", "Must have port for Service reference")
    if fraction.get("numerator", 0) > fraction.get("denominator", 100):
        yield wrong(f"{where}.fraction", "object", "numerator must be less than or equal to denominator")
    if fraction and "percent" in mirror:
        why = "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter"
        yield wrong(where, "object", why)
