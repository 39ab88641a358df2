"""Ephemeral containers: added to a running pod, never changed and never taken away."""

from ..objects import Object
from .conform import own
from .copying import copied
from .defaults import complete
from .errors import Cause, invalid
from .reads import current
from .route import Target
from .store import Store
from .write_options import Options


def put_ephemeral(store: Store, about: Target, obj: Object, how: Options) -> Object:
    """Add the ephemeral containers of `obj` to the pod; 422 when one that exists would change."""
    old = current(store, about)
    new = copied(old)
    version = obj.get("metadata", {}).get("resourceVersion")
    if version:
        new["metadata"]["resourceVersion"] = version
    wanted = obj.get("spec", {}).get("ephemeralContainers") or []
    if wanted:
        new["spec"]["ephemeralContainers"] = wanted
    complete(about.resource, store.registry.schema(about.resource), new)
    _check(about, new, old)
    own(store, about, new, old, how)
    return store.replace(about.resource, new, dry_run=how.dry_run)


def _check(about: Target, new: Object, old: Object) -> None:
    before = {each["name"]: each for each in old["spec"].get("ephemeralContainers") or ()}
    after = {each.get("name"): each for each in new["spec"].get("ephemeralContainers") or ()}
    taken = {each["name"] for kind in ("containers", "initContainers") for each in old["spec"].get(kind) or ()}
    causes = []
    for number, each in enumerate(new["spec"].get("ephemeralContainers") or ()):
        path = f"spec.ephemeralContainers[{number}]"
        if each.get("name") in taken:
            causes.append(Cause(f"{path}.name", f'Duplicate value: "{each["name"]}"', "FieldValueDuplicate"))
        for field in ("name", "image"):
            if not each.get(field):
                causes.append(Cause(f"{path}.{field}", "Required value", "FieldValueRequired"))
        for field in ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if field in each:
                text = "Forbidden: cannot be set for an Ephemeral Container"
                causes.append(Cause(f"{path}.{field}", text, "FieldValueForbidden"))
    if any(after.get(name) != each for name, each in before.items()):
        text = "Forbidden: existing ephemeral containers may not be changed or removed"
        causes.append(Cause("spec.ephemeralContainers", text, "FieldValueForbidden"))
    if causes:
        raise invalid(about.resource, about.name, causes)
