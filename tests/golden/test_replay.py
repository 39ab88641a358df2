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
    """Whatever was recorded is seen again, or listed with its reason; nothing listed has become untrue."""
    recorded = recording.read(scenario)
    ledger = Ledger.of(scenario)
    with running(tmp_path, recorded) as bench:
        Replay(bench, recorded, ledger).run()
    record_property("ambient.left-out", ledger.left_out)
    shutil.rmtree(tmp_path, ignore_errors=True)
    report = ledger.report()
    assert not report, f"\n{report}"
