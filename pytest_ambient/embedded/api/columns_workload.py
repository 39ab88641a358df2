"""The printed columns of workloads."""

from ..objects import Object
from .cells import labels_text, selector_text
from .column import AGE, Cell, Column, count


def _containers(field: str) -> Cell:
    return lambda obj: ",".join(
        str(each.get(field, ""))
        for each in obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ())
    )


_TEMPLATE = (
    Column("Containers", _containers("name"), wide=True),
    Column("Images", _containers("image"), wide=True),
    Column("Selector", lambda obj: selector_text(obj.get("spec", {}).get("selector") or {}), wide=True),
)


def _ready_of_wanted(obj: Object) -> str:
    return f"{count('status', 'readyReplicas')(obj)}/{count('spec', 'replicas')(obj)}"


def _owner(obj: Object) -> str:
    found = next((each for each in obj["metadata"].get("ownerReferences", ()) if each.get("controller")), None)
    return f"{found['kind'].lower()}.apps/{found['name']}" if found else "<none>"


COLUMNS: dict[str, tuple[Column, ...]] = {
    "Deployment": (
        Column("Ready", _ready_of_wanted), Column("Up-to-date", count("status", "updatedReplicas"), "integer"),
        Column("Available", count("status", "availableReplicas"), "integer"), AGE, *_TEMPLATE,
    ),
    "ReplicaSet": (
        Column("Desired", count("spec", "replicas"), "integer"),
        Column("Current", count("status", "replicas"), "integer"),
        Column("Ready", count("status", "readyReplicas"), "integer"), AGE, *_TEMPLATE,
    ),
    "DaemonSet": (
        Column("Desired", count("status", "desiredNumberScheduled"), "integer"),
        Column("Current", count("status", "currentNumberScheduled"), "integer"),
        Column("Ready", count("status", "numberReady"), "integer"),
        Column("Up-to-date", count("status", "updatedNumberScheduled"), "integer"),
        Column("Available", count("status", "numberAvailable"), "integer"),
        Column(
            "Node Selector",
            lambda obj: labels_text(obj["spec"].get("template", {}).get("spec", {}).get("nodeSelector") or {}),
        ),
        AGE, *_TEMPLATE,
    ),
    "ControllerRevision": (
        Column("Controller", _owner), Column("Revision", count("revision")), AGE,
    ),
}  # fmt: skip
"""By kind, without the name."""
