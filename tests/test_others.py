"""Policies of others that come while a run goes on: which rows they may have broken."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_ambient import GET, Answered, _others, case
from pytest_ambient.errors import Inconclusive
from pytest_ambient.mesh.foreign import Foreign

WAYPOINTS = Foreign(waypoints="AuthorizationPolicy istio-system/theirs of somebody else could decide it")
OURS = cast(Any, SimpleNamespace(kube=None, places=None, run=SimpleNamespace(id="r1")))
RESULT = cast(Any, SimpleNamespace(text="what broke"))
ROW = case("row", "curl", GET("http://reviews:9080/"), Answered(404))


@pytest.mark.parametrize(
    ("found", "needs", "doubt"),
    [
        (Foreign(), ("Waypoint", "Sidecar"), ""),
        (WAYPOINTS, ("Permissive", "Waypoint"), WAYPOINTS.waypoints),
        (WAYPOINTS, (), ""),
        (WAYPOINTS, ("Sidecar",), ""),
        (Foreign(sidecars="theirs"), ("Sidecar",), "theirs"),
        (Foreign(sidecars="theirs"), ("Waypoint",), ""),
        (Foreign("everything"), (), "everything"),
        (Foreign(hidden="headers"), ("Waypoint",), ""),
    ],
)
def test_a_policy_for_waypoints_excuses_no_row_at_l4(
    monkeypatch: pytest.MonkeyPatch, found: Foreign, needs: tuple[str, ...], doubt: str
) -> None:
    """There it was all the time, and decided nothing; a promise that is broken beside it is broken."""
    monkeypatch.setattr(_others, "foreign", lambda *_: found)
    if not doubt:
        _others.undisturbed(OURS, ROW, RESULT, needs)
        return
    with pytest.raises(Inconclusive) as caught:
        _others.undisturbed(OURS, ROW, RESULT, needs)
    assert str(caught.value).endswith(f"{doubt}, it came while the run went on\nwhat broke")
