"""What the references of an HTTPRoute mean: its parents, and backends that it may use."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..objects import Object, namespace_of
from .view import GATEWAY_API, View, spec_of


@dataclass(frozen=True)
class Unresolved:
    """Why a backend can't be used."""

    reason: str
    message: str


def parent_key(route: Object, parent: Object) -> str:
    """`NAMESPACE/NAME` of a parent."""
    return f"{parent.get('namespace') or namespace_of(route)}/{parent.get('name', '')}"


def service_parents(route: Object) -> Iterator[Object]:
    """The parents that are Services."""
    for parent in spec_of(route).get("parentRefs") or ():
        if parent.get("kind") == "Service" and parent.get("group", "") in ("", "core"):
            yield parent


def backend_problem(view: View, route: Object, ref: Object) -> Unresolved | None:
    """Why a backendRef can't be used, None when it can."""
    own, name = namespace_of(route), str(ref.get("name", ""))
    namespace = str(ref.get("namespace") or own)
    if ref.get("kind", "Service") != "Service" or ref.get("group", "") not in ("", "core"):
        why = f'referencing unsupported backendRef: group "{ref.get("group", "")}" kind "{ref.get("kind", "")}"'
        return Unresolved("InvalidKind", why)
    if namespace != own and not _granted(view, str(route.get("kind", "HTTPRoute")), own, namespace, name):
        why = f'not accessible to a {route.get("kind", "HTTPRoute")} in namespace "{own}" (missing a ReferenceGrant?)'
        return Unresolved("RefNotPermitted", f"backendRef {name}/{namespace} {why}")
    if f"{namespace}/{name}" not in view.service_by_key:
        return Unresolved("BackendNotFound", f"backend({name}.{namespace}.svc.cluster.local) not found")
    return None


def _granted(view: View, kind: str, own: str, namespace: str, name: str) -> bool:
    source = {"group": GATEWAY_API, "kind": kind, "namespace": own}
    for grant in view.grants:
        if namespace_of(grant) != namespace:
            continue
        sources: list[Object] = spec_of(grant).get("from") or []
        targets: list[Object] = spec_of(grant).get("to") or []
        named = any(each.get("kind") == "Service" and each.get("name") in (None, "", name) for each in targets)
        if named and any(source.items() <= each.items() for each in sources):
            return True
    return False
