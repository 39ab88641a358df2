"""VirtualServices as the waypoints of their hosts get them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from ..objects import Object, name_of, namespace_of
from .exports import exported
from .hosts import fits, hostname, resolved
from .model import Backend, HeaderChange, Mirror, Redirect, Retries, Rewrite, Route, RouteMatch, RouteRule
from .view import View, key_of, spec_of
from .virtual_filters import cors, injection, percent
from .virtual_match import is_catch_all, matches
from .words import seconds


def virtual_service(view: View, item: Object, waypoint_of: Callable[[Object], str]) -> Iterator[tuple[Object, Route]]:
    """Each Service that it is for, with its rules for each of the Service's ports.

    `waypoint_of` says in which namespace a Service's waypoint is, nowhere if it has none.
    """
    if "mesh" not in (spec_of(item).get("gateways") or ("mesh",)):
        return
    hosts = [resolved(str(each), namespace_of(item)) for each in spec_of(item).get("hosts") or ()]
    created = str(item.get("metadata", {}).get("creationTimestamp", ""))
    for service in view.called:
        waypoint = waypoint_of(service)
        if not exported(item, waypoint) or not any(fits(each, hostname(service)) for each in hosts):
            continue
        for own in (int(port["port"]) for port in spec_of(service).get("ports") or ()):
            for made, tcp in ((_rules(view, item, own, waypoint), False), (_connections(view, item, own), True)):
                if rules := tuple(made):
                    name, space = name_of(item), namespace_of(item)
                    yield service, Route(name, space, created, own, rules, virtual=True, tcp=tcp)


def _connections(view: View, item: Object, port: int) -> Iterator[RouteRule]:
    """The rule for connections to that port that are not known to be HTTP; waypoints know nothing of who calls."""
    for rule in spec_of(item).get("tcp") or ():
        if any(_takes(match, port) for match in rule.get("match") or [{}]):
            yield RouteRule((RouteMatch(),), tuple(_backends(view, item, rule, port)))
            return


def _takes(match: Object, port: int) -> bool:
    in_mesh = "mesh" in (match.get("gateways") or ("mesh",))
    return (
        in_mesh
        and (match.get("port") or port) == port
        and not (match.get("sourceLabels") or match.get("sourceNamespace"))
    )


def _rules(view: View, item: Object, port: int, namespace: str) -> Iterator[RouteRule]:
    """The rules that requests on that port can come to: none behind one that takes everything."""
    for rule in spec_of(item).get("http") or ():
        found = tuple(matches(rule, port, namespace))
        if not found:
            continue
        yield RouteRule(
            found,
            tuple(_backends(view, item, rule, port)),
            *_changes(rule),
            request_timeout=seconds(rule.get("timeout")) or None,
            **_answer(rule),
            rewrite=_rewrite(rule.get("rewrite")),
            retries=_retries(rule.get("retries")),
            mirrors=tuple(_mirrors(view, item, rule, port)),
            cors=cors(rule.get("corsPolicy")),
            injection=injection(rule.get("fault")),
            name=str(rule.get("name", "")),
        )
        if any(is_catch_all(each) for each in found):
            return


def _answer(rule: Object) -> Object:
    """What the waypoint says by itself, if anything."""
    if (asked := rule.get("redirect")) is not None:
        return {"redirect": _redirect(asked)}
    if (direct := rule.get("directResponse")) is not None:
        text = str((direct.get("body") or {}).get("string", ""))
        return {"direct_status": int(direct["status"]), "direct_body": text}
    return {}


def _backends(view: View, item: Object, rule: Object, port: int) -> Iterator[Backend]:
    """The destinations; one that stands alone gets everything, whatever its weight."""
    routes: list[Object] = rule.get("route") or []
    for each in routes:
        weight = int(each.get("weight", 0)) if len(routes) > 1 else 1
        request, response = _changes(each)
        backend = _destination(view, item, each["destination"], port)
        yield replace(backend, weight=weight, request_headers=request, response_headers=response)


def _destination(view: View, item: Object, asked: Object, port: int) -> Backend:
    host = resolved(str(asked["host"]), namespace_of(item))
    found = next((each for each in view.called if hostname(each) == host), None)
    ports: list[Object] = spec_of(found or {}).get("ports") or []
    number = (asked.get("port") or {}).get("number") or (ports[0]["port"] if len(ports) == 1 else port)
    subset, missing = str(asked.get("subset", "")), "" if found else host
    return Backend(key_of(found) if found else None, int(number), missing=missing, subset=subset)


def _mirrors(view: View, item: Object, rule: Object, port: int) -> Iterator[Mirror]:
    if rule.get("mirror"):
        older = next((float(rule[each]) for each in ("mirrorPercent", "mirror_percent") if each in rule), 100.0)
        yield Mirror(_destination(view, item, rule["mirror"], port), percent(rule, "mirrorPercentage", older))
    for each in rule.get("mirrors") or ():
        yield Mirror(_destination(view, item, each["destination"], port), percent(each, "percentage", 100))


def _redirect(asked: Object) -> Redirect:
    derived = {"FROM_PROTOCOL_DEFAULT": "scheme", "FROM_REQUEST_PORT": "asked"}.get(asked.get("derivePort", ""))
    return Redirect(
        status=int(asked.get("redirectCode") or 301),
        host=str(asked.get("authority", "")),
        path=str(asked.get("uri", "")),
        scheme=str(asked.get("scheme", "")),
        port=int(asked["port"]) if asked.get("port") else derived,  # type: ignore[arg-type]  # one of its two words
    )


def _rewrite(asked: Object | None) -> Rewrite | None:
    if asked is None:
        return None
    expression: Object = asked.get("uriRegexRewrite") or {}
    return Rewrite(
        prefix=str(asked.get("uri", "")),
        expression=(str(expression.get("match", "")), str(expression.get("rewrite", ""))) if expression else None,
        host=str(asked.get("authority", "")),
    )


def _retries(asked: Object | None) -> Retries | None:
    if asked is None:
        return None
    words = [each.strip() for each in str(asked.get("retryOn", "")).split(",") if each.strip()]
    return Retries(
        attempts=int(asked.get("attempts", 0)),
        on=",".join(each for each in words if not each.isdecimal()),
        codes=tuple(int(each) for each in words if each.isdecimal()),
        per_try=seconds(asked.get("perTryTimeout")) or None,
        backoff=seconds(asked.get("backoff")) or None,
        other_hosts=bool(asked.get("retryIgnorePreviousHosts", True)),
    )


def _changes(part: Object) -> tuple[HeaderChange, HeaderChange]:
    """What it does to the headers of requests and answers."""
    headers: Object = part.get("headers") or {}
    return _change(headers.get("request") or {}), _change(headers.get("response") or {})


def _change(asked: Object) -> HeaderChange:
    values = [tuple(sorted((asked.get(field) or {}).items())) for field in ("set", "add")]
    return HeaderChange(values[0], values[1], tuple(asked.get("remove") or ()))
