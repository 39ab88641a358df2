"""The embedded mesh does what a real one was seen to do, scenario by scenario."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from . import recording
from .cluster import KUBECTL, running
from .differences import Ledger
from .replaying import Replay

pytestmark = [pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on the PATH")]


@pytest.mark.parametrize("scenario", recording.names())
def test_scenario(scenario: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Whatever was recorded is seen again, or listed with its reason; nothing listed has become untrue.

    A replay that differs is tried once more: a connection that ends at the wrong moment, which the recordings have too
    (12b), is chance, a difference of the mesh is there each time.
    """
    ledger = replayed(scenario, tmp_path / "1")
    if ledger.report():
        ledger = replayed(scenario, tmp_path / "2")
    record_property("ambient.left-out", ledger.left_out)
    report = ledger.report()
    assert not report, f"\n{report}"


def replayed(scenario: str, folder: Path) -> Ledger:
    """The account of one replay, in a cluster of its own."""
    folder.mkdir()
    recorded = recording.read(scenario)
    ledger = Ledger.of(scenario)
    with running(folder, recorded) as bench:
        Replay(bench, recorded, ledger).run()
    shutil.rmtree(folder, ignore_errors=True)
    return ledger
