"""What the references of a route mean: its parents, and backends that it may use."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..objects import Object, namespace_of
from .hosts import hostname
from .view import GATEWAY_API, NETWORKING, View, spec_of


@dataclass(frozen=True)
class Unresolved:
    """Why a backend can't be used."""

    reason: str
    message: str


def parent_key(route: Object, parent: Object) -> str:
    """`NAMESPACE/NAME` of a parent."""
    return f"{parent.get('namespace') or namespace_of(route)}/{parent.get('name', '')}"


def mesh_parents(route: Object) -> Iterator[Object]:
    """The parents that are Services or ServiceEntries."""
    yield from filter(is_of_mesh, spec_of(route).get("parentRefs") or ())


def is_of_mesh(parent: Object) -> bool:
    """Whether a parentRef names what is called inside the mesh, so that the route is for its callers."""
    return (parent.get("kind") == "Service" and parent.get("group", "") in ("", "core")) or is_entry(parent)


def is_entry(ref: Object) -> bool:
    """Whether a reference is to a ServiceEntry."""
    return (ref.get("kind"), ref.get("group")) == ("ServiceEntry", NETWORKING)


def called_by(view: View, route: Object, parent: Object) -> Sequence[Object]:
    """What is called by a parent of the mesh: its Service, or its ServiceEntry's hosts; nothing when it is not."""
    key = parent_key(route, parent)
    if is_entry(parent):
        return view.hosts_of(key)
    return [view.service_by_key[key]] if key in view.service_by_key else []


def is_hostname(ref: Object) -> bool:
    """Whether a backend is named by the host that callers write."""
    return (ref.get("kind"), ref.get("group")) == ("Hostname", NETWORKING)


def backend_named(view: View, namespace: str, host: str) -> Object | None:
    """What has that host: the namespace's own, else a Service, else the oldest."""
    found = [each for each in view.called if hostname(each) == host]
    return next((each for each in found if namespace_of(each) == namespace), found[0] if found else None)


def reference_problem(view: View, route: Object, parent: Object) -> Unresolved | None:
    """What is to tell of a route's references: of several problems the last, a rule's backends before its copies."""
    told = None
    for rule in spec_of(route).get("rules") or ():
        # A backend of weight 0 is never looked at.
        weighed = [ref for ref in rule.get("backendRefs") or () if ref.get("weight", 1)]
        copies = [each["requestMirror"]["backendRef"] for each in rule.get("filters") or () if "requestMirror" in each]
        found = [_last(backend_problem(view, route, ref, parent) for ref in refs) for refs in (weighed, copies)]
        problems = [each for each in found if each is not None]
        if problems:
            told = Unresolved(problems[0].reason, "; ".join(each.message for each in problems))
    return told


def backend_problem(view: View, route: Object, ref: Object, parent: Object) -> Unresolved | None:
    """Why a backendRef can't be used, None when it can; one of a parent of the mesh needs no ReferenceGrant."""
    own, name = namespace_of(route), str(ref.get("name", ""))
    if is_hostname(ref):
        if ref.get("namespace"):
            return Unresolved("InvalidDestination", "namespace may not be set with Hostname type")
        missing = backend_named(view, own, name) is None
        return Unresolved("BackendNotFound", f"backend({name}) not found") if missing else None
    namespace = str(ref.get("namespace") or own)
    if ref.get("kind", "Service") != "Service" or ref.get("group", "") not in ("", "core"):
        why = f'referencing unsupported backendRef: group "{ref.get("group", "")}" kind "{ref.get("kind", "")}"'
        return Unresolved("InvalidKind", why)
    kind = str(route.get("kind", "HTTPRoute"))
    if namespace != own and not is_of_mesh(parent) and not granted(view, kind, own, "Service", namespace, name):
        why = f'not accessible to a {kind} in namespace "{own}" (missing a ReferenceGrant?)'
        return Unresolved("RefNotPermitted", f"backendRef {name}/{namespace} {why}")
    if f"{namespace}/{name}" not in view.service_by_key:
        return Unresolved("BackendNotFound", f"backend({name}.{namespace}.svc.cluster.local) not found")
    return None


def _last(problems: Iterable[Unresolved | None]) -> Unresolved | None:
    found = [each for each in problems if each is not None]
    return found[-1] if found else None


def granted(view: View, kind: str, own: str, target: str, namespace: str, name: str) -> bool:
    """Whether a kind of the Gateway API in one namespace may name a target, a Service or Secret, in another."""
    source = {"group": GATEWAY_API, "kind": kind, "namespace": own}
    for grant in view.grants:
        if namespace_of(grant) != namespace:
            continue
        sources: list[Object] = spec_of(grant).get("from") or []
        targets: list[Object] = spec_of(grant).get("to") or []
        named = any(each.get("kind") == target and each.get("name") in (None, "", name) for each in targets)
        if named and any(source.items() <= each.items() for each in sources):
            return True
    return False
