"""AuthorizationPolicies as a waypoint's Envoy enforces them, under the names that Istio gives their rules."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from ..istiod.model import Condition, L7Policy, L7Rule, Operation, Source
from ..objects import Object
from .policy import cidr
from .tokens import claim, request_principal
from .xds import typed

_PEER = "io.istio.peer_principal"
_HEADER = re.compile(r"request\.headers\[(.+)\]")
_TEMPLATE = re.compile(r"\{\*\*?\}")
_NESTED = re.compile(r"\[([^\]]+)\]")


def rules(policies: Sequence[L7Policy], *, http: bool, dry_run: bool = False) -> dict[str, Object]:
    """Envoy's RBAC rules by `deny` and `allow`, or those that only judge; what refuses nobody is left out."""
    found = {}
    for action in ("DENY", "ALLOW"):
        chosen = [each for each in policies if (each.action, each.dry_run) == (action, dry_run)]
        named = {name: entry for each in chosen for name, entry in entries(each, http=http)}
        if named or (chosen and action == "ALLOW"):
            found[action.lower()] = {"action": action, "policies": named}
    return found


def entries(policy: L7Policy, *, http: bool) -> Iterable[tuple[str, Object]]:
    """The rules of a policy by their names, without those that plain TCP cannot show enough for."""
    for index, rule in enumerate(policy.rules):
        if not http and policy.action == "ALLOW" and _asks_http(rule):
            continue  # a plain TCP connection can't show what the rule asks for
        yield f"ns[{policy.namespace}]-policy[{policy.name}]-rule[{index}]", _entry(rule, policy.namespace, http=http)


def _asks_http(rule: L7Rule) -> bool:
    operations = any(
        (each.hosts, each.not_hosts, each.methods, each.not_methods, each.paths, each.not_paths) != ((),) * 6
        for each in rule.operations
    )
    sources = any(each.request_principals or each.not_request_principals for each in rule.sources)
    return operations or sources or any(each.key.startswith("request.") for each in rule.conditions)


def _entry(rule: L7Rule, namespace: str, *, http: bool) -> Object:
    conditions = [each for each in rule.conditions if http or not each.key.startswith("request.")]
    asked = [each for each in conditions if each.key in ("destination.ip", "destination.port", "connection.sni")]
    told = [each for each in conditions if each not in asked]
    named = partial(_told, namespace)
    return {
        "permissions": [
            _all("and_rules", "rules", [*_operation(each, http=http), *_conditions(asked, "rules", _asked)])
            for each in rule.operations or (Operation(),)
        ],
        "principals": [
            _all("and_ids", "ids", [*_source(each, namespace, http=http), *_conditions(told, "ids", named)])
            for each in rule.sources or (Source(),)
        ],
    }


def _all(field: str, inner: str, parts: list[Object]) -> Object:
    return {field: {inner: parts}} if parts else {"any": True}


def _field(kind: str, wanted: Sequence[str], unwanted: Sequence[str], one: Callable[[str], Object]) -> list[Object]:
    """What a field and its not-form ask for; `kind` is `rules` of a permission or `ids` of a principal."""
    any_of, negated = (f"or_{kind}", "not_rule" if kind == "rules" else "not_id")
    found: list[Object] = []
    if wanted:
        found.append({any_of: {kind: [one(each) for each in wanted]}})
    if unwanted:
        found.append({negated: {any_of: {kind: [one(each) for each in unwanted]}}})
    return found


def _operation(asked: Operation, *, http: bool) -> list[Object]:
    found = _field("rules", asked.ports, asked.not_ports, lambda port: {"destination_port": int(port)})
    if http:
        found += _field("rules", asked.hosts, asked.not_hosts, _host)
        found += _field("rules", asked.methods, asked.not_methods, lambda each: {"header": header(":method", each)})
        found += _field("rules", asked.paths, asked.not_paths, _path)
    return found


