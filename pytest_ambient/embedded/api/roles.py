"""The roles that every cluster starts with."""

from ..objects import Object
from .auth import AUTHENTICATED
from .pki import MASTERS
from .resources import RESOURCES, Resource, find
from .store import Store

_GROUP = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
_WRITE = [*_READ, "create", "delete", "deletecollection", "patch", "update"]
_SECRET = frozenset({"secrets"})
_INTO = frozenset({"attach", "binding", "ephemeralcontainers", "eviction", "exec", "portforward", "proxy", "token"})
"""Subresources through which more than looking is done."""
_PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY = [
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
]


def seed(store: Store) -> None:
    """Create the default ClusterRoles and their bindings; those that exist are left alone."""
    everything = [_rule(["*"], "*", ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    _role(store, "cluster-admin", everything)
    accounts = _rule(["impersonate"], "", ["serviceaccounts"])
    _role(store, "admin", [*_rules(_WRITE, all=True, roles=True), accounts, _LOCAL_REVIEW], aggregates="admin")
    _role(store, "edit", [*_rules(_WRITE, all=True, roles=False), accounts], aggregates="edit")
    _role(store, "view", _rules(_READ, all=False, roles=False), aggregates="view")
    reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    basic = [_rule(["create"], "authorization.k8s.io", reviews)]
    basic.append(_rule(["create"], "authentication.k8s.io", ["selfsubjectreviews"]))
    _role(store, "system:basic-user", basic)
    _role(store, "system:discovery", [{"nonResourceURLs": _DISCOVERY, "verbs": ["get"]}])
    _role(store, "system:public-info-viewer", [{"nonResourceURLs": _PUBLIC, "verbs": ["get"]}])
    _bind(store, "cluster-admin", MASTERS)
    _bind(store, "system:basic-user", AUTHENTICATED)
    _bind(store, "system:discovery", AUTHENTICATED)
    _bind(store, "system:public-info-viewer", AUTHENTICATED)


_LOCAL_REVIEW: Object = {
    "apiGroups": ["authorization.k8s.io"],
    "resources": ["localsubjectaccessreviews"],
    "verbs": ["create"],
}


def _rule(verbs: list[str], group: str, resources: list[str]) -> Object:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _rules(verbs: list[str], *, all: bool, roles: bool) -> list[Object]:
    """A rule for each group with the namespaced kinds that a user of a namespace works with."""
    groups: dict[str, list[str]] = {}
    for each in RESOURCES:
        private = each.group == _GROUP and not roles
        if each.namespaced and "list" in each.verbs and not private and not each.custom:
            names = [each.plural, *(f"{each.plural}/{sub}" for sub in _subresources(each) if all or sub not in _INTO)]
            groups.setdefault(each.group, []).extend(name for name in names if all or name not in _SECRET)
    found = [_rule(verbs, group, names) for group, names in groups.items()]
    return [*found, _rule(_READ, "", ["namespaces"])]


def _subresources(resource: Resource) -> list[str]:
    found = [name for name in resource.subresources if name != "finalize"]
    return found + ["status"] * resource.status + ["scale"] * resource.scale


def _role(store: Store, name: str, rules: list[Object], *, aggregates: str = "") -> None:
    """A role; one that `aggregates` also has the rules of all roles with the label of that name."""
    kind = find("ClusterRole", _GROUP)
    if store.get(kind, name) is None:
        labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
        role: Object = {"metadata": {"name": name, "labels": labels}, "rules": rules}
        if aggregates:
            selector = {"matchLabels": {f"{_GROUP}/aggregate-to-{aggregates}": "true"}}
            role["aggregationRule"] = {"clusterRoleSelectors": [selector]}
        store.create(kind, role)


def _bind(store: Store, name: str, group: str) -> None:
    kind = find("ClusterRoleBinding", _GROUP)
    if store.get(kind, name) is None:
        role = {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name}
        subjects = [{"apiGroup": _GROUP, "kind": "Group", "name": group}]
        labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
        store.create(kind, {"metadata": {"name": name, "labels": labels}, "roleRef": role, "subjects": subjects})
