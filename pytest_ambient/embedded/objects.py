"""How Kubernetes objects are held in this cluster: as the JSON they arrive in."""

from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
"""One Kubernetes object, or a part of one, as decoded JSON."""


def name_of(item: Object) -> str:
    """The object's name, empty when it has none."""
    return str(item.get("metadata", {}).get("name", ""))


def namespace_of(item: Object) -> str:
    """The object's namespace, empty for a cluster-scoped one."""
    return str(item.get("metadata", {}).get("namespace", ""))


def labels_of(item: Object) -> dict[str, str]:
    """The object's labels."""
    return item.get("metadata", {}).get("labels") or {}


def annotations_of(item: Object) -> dict[str, str]:
    """The object's annotations."""
    return item.get("metadata", {}).get("annotations") or {}
