"""What others decided for the whole mesh and reaches our workloads: rows that it could decide prove nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Forbidden, NotFound
from pytest_ambient.manifest import read
from pytest_ambient.mesh.meshwide import hidden_headers
from pytest_ambient.places import Places

KIND = "security.istio.io/v1/AuthorizationPolicy"
RUN_LABEL = "pytest-ambient/run"
FOLDER = Path(__file__).parent / "manifests"
HTTP_ONLY = frozenset({"hosts", "notHosts", "methods", "notMethods", "paths", "notPaths"})
"""What ztunnel cannot read of an operation: a DENY by these alone never fires there."""
FROM_CALLER = ("namespaces", "principals", "serviceAccounts")
"""By what an L4 rule admits a caller; other conditions are not weighed, they are taken to hold."""


@dataclass(frozen=True)
class Ours:
    """What a policy would have to speak of to reach a run's workloads."""

    namespaces: tuple[str, ...]
    accounts: tuple[str, ...]
    """Names of service accounts."""
    labels: tuple[Mapping[str, str], ...] = field(hash=False)
    """Those of each workload's pods."""
    ports: tuple[str, ...]
    trust_domain: str = "cluster.local"

    @classmethod
    def of(cls, places: Places) -> "Ours":
        """As our own manifests have it."""
        items = [item.object for path in sorted(FOLDER.glob("*.yaml")) for item in read(path, places)]
        pods = [item["spec"]["template"] for item in items if item["kind"] == "Deployment"]
        ports = {str(port["port"]) for item in items if item["kind"] == "Service" for port in item["spec"]["ports"]}
        accounts = tuple(item["metadata"]["name"] for item in items if item["kind"] == "ServiceAccount")
        labels = tuple(pod["metadata"]["labels"] for pod in pods)
        return cls(places.ours, accounts, labels, tuple(sorted(ports)), places.trust_domain)


@dataclass(frozen=True)
class Foreign:
    """Why rows prove nothing; empty where nobody else decides."""

    everywhere: str = ""
    """Of every row with a call: ztunnels obey the policy."""
    waypoints: str = ""
    """Of every row behind a waypoint."""
    hidden: str = ""
    """Of those too, by the mesh's own configuration; and of every row with a sidecar."""
    sidecars: str = ""
    """Of every row with a sidecar: they read more of a policy than ztunnels do."""

    def decides(self, needs: Collection[str]) -> str:
        """The policies that could decide a row with a call that needs such features; empty where none could."""
        of_others = {"Waypoint": self.waypoints, "Sidecar": self.sidecars}
        return self.everywhere or next((why for name, why in of_others.items() if why and name in needs), "")

    def keeps_from(self, needs: Collection[str]) -> str:
        """Why such a row proves nothing; empty where it proves something."""
        return self.decides(needs) or (self.hidden if not {"Waypoint", "Sidecar"}.isdisjoint(needs) else "")


def look(kube: Kube, places: Places, run: str) -> Foreign:
    """The policies of the root namespace that are not this run's; nothing where this user may not look."""
    hidden = hidden_headers(kube)
    try:
        found = kube.list(KIND, places.root)
    except (NotFound, Forbidden):
        return Foreign(hidden=hidden)
    others = [item for item in found if (item["metadata"].get("labels") or {}).get(RUN_LABEL) != run]
    return replace(weighed(others, Ours.of(places), places.waypoint_class), hidden=hidden)


def weighed(policies: Sequence[Object], ours: Ours, waypoint_class: str) -> Foreign:
    """What some policies of the root namespace mean for our rows."""
    spoken = [(item, _words(item)) for item in policies]
    everywhere = [words for item, words in spoken if _at_ztunnel(item.get("spec") or {}, ours)]
    waypoints = [words for item, words in spoken if _at_waypoints(item.get("spec") or {}, waypoint_class)]
    sidecars = [words for item, words in spoken if _at_sidecars(item.get("spec") or {}, ours)]
    return Foreign(_could(everywhere), _could(waypoints), sidecars=_could(sidecars))


def _could(names: Sequence[str]) -> str:
    return f"{', '.join(names)} could decide it" if names else ""


def _words(item: Object) -> str:
    meta = item["metadata"]
    return f"AuthorizationPolicy {meta.get('namespace', '')}/{meta['name']} of somebody else"


def _at_ztunnel(spec: Object, ours: Ours) -> bool:
    action = spec.get("action") or "ALLOW"
    if _targets(spec) or action not in ("ALLOW", "DENY") or not _selects(spec, ours):
        return False
    # one ALLOW refuses all whom it does not admit, and admits whom ours must refuse
    return action == "ALLOW" or any(_could_match(rule or {}, ours) for rule in spec.get("rules") or ())


def _at_waypoints(spec: Object, waypoint_class: str) -> bool:
    mine = any(one.get("kind") == "GatewayClass" and one.get("name") == waypoint_class for one in _targets(spec))
    return mine and spec.get("action") != "AUDIT"


def _at_sidecars(spec: Object, ours: Ours) -> bool:
    """Beyond what it does at ztunnels: an authorizer is asked, and a DENY by what HTTP says alone fires."""
    rules = {"CUSTOM": lambda rule: True, "DENY": _http_alone}.get(spec.get("action") or "ALLOW")
    if rules is None or _targets(spec) or not _selects(spec, ours):
        return False
    return any(rules(rule or {}) for rule in spec.get("rules") or ())


def _targets(spec: Object) -> list[Object]:
    single = [spec["targetRef"]] if spec.get("targetRef") else []
    return [*(spec.get("targetRefs") or ()), *single]


def _selects(spec: Object, ours: Ours) -> bool:
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    return not wanted or any(wanted.items() <= labels.items() for labels in ours.labels)


def _could_match(rule: Object, ours: Ours) -> bool:
    callers = [one.get("source") or {} for one in rule.get("from") or ()]
    operations = [one.get("operation") or {} for one in rule.get("to") or ()]
    if _http_alone(rule):
        return False
    from_us = not callers or any(_from_us(one, ours) for one in callers)
    to_us = not operations or any(_to_us(one, ours) for one in operations)
    return from_us and to_us


def _http_alone(rule: Object) -> bool:
    """Whether all that a rule asks for is of HTTP."""
    operations = [one.get("operation") or {} for one in rule.get("to") or ()]
    more = rule.get("from") or rule.get("when")
    return bool(operations) and not more and all(_http_only(one) for one in operations)


def _http_only(operation: Object) -> bool:
    return bool(operation) and HTTP_ONLY.issuperset(key for key, value in operation.items() if value)


def _from_us(source: Object, ours: Ours) -> bool:
    """Unless what it names is none of ours."""
    return all(
        any(_fits(pattern, name) for pattern in source[key] for name in _names(key, ours))
        for key in FROM_CALLER
        if source.get(key)
    )


def _names(key: str, ours: Ours) -> Iterator[str]:
    for namespace in ours.namespaces:
        if key == "namespaces":
            yield namespace
        for account in (*ours.accounts, "default"):
            if key == "principals":
                yield f"{ours.trust_domain}/ns/{namespace}/sa/{account}"
            elif key == "serviceAccounts":
                yield f"{namespace}/{account}"


def _to_us(operation: Object, ours: Ours) -> bool:
    ports = operation.get("ports")
    return not ports or any(str(port) in ours.ports for port in ports)


def _fits(pattern: str, name: str) -> bool:
    """As Istio compares: whole, by a start before `*` or by an end after it."""
    if pattern == "*":
        return True
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name.endswith(pattern[1:]) if pattern.startswith("*") else name == pattern
