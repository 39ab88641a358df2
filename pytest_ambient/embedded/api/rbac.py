"""Who may do what: roles and the bindings that give them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..objects import Object, labels_of
from .auth import Caller
from .errors import ApiError
from .pki import MASTERS
from .resources import find
from .store import Store

_GROUP = "rbac.authorization.k8s.io"
_ROLES, _CLUSTER_ROLES = find("Role", _GROUP), find("ClusterRole", _GROUP)
_BINDINGS, _CLUSTER_BINDINGS = find("RoleBinding", _GROUP), find("ClusterRoleBinding", _GROUP)


@dataclass(frozen=True)
class Wish:
    """What somebody wants to do: with a resource, or with a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def wanted(self) -> str:
        """The resource as rules name it: `pods/log`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def allowed(store: Store, who: Caller, wish: Wish) -> str | None:
    """What allows it, in words; None when nothing does."""
    if MASTERS in who.groups:
        return ""
    for why, rules in _granted(store, who, wish.namespace):
        if any(_permits(rule, wish) for rule in rules):
            return why
    return None


def rules_for(store: Store, who: Caller, namespace: str) -> list[Object]:
    """All rules that hold for somebody in a namespace."""
    if MASTERS in who.groups:
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        return [everything, {"verbs": ["*"], "nonResourceURLs": ["*"]}]
    return [rule for _, rules in _granted(store, who, namespace) for rule in rules]


def refusal(who: Caller, wish: Wish) -> ApiError:
    """403 in the words of the real server."""
    if wish.path:
        message = f'forbidden: User "{who.name}" cannot {wish.verb} path "{wish.path}"'
        return ApiError(403, "Forbidden", message, {})
    qualified = f"{wish.resource}.{wish.group}" if wish.group else wish.resource
    subject = f'{qualified} "{wish.name}"' if wish.name else qualified
    where = f' in the namespace "{wish.namespace}"' if wish.namespace else " at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{who.name}" cannot {wish.verb} resource "{wish.wanted}" '
        f'in API group "{wish.group}"{where}'
    )
    details = {"name": wish.name, "group": wish.group, "kind": wish.resource}
    return ApiError(403, "Forbidden", message, {key: value for key, value in details.items() if value})


def _granted(store: Store, who: Caller, namespace: str) -> Iterator[tuple[str, Sequence[Object]]]:
    for each in store.list(_CLUSTER_BINDINGS):
        if subject := _subject(each, who, ""):
            role = store.get(_CLUSTER_ROLES, each["roleRef"]["name"])
            yield _why("ClusterRoleBinding", each, subject), _rules(store, role)
    for each in store.list(_BINDINGS, namespace) if namespace else ():
        if subject := _subject(each, who, namespace):
            reference = each["roleRef"]
            own = reference["kind"] == "Role"
            role = store.get(_ROLES if own else _CLUSTER_ROLES, reference["name"], namespace if own else "")
            yield _why("RoleBinding", each, subject), _rules(store, role)


def _rules(store: Store, role: Object | None) -> list[Object]:
    """A role's own rules, and those of the roles that it gathers by their labels."""
    found = list((role or {}).get("rules") or ())
    selectors = ((role or {}).get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    others = store.list(_CLUSTER_ROLES) if selectors else []
    for each in others:
        labels = labels_of(each)
        if any((one.get("matchLabels") or {}).items() <= labels.items() for one in selectors):
            found += each.get("rules") or ()
    return found


def _why(kind: str, binding: Object, subject: Object) -> str:
    name = binding["metadata"]["name"]
    where = binding["metadata"].get("namespace")
    named = f'"{name}/{where}"' if where else f'"{name}"'
    reference = binding["roleRef"]
    to = f'{subject["kind"]} "{subject["name"]}' + (f'/{subject["namespace"]}"' if "namespace" in subject else '"')
    return f'RBAC: allowed by {kind} {named} of {reference["kind"]} "{reference["name"]}" to {to}'


def _subject(binding: Object, who: Caller, namespace: str) -> Object | None:
    for each in binding.get("subjects") or ():
        if each["kind"] == "User" and each["name"] == who.name:
            return dict(each)
        if each["kind"] == "Group" and each["name"] in who.groups:
            return dict(each)
        where = each.get("namespace") or namespace
        if each["kind"] == "ServiceAccount" and who.name == f"system:serviceaccount:{where}:{each['name']}":
            return dict(each)
    return None


def _permits(rule: Object, wish: Wish) -> bool:
    if not _has(rule.get("verbs"), wish.verb):
        return False
    if wish.path:
        return any(_path_fits(each, wish.path) for each in rule.get("nonResourceURLs") or ())
    if not _has(rule.get("apiGroups"), wish.group):
        return False
    wanted = rule.get("resources") or ()
    if not _has(wanted, wish.wanted) and not (wish.subresource and f"*/{wish.subresource}" in wanted):
        return False
    names = rule.get("resourceNames")
    return not names or wish.name in names


def _has(listed: Sequence[str] | None, word: str) -> bool:
    return listed is not None and ("*" in listed or word in listed)


def _path_fits(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
