"""What a proxy's own configuration says: which ALLOW policies it attaches to a destination."""

import re
from collections.abc import Iterable, Iterator, Mapping

from pytest_ambient._kube import Object

_RULE = re.compile(r"ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[\d+\]")


def allows_at_ztunnel(dump: Object, workload: str) -> tuple[str, ...]:
    """`NAMESPACE/NAME` of the ALLOW policies that ztunnel's `config_dump` attaches to `NAMESPACE/POD`."""
    namespace, _, name = workload.partition("/")
    pods = (entry for entry in _entries(dump.get("workloads")) if entry.get("namespace") == namespace)
    pod: Object = next((entry for entry in pods if entry.get("name") == name), {})
    selected = set(pod.get("authorizationPolicies") or ())
    found = []
    for policy in _entries(dump.get("policies")):
        key = f"{policy.get('namespace')}/{policy.get('name')}"
        scope = str(policy.get("scope", "")).lower()
        here = scope == "global" or (scope == "namespace" and policy.get("namespace") == namespace)
        if str(policy.get("action", "")).lower() == "allow" and (here or key in selected):
            found.append(key)
    return tuple(sorted(found))


def protocols(dump: Object) -> dict[str, str]:
    """`HBONE` or `TCP` by `NAMESPACE/POD`, as ztunnel's workload list has it."""
    pods = _entries(dump.get("workloads"))
    return {f"{entry.get('namespace')}/{entry.get('name')}": str(entry.get("protocol", "")) for entry in pods}


def policies_at_waypoint(dump: Object, service: str, port: str) -> dict[str, tuple[str, ...]]:
    """`NAMESPACE/NAME` of the policies that a waypoint's `config_dump` has for a Service's port, by ALLOW and DENY."""
    found: dict[str, set[str]] = {"ALLOW": set(), "DENY": set()}
    for chain in _chains(dump):
        kind, _, rest = str(chain.get("name", "")).partition("|")
        if kind == "inbound-vip" and rest.startswith(f"{port}|") and rest.endswith(f"|{service}"):
            for rules in _rbac(chain):
                names = _RULE.findall(" ".join(rules.get("policies") or {}))
                found.setdefault(str(rules.get("action", "ALLOW")), set()).update("/".join(name) for name in names)
    return {action: tuple(sorted(names)) for action, names in found.items()}


def tracers_at_waypoint(dump: Object, service: str) -> list[bool]:
    """For each chain of a waypoint's `config_dump` for HTTP to a Service (`NAME.NAMESPACE.svc.`) whether it traces."""
    found = []
    for chain in _chains(dump):
        if f"|{service}" in str(chain.get("name", "")):
            configs = (network.get("typed_config") or {} for network in _entries(chain.get("filters")))
            http = [config for config in configs if str(config.get("@type", "")).endswith(".HttpConnectionManager")]
            found += [bool((config.get("tracing") or {}).get("provider")) for config in http]
    return found


def _entries(part: object) -> Iterable[Object]:
    """A list, or the values of a mapping: ztunnel has written its dump both ways."""
    if isinstance(part, Mapping):
        return [value for value in part.values() if isinstance(value, dict)]
    return [value for value in part if isinstance(value, dict)] if isinstance(part, list) else []


def _chains(dump: Object) -> Iterator[Object]:
    for part in _entries(dump.get("configs")):
        for entry in [*_entries(part.get("dynamic_listeners")), *_entries(part.get("static_listeners"))]:
            state = entry.get("active_state") or entry
            yield from _entries((state.get("listener") or {}).get("filter_chains"))


def _rbac(chain: Object) -> Iterator[Object]:
    for network in _entries(chain.get("filters")):
        config = network.get("typed_config") or {}
        for entry in [config, *(http.get("typed_config") or {} for http in _entries(config.get("http_filters")))]:
            if str(entry.get("@type", "")).endswith(".RBAC"):
                yield entry.get("rules") or {}
