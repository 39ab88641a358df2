"""In which order the rules of all routes of a Service are tried."""

from collections.abc import Iterable
from dataclasses import dataclass

from .model import Route, RouteMatch, RouteRule

_PATH_RANK = {"Exact": 0, "PathPrefix": 1, "RegularExpression": 2}


@dataclass(frozen=True)
class Entry:
    """One match of one rule; the first entry that matches a request decides."""

    name: str
    """`NAMESPACE.ROUTE.RULE`, as the waypoint's log and configuration name it."""
    match: RouteMatch
    rule: RouteRule


def ranked(routes: Iterable[Route], port: int) -> list[Entry]:
    """The matches that hold for a Service's port, in Gateway API's order of precedence.

    Exact path before prefix before expression, then the longer path, a method, more headers, more query parameters;
    then the order given, which is the older route's before the younger's.
    """
    entries = [
        Entry(f"{route.namespace}.{route.name}.{position}", match, rule)
        for route in routes
        if route.port in (None, port)
        for position, rule in enumerate(route.rules)
        for match in rule.matches
    ]
    return sorted(entries, key=lambda entry: _rank(entry.match))


def _rank(match: RouteMatch) -> tuple[int, int, bool, int, int]:
    return (
        _PATH_RANK[match.path_kind],
        -len(match.path),
        not match.method,
        -len(match.headers),
        -len(match.queries),
    )
