"""What the API tells about itself: groups, versions and kinds, one by one or all in one answer."""

from collections.abc import Iterable

from ..objects import Object
from .registry import Registry
from .resources import Resource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
_SPECIAL: dict[str, tuple[Object, tuple[str, ...]]] = {
    "attach": ({"group": "", "version": "v1", "kind": "PodAttachOptions"}, ("create", "get")),
    "binding": ({"group": "", "version": "v1", "kind": "Binding"}, ("create",)),
    "ephemeralcontainers": ({"group": "", "version": "v1", "kind": "Pod"}, ("get", "patch", "update")),
    "eviction": ({"group": "policy", "version": "v1", "kind": "Eviction"}, ("create",)),
    "exec": ({"group": "", "version": "v1", "kind": "PodExecOptions"}, ("create", "get")),
    "finalize": ({"group": "", "version": "v1", "kind": "Namespace"}, ("update",)),
    "log": ({"group": "", "version": "v1", "kind": "Pod"}, ("get",)),
    "portforward": ({"group": "", "version": "v1", "kind": "PodPortForwardOptions"}, ("create", "get")),
    "proxy": (
        {"group": "", "version": "v1", "kind": "PodProxyOptions"},
        ("create", "delete", "get", "patch", "update"),
    ),
    "token": ({"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"}, ("create",)),
}
_RANKS = {"v1": "3v1", "v2": "3v2", "v1beta1": "2", "v1alpha3": "1"}


def groups(registry: Registry) -> dict[str, list[str]]:
    """The named groups with their versions, the preferred one first."""
    found: dict[str, set[str]] = {}
    for each in registry:
        if each.group:
            found.setdefault(each.group, set()).update(each.versions)
    return {
        group: sorted(versions, key=lambda each: _RANKS.get(each, "0" + each), reverse=True)
        for group, versions in found.items()
    }


def group(name: str, versions: list[str]) -> Object:
    """One `APIGroup`."""
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": listed, "preferredVersion": listed[0]}


def group_list(registry: Registry) -> Object:
    """The answer to `/apis`."""
    listed = [group(name, versions) for name, versions in groups(registry).items()]
    bare = [{key: value for key, value in each.items() if key not in ("kind", "apiVersion")} for each in listed]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": bare}


def versions(address: str) -> Object:
    """The answer to `/api`."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def resource_list(registry: Registry, group_name: str, version: str) -> Object | None:
    """The answer to `/apis/GROUP/VERSION`, None when there is no such version."""
    found = _served(registry, group_name, version)
    if not found:
        return None
    items = [item for each in found for item in _listed(each)]
    name = f"{group_name}/{version}" if group_name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": items}


def aggregated(registry: Registry, *, named: bool) -> Object:
    """The answer to `/apis` (`named`) or `/api` for clients that take everything at once."""
    wanted = groups(registry) if named else {"": ["v1"]}
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
            "versions": [
                {"version": each, "resources": [_discovered(found, each) for found in _served(registry, name, each)],
                 "freshness": "Current"}
                for each in served
            ],
        }
        for name, served in wanted.items()
    ]  # fmt: skip
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _served(registry: Registry, group_name: str, version: str) -> list[Resource]:
    found = (each for each in registry if each.group == group_name and version in each.versions)
    return sorted(found, key=lambda each: each.plural)


def _listed(resource: Resource) -> Iterable[Object]:
    item: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        item["shortNames"] = list(resource.short_names)
    if resource.categories:
        item["categories"] = list(resource.categories)
    yield item
    for name, kind, verbs in _subresources(resource):
        yield {
            "name": f"{resource.plural}/{name}", "singularName": "", "namespaced": resource.namespaced,
            **{key: value for key, value in kind.items() if value or key == "kind"}, "verbs": list(verbs),
        }  # fmt: skip


def _subresources(resource: Resource) -> Iterable[tuple[str, Object, tuple[str, ...]]]:
    if resource.status:
        yield "status", {"kind": resource.kind}, ("get", "patch", "update")
    if resource.scale:
        yield "scale", _SCALE, ("get", "patch", "update")
    for name in resource.subresources:
        kind, verbs = _SPECIAL[name]
        yield name, kind, verbs


def _discovered(resource: Resource, version: str) -> Object:
    item: Object = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        item["shortNames"] = list(resource.short_names)
    if resource.categories:
        item["categories"] = list(resource.categories)
    below = [
        {
            "subresource": name,
            "responseKind": {"group": resource.group, "version": version} | kind,
            "verbs": list(verbs),
        }
        for name, kind, verbs in _subresources(resource)
    ]
    return item | ({"subresources": below} if below else {})
