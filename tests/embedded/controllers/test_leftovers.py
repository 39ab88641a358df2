"""What a namespace tells while it is being emptied."""

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.controllers.leftovers import remaining
from pytest_ambient.embedded.objects import Object

CONFIG, POD, ROUTE = find("ConfigMap"), find("Pod"), find("HTTPRoute", "gateway.networking.k8s.io")


def held(*finalizers: str) -> Object:
    """An object with these finalizers."""
    return {"metadata": {"name": "x", "finalizers": list(finalizers)}}


def texts(conditions: list[Object]) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message of each condition."""
    return {each["type"]: (each["status"], each["reason"], each["message"]) for each in conditions}


def test_what_remains_is_counted_by_kind_and_by_finalizer() -> None:
    """In the words of Kubernetes, kinds with their group behind a dot."""
    told = texts(remaining({CONFIG: [held("a/b")], ROUTE: [held("a/b", "c/d"), held()]}, []))
    things = "configmaps. has 1 resource instances, httproutes.gateway.networking.k8s.io has 2 resource instances"
    assert told["NamespaceContentRemaining"] == (
        "True", "SomeResourcesRemain", f"Some resources are remaining: {things}",
    )  # fmt: skip
    assert told["NamespaceFinalizersRemaining"] == (
        "True", "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: a/b in 2 resource instances, "
        "c/d in 1 resource instances",
    )  # fmt: skip
    assert told["NamespaceDeletionContentFailure"] == (
        "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization",
    )  # fmt: skip
    assert len(told) == 5


def test_pods_that_are_ending_hold_no_finalizer() -> None:
    """Then that condition is as it is when all is well, since when it was."""
    before = remaining({POD: [held("x/y")]}, [])
    for each in before:
        each["lastTransitionTime"] = "then"
    after = remaining({POD: [held()]}, before)
    assert texts(after)["NamespaceFinalizersRemaining"] == (
        "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished",
    )  # fmt: skip
    since = {each["type"]: each["lastTransitionTime"] for each in after}
    assert since["NamespaceContentRemaining"] == "then"
    assert since["NamespaceFinalizersRemaining"] != "then"
