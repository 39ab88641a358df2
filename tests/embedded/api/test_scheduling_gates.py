"""Scheduling gates of a pod that is there: they may go, and none may come."""

import pytest

from pytest_ambient.embedded.api.workload_rules import a_pod_faults
from pytest_ambient.embedded.objects import Object


def gated(*names: str) -> Object:
    """A pod with these gates."""
    gates = {"schedulingGates": [{"name": each} for each in names]} if names else {}
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}], **gates}}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["a", "b"], ["b"], []),
        (["a"], [], []),
        (["a"], ["b"], ["Forbidden: only deletion is allowed, but found new scheduling gate 'b'"]),
        ([], ["a"], ["Forbidden: only deletion is allowed, but found new scheduling gate 'a'"]),
    ],
)
def test_gates_go_and_never_come(before: list[str], after: list[str], told: list[str]) -> None:
    """In the API server's words."""
    assert [each.message for each in a_pod_faults(gated(*after), gated(*before))] == told