def _source(source: Source, namespace: str, *, http: bool) -> list[Object]:
    return [
        *_field("ids", source.principals, source.not_principals, _principal),
        *_field("ids", source.namespaces, source.not_namespaces, _namespace),
        *_field("ids", source.trust_domains, source.not_trust_domains, _domain),
        *_field("ids", source.service_accounts, source.not_service_accounts, partial(_account, namespace)),
        *_field("ids", source.ip_blocks, source.not_ip_blocks, lambda block: {"direct_remote_ip": cidr(block)}),
        *_field("ids", source.remote_ip_blocks, source.not_remote_ip_blocks, lambda block: {"remote_ip": cidr(block)}),
        *(_field("ids", source.request_principals, source.not_request_principals, request_principal) if http else ()),
    ]


def _conditions(conditions: Iterable[Condition], kind: str, one: Callable[[str, str], Object]) -> list[Object]:
    found = []
    for each in conditions:
        found += _field(kind, each.values, each.not_values, partial(one, each.key))
    return found


def _asked(key: str, value: str) -> Object:
    match key:
        case "destination.ip":
            return {"destination_ip": cidr(value)}
        case "destination.port":
            return {"destination_port": int(value)}
    return {"requested_server_name": text(value)}


def _told(namespace: str, key: str, value: str) -> Object:
    if named := _HEADER.fullmatch(key):
        return {"header": header(named[1], value)}
    match key:
        case "source.ip":
            return {"direct_remote_ip": cidr(value)}
        case "remote.ip":
            return {"remote_ip": cidr(value)}
        case "source.namespace":
            return _namespace(value)
        case "source.principal":
            return _principal(value)
        case "source.trustDomain":
            return _domain(value)
        case "source.serviceAccount":
            return _account(namespace, value)
        case "request.auth.principal":
            return request_principal(value)
        case "request.auth.audiences":
            return claim(["aud"], text(value))
        case "request.auth.presenter":
            return claim(["azp"], text(value))
    return claim(_NESTED.findall(key), text(value))  # request.auth.claims[NAME], with one name more for each level


def text(value: str, prefix: str = "") -> Object:
    """A string as policies write it, `*` forms included; `prefix` goes before whatever has a fixed beginning."""
    if value == "*":
        return {"safe_regex": {"regex": ".+"}}
    if value.startswith("*"):
        return {"suffix": value[1:]}
    if value.endswith("*"):
        return {"prefix": prefix + value[:-1]}
    return {"exact": prefix + value}


def header(name: str, value: str) -> Object:
    """A match of a header; `*` asks only that it is there."""
    return {"name": name, "present_match": True} if value == "*" else {"name": name, "string_match": text(value)}


def _host(value: str) -> Object:
    match = header(":authority", value)
    if "string_match" in match:
        match["string_match"]["ignore_case"] = True
    return {"header": match}


def _path(value: str) -> Object:
    if not _TEMPLATE.search(value):
        return {"url_path": {"path": text(value)}}
    template = value.replace("{**}", "**").replace("{*}", "*")
    kind = "extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
    return {"uri_template": {"name": "uri-template", "typed_config": typed(kind, path_template=template)}}


def _principal(value: str) -> Object:
    return _peer(text(value, "spiffe://"))


def _namespace(value: str) -> Object:
    return _peer({"safe_regex": {"regex": f".*/ns/{re.escape(value).replace(chr(92) + '*', '.*')}/.*"}})


def _domain(value: str) -> Object:
    if "*" not in value:
        return _peer({"prefix": f"spiffe://{value}/"})
    if value == "*":
        return _peer({"prefix": "spiffe://"})
    named = "[^/]*".join(map(re.escape, value.split("*", 1)))
    return _peer({"safe_regex": {"regex": f"spiffe://{named}/.*"}})


def _account(namespace: str, value: str) -> Object:
    """`ACCOUNT`, which is of the policy's namespace, or `NAMESPACE/ACCOUNT`."""
    own, _, account = value.rpartition("/")
    return _peer({"suffix": f"/ns/{own or namespace}/sa/{account}"})


def _peer(match: Object) -> Object:
    return {"filter_state": {"key": _PEER, "string_match": match}}
