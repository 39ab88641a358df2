"""The roles that every cluster starts with."""

from ..objects import Object
from .auth import AUTHENTICATED
from .pki import MASTERS
from .resources import RESOURCES, Resource, find
from .store import Store

_GROUP = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
_WRITE = [*_READ, "create", "delete", "deletecollection", "patch", "update"]
_SECRET = frozenset({"secrets", "serviceaccounts/token"})
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
    _role(store, "admin", _rules(_WRITE, secrets=True, roles=True))
    _role(store, "edit", _rules(_WRITE, secrets=True, roles=False))
    _role(store, "view", _rules(_READ, secrets=False, roles=False))
    reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    basic = [_rule(["create"], "authorization.k8s.io", reviews)]
    basic.append(_rule(["create"], "authentication.k8s.io", ["selfsubjectreviews"]))
    _role(store, "system:basic-user", basic)
    _role(store, "system:discovery", [{"nonResourceURLs": _DISCOVERY, "verbs": ["get"]}])
    _bind(store, "cluster-admin", MASTERS)
    _bind(store, "system:basic-user", AUTHENTICATED)
    _bind(store, "system:discovery", AUTHENTICATED)


def _rule(verbs: list[str], group: str, resources: list[str]) -> Object:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _rules(verbs: list[str], *, secrets: bool, roles: bool) -> list[Object]:
    """A rule for each group with the namespaced kinds that a user of a namespace works with."""
    groups: dict[str, list[str]] = {}
    for each in RESOURCES:
        private = each.group == _GROUP and not roles
        if each.namespaced and "list" in each.verbs and not private and not each.custom:
            names = [each.plural, *(f"{each.plural}/{sub}" for sub in _subresources(each))]
            groups.setdefault(each.group, []).extend(name for name in names if secrets or name not in _SECRET)
    found = [_rule(verbs, group, names) for group, names in groups.items()]
    return [*found, _rule(_READ, "", ["namespaces"])]


def _subresources(resource: Resource) -> list[str]:
    found = [name for name in resource.subresources if name != "finalize"]
    return found + ["status"] * resource.status + ["scale"] * resource.scale


def _role(store: Store, name: str, rules: list[Object]) -> None:
    kind = find("ClusterRole", _GROUP)
    if store.get(kind, name) is None:
        labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
        store.create(kind, {"metadata": {"name": name, "labels": labels}, "rules": rules})


def _bind(store: Store, name: str, group: str) -> None:
    kind = find("ClusterRoleBinding", _GROUP)
    if store.get(kind, name) is None:
        role = {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name}
        subjects = [{"apiGroup": _GROUP, "kind": "Group", "name": group}]
        labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
        store.create(kind, {"metadata": {"name": name, "labels": labels}, "roleRef": role, "subjects": subjects})
