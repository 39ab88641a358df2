"""What controllers share about the objects that they own: references, hashes, percentages, readiness."""

import hashlib
import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime

from ..api.store import Resource
from ..objects import Object, labels_of, name_of

_DIGITS = "456789bcdf"
"""What Kubernetes writes for the ten digits of such a number."""
HASH = "pod-template-hash"


def reference(owner: Object, *, block: bool = True) -> Object:
    """The owner reference of a controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
        **({"blockOwnerDeletion": True} if block else {}),
    }


def controller_of(item: Object) -> Object:
    """The owner reference of the object's controller, empty when it has none."""
    references: Iterable[Object] = item["metadata"].get("ownerReferences") or ()
    return next((each for each in references if each.get("controller")), {})


def owned_by(owner: Object, items: Iterable[Object]) -> list[Object]:
    """Those that the owner controls."""
    uid = owner["metadata"]["uid"]
    return [each for each in items if controller_of(each).get("uid") == uid]


def owner_key(item: Object, resource: Resource) -> tuple[str, str] | None:
    """Namespace and name of the object's controller when that is of the given kind."""
    owner = controller_of(item)
    if owner.get("kind") != resource.kind:
        return None
    return str(item["metadata"].get("namespace", "")), str(owner["name"])


def digest(template: Object) -> str:
    """A short word that stands for a pod template."""
    number = int(hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:8], 16)
    return "".join(_DIGITS[int(each)] for each in str(number))


def share(value: int | str | None, whole: int, *, up: bool) -> int:
    """A number, or a percentage of `whole` rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        part = int(value[:-1]) * whole / 100
        return math.ceil(part) if up else math.floor(part)
    return int(value or 0)


def ready(pod: Object) -> bool:
    """Whether the pod is Ready and not being deleted."""
    return "deletionTimestamp" not in pod["metadata"] and _ready_since(pod) is not None


def available_in(pod: Object, seconds: int) -> float:
    """How long until the pod has been ready for `seconds`; 0 when it has, infinite when it is not ready."""
    since = _ready_since(pod)
    if since is None or "deletionTimestamp" in pod["metadata"]:
        return math.inf
    if not seconds:
        return 0.0
    return max(0.0, seconds - (datetime.now(UTC) - since).total_seconds())


def _ready_since(pod: Object) -> datetime | None:
    for each in pod.get("status", {}).get("conditions") or ():
        if each["type"] == "Ready" and each["status"] == "True":
            return datetime.fromisoformat(each["lastTransitionTime"])
    return None


def selected(selector: Object, item: Object) -> bool:
    """Whether a label selector matches the object; an empty one matches everything."""
    labels = labels_of(item)
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: Object, labels: dict[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
