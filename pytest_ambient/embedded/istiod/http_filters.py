"""What the filters of an HTTPRoute's rule ask for."""

import re
from dataclasses import dataclass

from ..objects import Object
from .model import Cors, HeaderChange, HeaderMatch, Redirect, Rewrite

_ANY_ORIGIN = r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+"
_WHOLE_PATH = "/.*"


@dataclass(frozen=True)
class Filters:
    """The filters of a rule beside those that change headers."""

    redirect: Redirect | None = None
    rewrite: Rewrite | None = None
    cors: Cors | None = None


def filters(rule: Object) -> Filters:
    """What the rule's filters ask for."""
    asked = {str(each.get("type", "")): each for each in rule.get("filters") or ()}
    redirect, rewrite, cors = (asked.get(kind) for kind in ("RequestRedirect", "URLRewrite", "CORS"))
    return Filters(
        _redirect(redirect["requestRedirect"]) if redirect else None,
        _rewrite(rewrite["urlRewrite"]) if rewrite else None,
        _cors(cors["cors"]) if cors else None,
    )


def header_changes(part: Object) -> tuple[HeaderChange, HeaderChange]:
    """What the filters of a rule or backend do to request and response headers."""
    request = response = HeaderChange()
    for each in part.get("filters") or ():
        if each.get("type") == "RequestHeaderModifier":
            request = _change(each.get("requestHeaderModifier") or {})
        elif each.get("type") == "ResponseHeaderModifier":
            response = _change(each.get("responseHeaderModifier") or {})
    return request, response


def _redirect(asked: Object) -> Redirect:
    scheme = str(asked.get("scheme", ""))
    whole, prefix = _path(asked)
    return Redirect(
        status=int(asked.get("statusCode", 302)),
        host=str(asked.get("hostname", "")),
        path=whole or "",
        prefix=prefix,
        scheme=scheme,
        port=asked.get("port") or ("scheme" if scheme else "asked"),
    )


def _rewrite(asked: Object) -> Rewrite:
    whole, prefix = _path(asked)
    return Rewrite(
        prefix="" if prefix is None else prefix.removesuffix("/") or "/",
        expression=None if whole is None else (_WHOLE_PATH, whole),
        host=str(asked.get("hostname", "")),
    )


def _path(asked: Object) -> tuple[str | None, str | None]:
    """What replaces the whole path, and what the prefix; one of them at most."""
    path: Object = asked.get("path") or {}
    return path.get("replaceFullPath"), path.get("replacePrefixMatch")


def _cors(asked: Object) -> Cors:
    return Cors(
        origins=tuple(_origin(str(each)) for each in asked.get("allowOrigins") or ()),
        methods=tuple(asked.get("allowMethods") or ()),
        headers=tuple(asked.get("allowHeaders") or ()),
        exposed=tuple(asked.get("exposeHeaders") or ()),
        credentials=bool(asked.get("allowCredentials")),
        max_age=asked.get("maxAge") or None,
    )


def _origin(text: str) -> HeaderMatch:
    if text == "*":
        return HeaderMatch("", _ANY_ORIGIN, "RegularExpression")
    if "*" not in text:
        return HeaderMatch("", text)
    if text.count("*") == 1 and text.endswith("*"):
        return HeaderMatch("", text[:-1], "Prefix")
    return HeaderMatch("", ".*".join(map(re.escape, text.split("*"))), "RegularExpression")


def _change(modifier: Object) -> HeaderChange:
    return HeaderChange(_named(modifier, "set"), _named(modifier, "add"), tuple(modifier.get("remove") or ()))


def _named(modifier: Object, field: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(each["name"]), str(each.get("value", ""))) for each in modifier.get(field) or ())
