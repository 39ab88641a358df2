"""`exportTo`: the namespaces whose proxies know of an object."""

from collections.abc import Iterator

from ..objects import Object, namespace_of
from .hosts import is_label
from .view import spec_of

PUBLIC, PRIVATE, NOBODY = "*", ".", "~"


def exports(item: Object) -> frozenset[str]:
    """The namespaces that an object names, its own by name; `*` for all of them."""
    said = spec_of(item).get("exportTo") or [PUBLIC]
    return frozenset(namespace_of(item) if each == PRIVATE else str(each) for each in said)


def exported(item: Object, namespace: str) -> bool:
    """Whether the proxies of that namespace know of it."""
    return not exports(item).isdisjoint((PUBLIC, namespace))


def export_mistakes(item: Object) -> Iterator[str]:
    """What Istio's webhook objects to; a ServiceEntry may be exported to nobody."""
    said: list[str] = [str(each) for each in spec_of(item).get("exportTo") or ()]
    namespace, entry = namespace_of(item), item.get("kind") == "ServiceEntry"
    seen: set[str] = set()
    for each in said:
        name = namespace if each == PRIVATE else each
        if name in seen:
            what = f": . and current namespace {namespace}" if each == PRIVATE else f" for entry {each}"
            yield f"duplicate entries in exportTo{what}"
        elif name == NOBODY and not entry:
            yield "exportTo ~ (none) is not allowed for Istio configuration objects"
        elif name not in (PUBLIC, NOBODY) and (name != name.lower() or not is_label(name)):
            yield "only .,*, or a valid DNS 1123 label is allowed as exportTo entry"
        else:
            seen.add(name)
    if PUBLIC in seen and len(said) > 1:
        yield "cannot have both public (*) and non-public exportTo values for a resource"
    if NOBODY in seen and len(said) > 1:
        yield "cannot export service entry to no one (~) and someone"
