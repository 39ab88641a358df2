"""What a container may use or asks for, as the downward API gives it."""

import math

from ..api.store import Store, find
from ..objects import Object
from ..quantities import quantity

_NODE = find("Node")


def amount(store: Store, pod: Object, container: Object, reference: Object) -> str:
    """The value of a `resourceFieldRef`: counted in its divisor, rounded up; a limit that is none is the node's."""
    named = reference.get("containerName")
    everyone = (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ()))
    meant = next((each for each in everyone if each["name"] == named), container)
    kind, _, resource = str(reference["resource"]).partition(".")
    text = ((meant.get("resources") or {}).get(kind) or {}).get(resource, "0")
    if kind == "limits" and not quantity(text):
        node = store.get(_NODE, str(pod["spec"].get("nodeName", ""))) or {}
        text = (node.get("status", {}).get("allocatable") or {}).get(resource, "0")
    unit = 1000 if resource == "cpu" else 1
    return str(math.ceil(_units(text, unit) / (_units(reference.get("divisor", "1"), unit) or unit)))


def _units(text: object, unit: int) -> int:
    return math.ceil(round(quantity(text) * unit, 6))
