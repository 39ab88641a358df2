"""The pod templates that DaemonSets and StatefulSets have had, kept as ControllerRevisions."""

from collections.abc import Mapping

from ..api.copying import copied
from ..api.store import Store, find
from ..objects import Object, annotations_of, labels_of, name_of, namespace_of
from .owned import owned_by, reference

_REVISION = find("ControllerRevision", "apps")


def record(store: Store, owner: Object, word: str, marks: Mapping[str, str]) -> None:
    """Note the owner's present template, which `word` stands for, as its newest; forget what is older than its limit.

    `marks` are labels of the revision beside the template's own.
    """
    space, name = namespace_of(owner), f"{name_of(owner)}-{word}"
    known = sorted(owned_by(owner, store.list(_REVISION, space)), key=lambda each: int(each["revision"]))
    newest = int(known[-1]["revision"]) if known else 0
    present = next((each for each in known if name_of(each) == name), None)
    if present is None:
        store.create(_REVISION, _revision(owner, name, newest + 1, marks))
    elif int(present["revision"]) < newest:
        store.replace(_REVISION, copied(present) | {"revision": newest + 1})
    old = [each for each in known if name_of(each) != name]
    for each in old[: max(0, len(old) - int(owner["spec"].get("revisionHistoryLimit", 10)))]:
        store.delete(_REVISION, name_of(each), space)


def _revision(owner: Object, name: str, number: int, marks: Mapping[str, str]) -> Object:
    template = copied(owner["spec"]["template"])
    return {
        "metadata": {
            "name": name,
            "namespace": namespace_of(owner),
            "labels": labels_of(template) | dict(marks),
            "annotations": annotations_of(owner),
            "ownerReferences": [reference(owner)],
        },
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": number,
    }
