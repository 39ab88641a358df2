"""What the API checks of pods, their own and those of templates, beyond types."""

from ..objects import Object
from .container_rules import container_faults
from .errors import Cause


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
            found += container_faults(each, f"{path}.{kind}[{number}]", names, volumes)
    return found
