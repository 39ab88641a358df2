"""The printed columns of pods: what a pod is doing, in one word."""

from ..objects import Object
from .ages import age
from .column import AGE, Column, field

_GATED = "SchedulingGated"


def _ready(obj: Object) -> str:
    statuses = obj.get("status", {}).get("containerStatuses") or ()
    always = [each for each in obj.get("spec", {}).get("initContainers") or () if each.get("restartPolicy") == "Always"]
    started = obj.get("status", {}).get("initContainerStatuses") or ()
    names = {each["name"] for each in always}
    ready = sum(1 for each in statuses if each.get("ready"))
    ready += sum(1 for each in started if each["name"] in names and each.get("ready"))
    return f"{ready}/{len(obj.get('spec', {}).get('containers') or ()) + len(always)}"


def status(obj: Object) -> str:
    """One word for what the pod is doing: Running, ContainerCreating, CrashLoopBackOff, Terminating ..."""
    state = obj.get("status", {})
    gated = any(each.get("reason") == _GATED for each in state.get("conditions") or ())
    word = _GATED if gated else str(state.get("reason") or state.get("phase") or "")
    starting = _init_word(obj)
    word = starting or _container_word(state, word)
    if "deletionTimestamp" in obj["metadata"]:
        return (
            "Unknown"
            if state.get("reason") == "NodeLost"
            else word
            if state.get("phase") in ("Failed", "Succeeded")
            else "Terminating"
        )
    return word


def _init_word(obj: Object) -> str:
    kinds = {each["name"]: each for each in obj.get("spec", {}).get("initContainers") or ()}
    for number, each in enumerate(obj.get("status", {}).get("initContainerStatuses") or ()):
        ended, waiting = each.get("state", {}).get("terminated"), each.get("state", {}).get("waiting")
        sidecar = kinds.get(each["name"], {}).get("restartPolicy") == "Always"
        if (ended and ended.get("exitCode") == 0) or (sidecar and each.get("started")):
            continue
        if ended:
            return f"Init:{ended.get('reason') or 'ExitCode:' + str(ended.get('exitCode'))}"
        if waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{number}/{len(kinds)}"
    return ""


def _container_word(state: Object, word: str) -> str:
    running = False
    for each in reversed(state.get("containerStatuses") or ()):
        now = each.get("state", {})
        waiting, ended = now.get("waiting"), now.get("terminated")
        if waiting and waiting.get("reason"):
            word = waiting["reason"]
        elif ended:
            word = ended.get("reason") or f"ExitCode:{ended.get('exitCode')}"
        elif each.get("ready") and "running" in now:
            running = True
    if word == "Completed" and running:
        conditions = state.get("conditions") or ()
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
        return "Running" if ready else "NotReady"
    return word


def _restarts(obj: Object) -> str:
    statuses = obj.get("status", {}).get("containerStatuses") or ()
    count = sum(each.get("restartCount", 0) for each in statuses)
    ends = [each.get("lastState", {}).get("terminated", {}).get("finishedAt") for each in statuses]
    last = max((each for each in ends if each), default="")
    return f"{count} ({age(last)} ago)" if count and last else str(count)


def _address(obj: Object) -> str:
    return str(obj.get("status", {}).get("podIP") or "<none>")


def _gates(obj: Object) -> str:
    gates = [each["conditionType"] for each in obj.get("spec", {}).get("readinessGates") or ()]
    held = {each["type"]: each["status"] for each in obj.get("status", {}).get("conditions") or ()}
    return f"{sum(held.get(each) == 'True' for each in gates)}/{len(gates)}" if gates else "<none>"


COLUMNS = (
    Column("Ready", _ready),
    Column("Status", status),
    Column("Restarts", _restarts),
    AGE,
    Column("IP", _address, wide=True),
    Column("Node", field("spec", "nodeName", none="<none>"), wide=True),
    Column("Nominated Node", field("status", "nominatedNodeName", none="<none>"), wide=True),
    Column("Readiness Gates", _gates, wide=True),
)
