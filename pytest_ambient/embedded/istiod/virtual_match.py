"""Which requests a VirtualService's rule is for."""

from collections.abc import Iterator, Mapping
from typing import Literal

from ..objects import Object
from .model import HeaderMatch, RouteMatch

_PATHS: Mapping[str, Literal["Exact", "Prefix", "RegularExpression"]] = {
    "exact": "Exact",
    "prefix": "Prefix",
    "regex": "RegularExpression",
}
_PSEUDO = {"method": ":method", "authority": ":authority", "scheme": ":scheme"}
_EVERYTHING = RouteMatch(path_kind="Prefix")
_ANY_EXPRESSION = ("*", ".*")


def matches(rule: Object, port: int, namespace: str) -> Iterator[RouteMatch]:
    """What requests on that port of a waypoint in that namespace may be like.

    A caller's labels match nobody there, and a caller's namespace is compared with the waypoint's.
    """
    if not rule.get("match"):
        yield _EVERYTHING
        return
    for each in rule["match"]:
        meshed = "mesh" in (each.get("gateways") or ("mesh",))
        near = each.get("sourceNamespace") in (None, "", namespace)
        if meshed and near and not each.get("sourceLabels") and each.get("port") in (None, 0, port):
            yield _match(each)


def is_catch_all(match: RouteMatch) -> bool:
    """Whether every request matches."""
    everywhere = match.path == "/" and match.path_kind == "Prefix"
    everywhere = everywhere or (match.path_kind == "RegularExpression" and match.path in _ANY_EXPRESSION)
    return everywhere and not match.headers and not match.queries


def text_match(name: str, asked: Object, *, inverted: bool = False) -> HeaderMatch:
    """One match of a header, a parameter or, without a name, of any text."""
    for field, kind in _PATHS.items():
        if field in asked and not (field == "regex" and asked[field] == "*"):
            return HeaderMatch(name, str(asked[field]), kind, inverted)
    return HeaderMatch(name, "", "Present", inverted)


def _match(asked: Object) -> RouteMatch:
    uri: Object = asked.get("uri") or {}
    path, kind = next(((str(uri[field]), kind) for field, kind in _PATHS.items() if field in uri), ("/", "Prefix"))
    headers = [text_match(name, each or {}) for name, each in sorted((asked.get("headers") or {}).items())]
    without = sorted((asked.get("withoutHeaders") or {}).items())
    headers += [text_match(name, each or {}, inverted=True) for name, each in without]
    headers += [text_match(name, asked[field]) for field, name in _PSEUDO.items() if asked.get(field) is not None]
    queries = tuple(text_match(name, each or {}) for name, each in sorted((asked.get("queryParams") or {}).items()))
    return RouteMatch(
        path,
        kind,
        tuple(headers),
        queries,
        ignore_case=bool(asked.get("ignoreUriCase")),
        name=str(asked.get("name", "")),
    )
