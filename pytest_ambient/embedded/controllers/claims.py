"""Whom controllers take for their own: what their selectors match, whether they made it or somebody let it go."""

from collections.abc import Callable

from ..api.copying import copied
from ..api.store import Change, Resource, Store
from ..objects import Object, name_of, namespace_of
from .owned import controller_of, owner_key, reference, selected
from .queue import Key, itself


def claimed(
    store: Store, resource: Resource, owner: Object, fits: Callable[[Object], bool] | None = None
) -> list[Object]:
    """The objects that the owner controls from now on, of those in its namespace.

    It lets go what its selector matches no more, and takes in what it matches (and `fits`) and nobody controls.
    """
    found = []
    for each in store.list(resource, namespace_of(owner)):
        control, matches = controller_of(each), selected(owner["spec"]["selector"], each)
        if control.get("uid") == owner["metadata"]["uid"]:
            if matches:
                found.append(each)
            else:
                store.replace(resource, _released(each, control))
        elif not control and matches and "deletionTimestamp" not in each["metadata"] and (not fits or fits(each)):
            found.append(store.replace(resource, _adopted(each, owner)))
    return found


def concerned(store: Store, change: Change, owners: Resource, owned: Resource) -> tuple[Key, ...]:
    """Which of the owners a change is about.

    One of them itself, the one whose object has changed, or all that may take in an object that nobody controls.
    """
    if change.resource == owners:
        return (itself(change),)
    if change.resource != owned:
        return ()
    if controller_of(change.object):
        owner = owner_key(change.object, owners)
        return (owner,) if owner else ()
    if change.type == "DELETED":
        return ()
    near = store.list(owners, namespace_of(change.object))
    return tuple((namespace_of(each), name_of(each)) for each in near if _may_take(each, change.object))


def _may_take(owner: Object, item: Object) -> bool:
    selector = owner["spec"].get("selector")
    return bool(selector) and selected(selector, item)


def _adopted(item: Object, owner: Object) -> Object:
    changed = copied(item)
    changed["metadata"]["ownerReferences"] = [*(item["metadata"].get("ownerReferences") or ()), reference(owner)]
    return changed


def _released(item: Object, control: Object) -> Object:
    changed = copied(item)
    left = [each for each in item["metadata"]["ownerReferences"] if each != control]
    changed["metadata"]["ownerReferences"] = left
    if not left:
        del changed["metadata"]["ownerReferences"]
    return changed
