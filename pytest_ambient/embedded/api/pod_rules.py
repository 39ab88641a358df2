"""What the API checks of pods, their own and those of templates, beyond types."""

from typing import Any

from ..objects import Object
from ..quantities import quantity
from .decode import quoted
from .errors import Cause
from .names import label_fault


def pod_faults(spec: Object, path: str) -> list[Cause]:
    """What a pod's spec at that path breaks."""
    found = []
    containers = spec.get("containers") or []
    if not containers:
        found.append(Cause(f"{path}.containers", "Required value", "FieldValueRequired"))
    names: set[str] = set()
    volumes = {each.get("name") for each in spec.get("volumes") or ()}
    for kind in ("initContainers", "containers"):
        for number, each in enumerate(spec.get(kind) or ()):
            found += _container_faults(each, f"{path}.{kind}[{number}]", names, volumes)
    return found


def _container_faults(container: Object, path: str, names: set[str], volumes: set[Any]) -> list[Cause]:
    found = []
    name = str(container.get("name", ""))
    if name in names:
        found.append(Cause(f"{path}.name", f'Duplicate value: "{name}"', "FieldValueDuplicate"))
    elif name and (wrong := label_fault(name)):
        found.append(Cause(f"{path}.name", f'Invalid value: "{name}": {wrong}'))
    names.add(name)
    if not container.get("image"):
        found.append(Cause(f"{path}.image", "Required value", "FieldValueRequired"))
    for number, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            where = f"{path}.volumeMounts[{number}].name"
            found.append(Cause(where, f'Not found: "{mount.get("name")}"', "FieldValueNotFound"))
    return found + _resource_faults(container.get("resources") or {}, f"{path}.resources.requests")


def _resource_faults(resources: Object, path: str) -> list[Cause]:
    found = []
    for name, asked in (resources.get("requests") or {}).items():
        limit = (resources.get("limits") or {}).get(name)
        if limit is not None and quantity(asked) > quantity(limit):
            text = f"Invalid value: {quoted(str(asked))}: must be less than or equal to {name} limit of {limit}"
            found.append(Cause(path, text))
    return found
