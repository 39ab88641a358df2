"""The printed columns of workloads."""

from ..objects import Object
from .ages import age
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


def _job_status(obj: Object) -> str:
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    held = [each["type"] for each in obj.get("status", {}).get("conditions") or () if each["status"] == "True"]
    named = (
        each for each in ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet") if each in held
    )
    return next(named, "Running")


def _completions(obj: Object) -> str:
    done, wanted = count("status", "succeeded")(obj), obj["spec"].get("completions")
    parallel = int(obj["spec"].get("parallelism", 1))
    return f"{done}/{wanted}" if wanted is not None else f"{done}/1" + (f" of {parallel}" if parallel > 1 else "")


def _duration(obj: Object) -> str:
    status = obj.get("status", {})
    began = status.get("startTime")
    return age(began, until=status.get("completionTime", "")) if began else ""


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
    "StatefulSet": (Column("Ready", _ready_of_wanted), AGE, *_TEMPLATE[:2]),
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
    "Job": (
        Column("Status", _job_status), Column("Completions", _completions), Column("Duration", _duration), AGE,
        *_TEMPLATE,
    ),
    "ControllerRevision": (
        Column("Controller", _owner), Column("Revision", count("revision")), AGE,
    ),
}  # fmt: skip
"""By kind, without the name."""
