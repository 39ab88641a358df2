"""Which container of a pod a request means."""

from ..objects import Object, annotations_of, name_of
from .errors import bad_request

_DEFAULT = "kubectl.kubernetes.io/default-container"
_KINDS = ("initContainers", "containers", "ephemeralContainers")


def names(pod: Object) -> list[str]:
    """All containers of a pod by name: init, ordinary and ephemeral ones."""
    return [each["name"] for kind in _KINDS for each in pod.get("spec", {}).get(kind) or ()]


def chosen(pod: Object, asked: str) -> str:
    """The container asked for, else the pod's default or only one; 400 when that names none."""
    if asked:
        if asked not in names(pod):
            raise bad_request(f"container {asked} is not valid for pod {name_of(pod)}")
        return asked
    ordinary = [each["name"] for each in pod.get("spec", {}).get("containers") or ()]
    marked = annotations_of(pod).get(_DEFAULT)
    if marked in ordinary:
        return str(marked)
    if len(ordinary) == 1:
        return str(ordinary[0])
    listed = " ".join(ordinary)
    raise bad_request(f"a container name must be specified for pod {name_of(pod)}, choose one of: [{listed}]")
